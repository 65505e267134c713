/** A CLI as a process: ends, bounds, leftovers, secrets, sessions. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { cli, type CliOptions, type Mailbox, type Message } from '../../../../src/harness/index.ts';
import { noMailbox } from '../../../support/no-mailbox.ts';
import { attemptAt, errorOf, marked, nothingIsLeft, temporaryFolder, until, type TestAttempt } from '../../support.ts';
import { played, steps } from './played.ts';

const folder = temporaryFolder();
afterEach(nothingIsLeft);
afterAll(() => folder.remove());

function perform(attempt: TestAttempt, options: CliOptions = {}) {
  return played(options).perform(attempt);
}
const at = (...list: readonly object[]) => attemptAt({ prompt: steps(...list) });

test('what is no program is refused where it is said', () => {
  const words = [[], [''], ['agent', 7], 'agent --json'] as unknown as readonly (readonly string[])[];
  for (const given of words) {
    const expected = (field: string) =>
      `BAD_INPUT: cli: expected \`${field}\` to be [program, ...arguments], got ${JSON.stringify(given)}.`;
    expect(() => cli({ command: given })).toThrow(expected('command'));
    expect(() => cli({ command: ['agent'], resume: given })).toThrow(expected('resume'));
    expect(() => cli('claude', { program: given })).toThrow(expected('program'));
  }
});

describe('a turn', () => {
  test('that says how it ended counts, whatever its exit code', async () => {
    const usage = { event: { type: 'usage', tokens: 7, costUsd: 0.5 } };
    expect(await perform(at({ say: 'Working' }, usage, { end: 'Done.' }, { exit: 3 }))).toEqual({
      status: 'ok',
      output: 'Done.',
      usage: { tokens: 7, costUsd: 0.5 },
    });
  });

  test('that does not say it has crashed, with exit code 0 too; a class that it tells is taken', async () => {
    expect(errorOf(await perform(at({ say: 'Working' }, { exit: 0 })))).toMatchObject({
      class: 'crashed',
      code: 'NO_RESULT',
    });
    const failure = { event: { type: 'end', status: 'error', message: 'status 529 from the model' } };
    expect(errorOf(await perform(at(failure, { exit: 0 })))).toMatchObject({ class: 'overloaded', code: 'OVERLOADED' });
  });

  test('whose process does not end after it is ended; the result stands', async () => {
    expect(await perform(at({ end: 'Done.' }, { ignoreSignals: true }, { hang: true }))).toMatchObject({
      output: 'Done.',
    });
  });

  test('that is ended because it has a result and hangs keeps it, whatever it says of being ended', async () => {
    const interrupted = { type: 'end', status: 'error', message: 'interrupted' };
    expect(await perform(at({ lastEvent: interrupted }, { end: 'Done.' }, { hang: true }))).toMatchObject({
      status: 'ok',
      output: 'Done.',
    });
  });

  test('that is steered when its result is there already keeps it: the message comes after it', async () => {
    let steer: Parameters<Mailbox['onSteer']>[0];
    const attempt = attemptAt(
      { prompt: steps({ end: 'Done.' }, { event: { type: 'notice', line: 'says no more' } }, { hang: true }) },
      {
        mailbox: { ...noMailbox, onSteer: (handler) => void (steer = handler) },
        progress({ line }) {
          if (line === 'says no more') steer?.({ id: 'm1', from: 'bob', to: 'a', type: 'hint', body: 'left', at: 0 });
        },
      },
    );
    const told = expect.stringMatching(/^resume .*"body":"left".*Your result stands\..*UNCHANGED/s) as string;
    expect(await perform(attempt, { exitMs: 60_000 })).toMatchObject({ status: 'ok', output: told });
  });

  test('that says that it cannot reach a mailbox which it must join is ended at once', async () => {
    const serveMailbox = async () => ({
      mcpServer: { name: 'group', url: 'http://127.0.0.1:1/', headers: {} },
      isJoined: () => false,
      lastHeardAt: () => undefined,
      close: async () => {},
    });
    const failure = { event: { type: 'mcp-failed', server: 'group', message: 'no route to it' } };
    const outcome = await perform(at(failure, { hang: true }), { mailbox: 'required', serveMailbox, stallMs: 5_000 });
    expect(errorOf(outcome)).toMatchObject({
      code: 'MAILBOX_DEAD',
      message: expect.stringContaining('no route to it') as string,
    });
  });

  test('that prints garbage, and lines longer than allowed, goes on; both are told', async () => {
    const attempt = at(
      { print: 'garbage\n' },
      { print: `${'x'.repeat(5_000)}\n` },
      { print: '[[[[\n\n\u2028{"half\n' },
      { end: 'Done.' },
    );
    expect(await perform(attempt, { lineBytesMax: 4_000 })).toMatchObject({ output: 'Done.' });
    expect(attempt.lines).toEqual(expect.arrayContaining(['garbage', 'a line of 5000 bytes was left out']));
  });

  test('that tries its model again more often than it may is ended, with the class of that failure', async () => {
    const retry = (attempt: number) => ({
      event: { type: 'retry', attempt, class: 'rate-limited', message: 'slow down' },
    });
    const attempt = at(retry(1), retry(2), retry(3), { hang: true });
    expect(errorOf(await perform(attempt, { retries: 2 }))).toMatchObject({ class: 'rate-limited' });
    expect(attempt.lines).toContain('tries again (2, rate-limited): slow down');
  });

  test('of a program that is not there is refused, and says which', async () => {
    const harness = cli({ command: ['no-such-agent'] }, { mailbox: 'none' });
    expect(errorOf(await harness.perform(at({ end: '' })))).toMatchObject({
      class: 'refused',
      code: 'ENOENT',
      message: expect.stringContaining('no-such-agent') as string,
    });
  });

  test('of a name that nobody knows, or a command that is none, is refused when it is declared', () => {
    expect(() => cli('clod' as 'claude')).toThrow('BAD_INPUT');
    expect(() => cli({ command: [] })).toThrow('BAD_INPUT');
  });
});

describe('nothing is left', () => {
  const leftovers = { start: 'setsid sleep 300' };

  test('of a turn that went well: children out of its group end with it', async () => {
    expect(await perform(at(leftovers, { waitMs: 100 }, { end: 'Done.' }))).toMatchObject({ status: 'ok' });
    expect(marked()).toEqual([]);
  });

  test('of one that failed', async () => {
    expect(await perform(at(leftovers, { waitMs: 100 }, { exit: 1 }))).toMatchObject({ status: 'error' });
    expect(marked()).toEqual([]);
  });

  test('of one that is cancelled and does not want to end', async () => {
    const attempt = at(leftovers, { start: 'sleep 300' }, { ignoreSignals: true }, { say: 'hanging' }, { hang: true });
    const outcome = perform(attempt);
    await until(() => attempt.lines.includes('hanging') && marked(attempt.key).length >= 3);
    attempt.abort(new Error('enough'));
    expect(await outcome).toMatchObject({ status: 'cancelled', reason: 'enough' });
    expect(marked()).toEqual([]);
  });

  test('in the temporary folder: its private files were readable by nobody else, and are gone', async () => {
    const attempt = at({ end: 'Done.' });
    const server = { name: 'group', url: 'http://127.0.0.1:1/', headers: { Authorization: 'Bearer planted-token' } };
    const serveMailbox = async () => ({
      mcpServer: server,
      isJoined: () => true,
      lastHeardAt: () => undefined,
      close: async () => {},
    });
    expect(await perform(attempt, { mailbox: 'required', serveMailbox })).toMatchObject({ status: 'ok' });
    const line = attempt.lines.find((one) => one?.startsWith('mcp //127.0.0.1 600 '));
    expect(line).toBeDefined();
    expect(existsSync(dirname((line ?? '').split(' ').at(-1) ?? ''))).toBe(false);
  });
});

describe('secrets', () => {
  test('of its environment reach neither its output file, nor progress, nor the outcome', async () => {
    const outputFile = join(folder.path, 'out.log');
    const attempt = attemptAt({ prompt: steps({ leak: 'PLAY_TOKEN' }, { exit: 1 }) }, { outputFile });
    const outcome = await perform(attempt, { env: { PLAY_TOKEN: 'planted-secret-of-the-test' } });
    const kept = readFileSync(outputFile, 'utf8');
    expect(kept.match(/it is \[redacted PLAY_TOKEN\]/g)).toHaveLength(2);
    expect(errorOf(outcome).message).toContain('it is [redacted PLAY_TOKEN]');
    expect(JSON.stringify([kept, attempt.reports, outcome])).not.toContain('planted');
  });
});

describe('its session', () => {
  test('keeps the id that it was given, whatever it calls itself', async () => {
    const ids: string[] = [];
    const session = async (id: string) => void ids.push(id);
    const other = { event: { type: 'session', id: 'another' } };
    const attempt = attemptAt({ prompt: steps(other, { say: 'Working' }, { end: 'Done.' }) }, { session });
    expect(await perform(attempt)).toMatchObject({ status: 'ok' });
    expect(new Set(ids).size).toBe(1);
    expect(ids).not.toContain('another');
  });

  test('goes on after a turn that told nothing but its result', async () => {
    const mail: Message[] = [{ id: 'm1', from: 'bob', to: 'a', type: 'hint', body: 'left', at: 0 }];
    let looks = 0;
    const take: Mailbox['take'] = () => {
      looks += 1;
      return Promise.resolve({ messages: looks === 2 ? mail : [], acknowledge() {}, putBack() {} });
    };
    const attempt = attemptAt({ prompt: steps({ end: 'Done.' }) }, { mailbox: { ...noMailbox, take } });
    const told = expect.stringMatching(/^resume .*"body":"left"/s) as string;
    expect(await perform(attempt)).toMatchObject({ status: 'ok', output: told });
  });

  test('is recorded before it is started, is told to it, and goes on in the next process under the same id', async () => {
    const log = folder.at('play.jsonl');
    const sessions: unknown[] = [];
    const session = async (id: string) => {
      sessions.push([id, existsSync(log)]);
    };
    const first = attemptAt({ prompt: steps({ say: 'Working' }, { exit: 1 }) }, { session });
    await perform(first, { env: { PLAY_LOG: log } });
    const [[id, wasStarted]] = sessions as [[string, boolean]];
    expect(wasStarted).toBe(false);
    const second = attemptAt(
      { prompt: 'never read' },
      { previousSession: id, previousSessionData: { isActive: true }, attempt: 2 },
    );
    expect(await perform(second, { env: { PLAY_LOG: log } })).toMatchObject({
      output: expect.stringMatching(
        new RegExp(`^resume ${id}: You were interrupted \\(this is attempt 2\\)`),
      ) as string,
    });
    const played = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { mode: string; session: string });
    expect(played.map(({ mode, session: told }) => [mode, told])).toEqual([
      ['new', id],
      ['resume', id],
    ]);
  });
});
