/** `acp(...)` as a harness: what its options come to, and attempts from their beginning to their end. */
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { acp, type AcpName, type Harness } from '../../../../src/harness/index.ts';
import { scripted } from '../../../agents/model/script.ts';
import { attemptAt, errorOf, marked } from '../../support.ts';
import { fakeAgent } from './fake/app.ts';
import { fakeCommand } from './fake/command.ts';
import { transcriptsInMemory } from './fake/session.ts';
import { shellIn } from './fake/shell.ts';
import { folderOfTest } from './opening.ts';

const [node = '', ...rest] = fakeCommand;

test('it refuses what is no agent, and says what would be one', () => {
  expect(() => acp('clippy' as AcpName)).toThrow(
    'BAD_INPUT: acp: expected one of claude, codex, copilot, gemini, opencode, qwen, {command: [...]} or {agent}, got `clippy`.',
  );
  expect(() => acp({ command: [] })).toThrow('expected `command` to be [program, ...arguments], got [].');
  expect(() => acp('gemini', { program: [''] })).toThrow('expected `program`');
});

test('an attempt is done by a program that speaks the protocol, in its folder, and leaves nothing', async () => {
  const harness = acp(
    { command: fakeCommand },
    { capabilities: ['code'], concurrency: 2, mailbox: 'none', cwd: folderOfTest() },
  );
  expect(harness).toMatchObject({ capabilities: ['code'], concurrency: 2 });
  const attempt = attemptAt({ prompt: scripted([{ text: 'forty-two' }]) });
  expect(await harness.perform(attempt)).toMatchObject({ status: 'ok', output: 'forty-two', usage: { tokens: 110 } });
  expect(marked(attempt.key)).toEqual([]);
});

test('an attempt that follows another is done in a new session where the agent keeps none', async () => {
  const env = { FAKE_QUIRKS: JSON.stringify({ resume: 'none' }) };
  const harness = acp({ command: fakeCommand, env }, { mailbox: 'none', cwd: folderOfTest() });
  const before = { previousSession: 'some', previousSessionData: { isActive: true } };
  const attempt = attemptAt({ prompt: scripted([{ text: 'forty-two' }]) }, before);
  expect(await harness.perform(attempt)).toMatchObject({ status: 'ok', output: 'forty-two' });
});

test('an agent that takes no MCP over HTTP works without its mailbox, and says so, where that is not required', async () => {
  const env = { FAKE_QUIRKS: JSON.stringify({ hasNoHttp: true }) };
  const attempt = () => attemptAt({ prompt: scripted([{ text: 'forty-two' }]) });
  const optional = attempt();
  const outcome = await acp({ command: fakeCommand, env }, { cwd: folderOfTest() }).perform(optional);
  expect(outcome).toMatchObject({ status: 'ok', output: 'forty-two' });
  expect(optional.lines).toContainEqual(expect.stringContaining('it takes no MCP servers.'));
  const required = acp({ command: fakeCommand, env }, { cwd: folderOfTest(), mailbox: 'required' });
  expect(errorOf(await required.perform(attempt()))).toMatchObject({ class: 'refused' });
});

test('a known agent is started as its row says, by another program where one is given', async () => {
  const harness = acp('qwen', { program: [node, ...rest], args: ['--more'], mailbox: 'none', cwd: folderOfTest() });
  expect(await harness.perform(attemptAt({ prompt: scripted([{ text: 'in place of it' }]) }))).toMatchObject({
    status: 'ok',
    output: 'in place of it',
  });
  const missing = acp('gemini', { program: ['no-such-gemini'], mailbox: 'none' });
  expect(errorOf(await missing.perform(attemptAt({ prompt: 'x' })))).toMatchObject({ class: 'refused' });
});

