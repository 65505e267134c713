/** Gates of a run that is driven at a real terminal, made by script(1). */
import { describe, expect, test } from 'vitest';
import { hasBash, hasTerminals, onTerminal } from './on-terminal.ts';
import { screen } from './screen.ts';
import { lastJson, program, project, type Project, type Running } from './support.ts';

const env = { CI: '', NO_COLOR: '1' };
const prompt = 'Approve? [y]es / [n]o / [l]ater, and a note if you like: ';

const release = `
import { coordinator, defineProcess, gate, member } from 'troupe';
import { fanOut } from 'troupe/machines';
import { assign, setup } from 'xstate';

const asking = coordinator(setup({
  actors: { member },
  actions: {
    open: gate({ name: 'ship', question: 'Ship it?', data: { version: 2 } }),
    keep: assign({ answers: ({ context, event }) => [...context.answers, event.type + ': ' + event.note] }),
  },
}).createMachine({
  id: 'asking',
  context: { answers: [] },
  initial: 'asking',
  states: {
    asking: {
      entry: 'open',
      on: { approved: { actions: 'keep', target: 'over' }, rejected: { actions: 'keep', target: 'asking', reenter: true } },
    },
    over: { type: 'final' },
  },
  output: ({ context }) => context.answers,
}));

const wait = "while [ ! -e go ]; do sleep 0.02; done; echo waited";
export default defineProcess('release', async (ctx) => {
  const look = ctx.breakpoint('look', { question: 'Have you looked?' });
  const group = ctx.group('asking', asking, null);
  const held = ctx.group('held', fanOut, { members: [{ id: 'held', command: ['sh', '-c', wait], harness: 'command' }] });
  const { approved, note } = await look;
  const answers = await group.output;
  await held.output;
  return { approved, note, answers };
});
`;

const made = () => project({ 'release.process.mjs': release });
const run = (it: Project, ...more: readonly string[]) =>
  onTerminal(it, ['run', 'release.process.mjs', '--run-id', 'r1', ...more], env);
const type = (host: Running, text: string) => void host.child.stdin?.write(text);

/** Waits until a prompt stands last on the terminal, below what `pattern` says. */
async function prompted(host: Running, pattern: string): Promise<void> {
  const literal = prompt.replaceAll(/[?[\]()]/g, String.raw`\$&`);
  await host.said(new RegExp(String.raw`${pattern}[^]*${literal}(?:\u001b\[\d+G)?$`));
}

/** All that has stood on the terminal. */
function shown(text: string): string {
  const seen = screen(24, 80);
  seen.write(text);
  return [...seen.gone, ...seen.lines()].join('\n');
}

const outputOf = async (it: Project) =>
  (lastJson(await it.troupe('show', 'r1', '--json')) as { readonly run: { readonly output: unknown } }).run.output;

