/** Processes of agents: how they fail to begin, how they end, and that nothing of them is left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AgentFailure } from '../../../../src/harness/agent/port.ts';
import { sweep } from '../../../../src/harness/program/sweep.ts';
import { scripted } from '../../../agents/model/script.ts';
import { isAlive, marked, runId, until } from '../../support.ts';
import { fakeCommand } from './fake/command.ts';
import { fakeProgram, folderOfTest, markedEnv } from './opening.ts';

const failureOf = (opening: Promise<unknown>): Promise<AgentFailure> =>
  opening.then(
    () => Promise.reject(new Error('it opened')),
    (error: unknown) => {
      expect(error).toBeInstanceOf(AgentFailure);
      return error as AgentFailure;
    },
  );

test('a program that is not there is refused, and so is a folder', async () => {
  const missing = await failureOf(fakeProgram({}, ['no-such-agent', '--acp'])());
  expect(missing).toMatchObject({
    class: 'refused',
    message: expect.stringContaining('not found on the PATH') as string,
  });
  const homeless = await failureOf(fakeProgram()({ cwd: '/no/such/folder' }));
  expect(homeless).toMatchObject({ class: 'refused', message: expect.stringContaining('/no/such/folder') as string });
});

test.each(['initialize', 'session/new'])(
  'an agent that ends at %s has crashed, in its own last words',
  async (diesAt) => {
    const failure = await failureOf(fakeProgram({ diesAt })());
    expect(failure.class).toBe('crashed');
    expect(failure.message).toContain('it ended with exit code 3');
    expect(failure.message).toContain('fake: out of luck');
  },
);

test('an agent that ends in its turn has crashed, in its own last words, and the next turn finds it again', async () => {
  const { session } = await fakeProgram({ diesAt: 'session/prompt' })();
  const before = session.pids;
  for (let turn = 1; turn <= 2; turn += 1) {
    const end = await session.prompt(scripted([{ text: 'x' }]));
    expect(end).toMatchObject({
      status: 'error',
      class: 'crashed',
      error: { code: 'NO_RESULT', message: expect.stringContaining('fake: out of luck') as string },
    });
  }
  expect(session.pids).not.toEqual(before);
});

test('a session is closed in time also while its agent is started again and says nothing', async () => {
  const { session } = await fakeProgram({ diesAt: 'session/prompt' })();
  await session.prompt('x');
  const lost = session.prompt('y');
  await until(() => marked().length > 0);
  for (const pid of marked()) process.kill(pid, 'SIGSTOP');
  const beganMs = performance.now();
  await session.close();
  expect(performance.now() - beganMs).toBeLessThan(10_000);
  expect(await lost).toEqual({ status: 'cancelled' });
});

test.each(['initialize', 'session/new'])('an agent that is silent at %s is given up in time', async (silentAt) => {
  const patience = { initialize: 3_000, session: 300, ...(silentAt === 'initialize' ? { initialize: 1_500 } : {}) };
  const failure = await failureOf(fakeProgram({ silentAt })({ patience }));
  expect(failure.class).toBe('timeout');
});

test('an opening that is called off ends at once, and leaves nothing', async () => {
  const controller = new AbortController();
  const opening = failureOf(fakeProgram({ silentAt: 'initialize' })({ signal: controller.signal }));
  await until(() => marked().length > 0);
  const beganMs = performance.now();
  controller.abort();
  expect((await opening).message).toContain('it was called off');
  expect(performance.now() - beganMs).toBeLessThan(10_000);
  const late = failureOf(fakeProgram({ silentAt: 'initialize' })({ signal: AbortSignal.abort() }));
  expect((await late).message).toContain('it was called off');
});

test('an agent that goes on when its input ends is ended all the same, at once where it is known (Codex)', async () => {
  for (const [habits, longestMs] of [
    [{}, 6_000],
    [{ ignoresEof: true }, 1_400],
  ] as const) {
    const { session } = await fakeProgram({ ignoresEof: true })({ habits });
    const [pid = 0] = session.pids;
    const beganMs = performance.now();
    await session.close();
    expect(performance.now() - beganMs).toBeLessThan(longestMs);
    expect(isAlive(pid)).toBe(false);
  }
});

test('an agent that ends as it is told by the end of its input is not signalled', async () => {
  const script = `process.on('SIGTERM', () => { require('fs').writeFileSync('signalled', ''); process.exit(0) });
    process.stdin.on('end', () => setTimeout(() => { require('fs').writeFileSync('ended', ''); process.exit(0) }, 200));
    process.stdin.setEncoding('utf8').on('data', (text) => { for (const line of text.trim().split('\\n')) { const { id, method } = JSON.parse(line);
      const result = method === 'initialize' ? { protocolVersion: 1 } : { sessionId: 's' };
      if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n'); } })`;
  const folder = folderOfTest();
  const { session } = await fakeProgram({}, [process.execPath, '-e', script])({ cwd: folder });
  await session.close();
  const { readdirSync } = await import('node:fs');
  expect(readdirSync(folder)).toEqual(['ended']);
});

test('what both outputs hold is handed on, and the agent waits while it is not taken', async () => {
  const chunks: string[] = [];
  let taking = 0;
  let atOnce = 0;
  const { session } = await fakeProgram({ isNoisy: true })({
    async onOutput(chunk) {
      taking += 1;
      atOnce = Math.max(atOnce, taking);
      await delay(1);
      chunks.push(new TextDecoder().decode(chunk));
      taking -= 1;
    },
  });
  await session.prompt(scripted([{ text: 'heard' }]));
  await session.close();
  expect(chunks.join('')).toContain('Debugger listening');
  expect(chunks.join('')).toContain('heard');
  expect(atOnce).toBeLessThanOrEqual(2);
});

const hostScript = (key: string, then: string) => {
  const url = (path: string) => JSON.stringify(new URL(`../../../../src/${path}`, import.meta.url).href);
  return `const { acpAgent } = await import(${url('harness/agent/acp/acp-agent.ts')});
    const { hostMark } = await import(${url('harness/program/list-processes.ts')});
    const session = await acpAgent({ command: ${JSON.stringify(fakeCommand)} }).open({ cwd: process.cwd(), key: ${JSON.stringify(key)},
      env: { PATH: process.env.PATH, TROUPE_ATTEMPT: ${JSON.stringify(key)}, TROUPE_HOST: hostMark() }, session: { mode: 'new' }, mcpServers: [],
      onEvent() {}, onPermission: async () => ({ allowed: true }) });
    void session.prompt('@@SCRIPT [{"tool":"shell","args":{"command":"setsid sleep 300 & exec sleep 301"}},{"text":"x"}]');
    ${then}`;
};
const host = (key: string, then: string) =>
  spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', hostScript(key, then)],
    {
      cwd: folderOfTest(),
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );

test('a host that exits takes its agents and what they started with it', async () => {
  const { key } = markedEnv();
  const child = host(
    key,
    `process.stdin; setInterval(() => {}, 1000); process.on('SIGUSR2', () => process.exit(7)); console.log('up');`,
  );
  await once(child.stdout, 'data');
  await until(() => marked(key).length >= 3);
  child.kill('SIGUSR2');
  expect((await once(child, 'exit'))[0]).toBe(7);
  await until(() => marked(key).length === 0);
});

test('what a host that was killed left running is found by its mark, and ended', async () => {
  const key = `${runId}/host-killed`;
  const child = host(key, `setInterval(() => {}, 1000); console.log('up');`);
  await once(child.stdout, 'data');
  await until(() => marked(key).length >= 3);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // The tool outlives them all; the agent ends by the end of its input, or by the sweep.
  expect(marked(key).length).toBeGreaterThan(0);
  await sweep(key);
  expect(marked(key)).toEqual([]);
});