test('the protocol’s library is loaded with the first session, not with the harness', () => {
  const door = JSON.stringify(new URL('../../../../src/harness/index.ts', import.meta.url).href);
  const hook = `import { writeSync } from 'node:fs';
    export const resolve = (name, context, next) => { writeSync(1, name + '\\n'); return next(name, context); };`;
  const script = `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
    const { acp } = await import(${door});
    const { capabilities } = acp('gemini', { capabilities: ['web'] });
    console.log('made ' + capabilities);
    await import('@agentclientprotocol/sdk');`;
  const said = execFileSync(node, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
    encoding: 'utf8',
  });
  const [before = '', after = ''] = said.split('made web');
  expect(before).toContain('harness/index.ts');
  expect(before).not.toContain('@agentclientprotocol');
  expect(after).toContain('@agentclientprotocol/sdk');
});

const inProcess = (): Harness =>
  acp(
    { agent: fakeAgent({ transcripts: transcriptsInMemory(), ownTools: { shell: shellIn(folderOfTest()) } }) },
    { permissions: ({ input }) => ({ allowed: JSON.stringify(input).includes('good') }) },
  );

test('the group’s tools are there and allowed; about others its policy decides', async () => {
  const sent: string[] = [];
  const base = attemptAt({});
  const attempt = attemptAt(
    {
      prompt: scripted([
        { tool: 'group_send', args: { to: 'ann', body: 'hello' } },
        { tool: 'shell', args: { command: 'echo good' } },
        { tool: 'shell', args: { command: 'echo bad' } },
        { echo: true },
      ]),
    },
    {
      mailbox: {
        ...base.mailbox,
        members: () => [{ id: 'ann', status: 'running' }],
        send: ({ to }) => {
          sent.push(to);
          return Promise.resolve({ id: 'one' });
        },
      },
    },
  );
  const outcome = await inProcess().perform(attempt);
  expect(outcome).toMatchObject({ status: 'ok' });
  const text = outcome.status === 'ok' ? JSON.stringify(outcome.output) : '';
  expect(sent).toEqual(['ann']);
  expect(text).toContain('good');
  expect(text).toContain('the user refused it');
  expect(attempt.lines).toContainEqual(expect.stringContaining('denied: shell'));
});

test('an attempt that is cancelled ends soon, in its turn and while it is opened', async () => {
  const harness = inProcess();
  const attempt = attemptAt({ prompt: scripted([{ slow: { n: 1_000, ms: 20 } }]) });
  const turn = harness.perform(attempt);
  await delay(200);
  attempt.abort('enough');
  expect(await turn).toMatchObject({ status: 'cancelled', reason: 'enough' });

  const opening = attemptAt({ prompt: 'x', env: { FAKE_QUIRKS: '{"silentAt":"initialize"}' } });
  const slow = acp({ command: fakeCommand }, { mailbox: 'none', cwd: folderOfTest() }).perform(opening);
  await expect.poll(() => marked(opening.key).length, { timeout: 10_000 }).toBeGreaterThan(0);
  const beganMs = performance.now();
  opening.abort('enough');
  expect(await slow).toEqual({ status: 'cancelled', reason: 'enough' });
  expect(performance.now() - beganMs).toBeLessThan(6_000);
  expect(marked(opening.key)).toEqual([]);
});

test('an attempt goes on in the session of the one before it, and begins anew where that is gone', async () => {
  const harness = inProcess();
  const sessions: string[] = [];
  const note = { session: (id: string) => Promise.resolve(void sessions.push(id)) };
  await harness.perform(attemptAt({ prompt: scripted([{ text: 'noted' }, { echo: true }]) }, note));
  const again = { ...note, previousSession: sessions[0], previousSessionData: { isActive: true } };
  const outcome = await harness.perform(attemptAt({ prompt: scripted([{ echo: true }]) }, { ...again, attempt: 2 }));
  expect(outcome).toMatchObject({ status: 'ok' });
  expect(new Set(sessions).size).toBe(1);
  const lost = { ...note, previousSession: 'fake-gone' };
  const anew = await harness.perform(
    attemptAt({ prompt: scripted([{ text: 'from the start' }]) }, { ...lost, attempt: 2 }),
  );
  expect(anew).toMatchObject({ status: 'ok', output: 'from the start' });
});