describe.skipIf(!hasTerminals)('gates of a run at the terminal', { timeout: 60_000 }, () => {
  test('are asked below the picture, which stands still; what happens meanwhile is told above', async () => {
    const it = made();
    const host = run(it);
    await prompted(host, 'Have you looked');
    type(host, 'y twice');
    it.write('go', '');
    await host.said(/held {2}ended {2}completed/);
    type(host, ', in fact\r');
    await prompted(host, 'Ship it');
    type(host, 'n not on a friday\r');
    // Opened again, and asked again.
    await prompted(host, 'not on a friday[^]*Ship it');
    type(host, 'y\r');
    const { code, stdout } = await host.ended;
    expect(code).toBe(0);
    const text = shown(stdout);
    expect(text).toMatch(/run r1 · release[^]*\n\? Have you looked\? {2}look\n[^]*you like: y twice, in fact\n/);
    expect(text).toMatch(/\n\? asking: Ship it\? {2}ship\n {4}version: 2\n/);
    expect(text).toMatch(/asking {2}answered {2}ship rejected by outside/);
    expect(text).toMatch(/\nrun r1 · release · completed/);
    expect(isCursorVisible(stdout)).toBe(true);
    expect(await outputOf(it)).toEqual({
      approved: true,
      note: 'twice, in fact',
      answers: ['rejected: not on a friday', 'approved: '],
    });
  });

  test('answered elsewhere, the question is withdrawn; left for later, it is not asked again', async () => {
    const it = made();
    it.write('go', '');
    const host = run(it);
    await prompted(host, 'Have you looked');
    expect(await it.troupe('approve', 'r1', 'look', '--reject', '--note', 'no need')).toMatchObject({ code: 0 });
    await host.said('was answered elsewhere: rejected, “no need”; the question is withdrawn');
    await prompted(host, 'Ship it');
    type(host, 'l\r');
    await host.said(/is left open: npx troupe approve r1 ship/);
    expect(await it.troupe('approve', 'r1', 'ship')).toMatchObject({ code: 0 });
    const { code, stdout } = await host.ended;
    expect(code).toBe(0);
    expect(stdout.match(/Ship it\? {2}ship/g)).toHaveLength(1);
    expect(await outputOf(it)).toMatchObject({ approved: false, note: 'no need' });
  });

  test('Ctrl-C at a question stops the run; resumed, it is asked again', async () => {
    const it = made();
    const host = run(it);
    await prompted(host, 'Have you looked');
    type(host, '\u0003');
    const stopped = await host.ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain('npx troupe resume r1');
    const again = onTerminal(it, ['resume', 'r1'], env);
    await prompted(again, 'Have you looked');
    type(again, 'y\r');
    it.write('go', '');
    await prompted(again, 'approved[^]*asking: Ship it');
    type(again, 'y\r');
    expect((await again.ended).code).toBe(0);
    expect(await outputOf(it)).toMatchObject({ approved: true, answers: ['approved: '] });
  });

  test.skipIf(!hasBash)('a job in the background goes on; brought to the front, it asks', async () => {
    const it = made();
    const job = `'${process.execPath}' '${program}' run release.process.mjs --run-id r1`;
    it.write('shell.sh', `set -m\n${job} &\nread line\njobs\nfg > /dev/null\n`);
    const shell = it.spawn('script', ['-qec', 'stty rows 24 cols 80 -echo; exec bash shell.sh', '/dev/null'], {
      env: { TERM: 'xterm-256color', ...env },
    });
    // A line per change, and nothing painted over what is typed; one that asked from here would be stopped by the system.
    await shell.said(/^run r1 · release\r?\n[^]*asking {2}waits for approval {2}ship: Ship it\?/);
    expect(await it.troupe('approve', 'r1', 'ship', '--reject', '--note', 'not yet')).toMatchObject({ code: 0 });
    expect(await shell.said(/(?:waits for approval {2}ship[^]*){2}/)).not.toContain('\u001b[');
    type(shell, '\n');
    expect(await shell.said(/Running|Stopped/)).toMatch(/\[1\]\+ +Running/);
    await prompted(shell, 'Have you looked');
    type(shell, 'y\r');
    await prompted(shell, 'look approved[^]*Ship it');
    type(shell, 'y\r');
    it.write('go', '');
    await shell.ended;
    expect(await outputOf(it)).toMatchObject({ approved: true, answers: ['rejected: not yet', 'approved: '] });
  });

  test.each([
    ['with --no-ask', ['--no-ask'], env],
    ['in CI', [], { ...env, CI: 'true' }],
  ])('%s nobody is asked', async (_, more, environment) => {
    const it = made();
    it.write('go', '');
    const host = onTerminal(it, ['run', 'release.process.mjs', '--run-id', 'r1', ...more], environment);
    await host.said('npx troupe approve r1 look');
    expect(await it.troupe('approve', 'r1', 'look')).toMatchObject({ code: 0 });
    await host.said('npx troupe approve r1 ship');
    expect(await it.troupe('approve', 'r1', 'ship')).toMatchObject({ code: 0 });
    const { code, stdout } = await host.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain('Approve?');
  });
});

function isCursorVisible(text: string): boolean {
  const seen = screen(24, 80);
  seen.write(text);
  return seen.isCursorVisible();
}
