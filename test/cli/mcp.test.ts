/** `troupe mcp` as an agent uses it: the SDK's client over real standard input and output, real hosts, real runs. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { JsonValue } from 'troupe';
import { agent, gateProcess } from './mcp-agent.ts';
import { lastJson, livingIn, members, patience, project, startedIn, workProcess } from './support.ts';

test('a run is started, followed, spoken to, waits for an answer, is answered and ends: all by tools', async () => {
  const it = project({ 'talk.process.mjs': gateProcess });
  const { client, call } = await agent(it);
  const { tools } = await client.listTools();
  expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint, annotations?.destructiveHint])).toEqual(
    [
      ['run_start', false, false],
      ['run_resume', false, false],
      ['run_list', true, false],
      ['run_show', true, false],
      ['run_wait', true, false],
      ['run_send', false, false],
      ['run_approve', false, false],
      ['run_cancel', false, true],
    ],
  );
  expect(await call('run_list')).toMatchObject({ runs: [], hasMore: false });
  const started = await call('run_start', { file: 'talk.process.mjs', input: { why: 'test' } });
  expect(started).toMatchObject({ run: { status: 'active', process: 'talk' }, host: { pid: expect.any(Number) } });
  const run = started.run?.id ?? '';

  expect(await call('run_wait', { run, waitMs: 50 })).toMatchObject({ reached: 'time', run: { status: 'active' } });
  await expect
    .poll(
      async () =>
        (
          (await call('run_show', { run }))['groups'] as readonly { members: readonly { status: string }[] }[]
        )[0]?.members.map(({ status }) => status),
      patience,
    )
    .toEqual(['running', 'running']);
  const marked = call('run_wait', { run, until: 'checkpoint' });
  expect(
    await call('run_send', { run, group: 'ears', to: 'a', type: 'mark', body: { n: 1 }, key: 'one' }),
  ).toMatchObject({
    id: 'one',
    status: 'recorded',
    drivenBy: expect.stringMatching(/process \d+/),
  });
  await call('run_send', { run, group: 'ears', to: 'a', type: 'mark', body: { n: 1 }, key: 'one' });
  expect(await marked).toMatchObject({
    reached: 'checkpoint',
    groups: [{ checkpoints: [{ name: 'marked', by: 'a' }] }],
  });
  const ended = call('run_wait', { run, group: 'ears' });
  await call('run_send', { run, group: 'ears', to: '*', type: 'stop', body: '' });
  expect(await ended).toMatchObject({ reached: 'ended', groups: [{ name: 'ears', status: 'completed' }] });
  expect(await call('run_wait', { run })).toMatchObject({
    reached: 'gate',
    waitsFor: [{ type: 'gate', gate: 'ship', question: 'Ship it?' }],
  });
  const end = call('run_wait', { run, until: 'end' });
  expect(await call('run_approve', { run, gate: 'ship', approved: false, note: 'not today' })).toMatchObject({
    status: 'recorded',
  });
  const output = {
    input: { why: 'test' },
    approved: false,
    note: 'not today',
    heard: { a: [['outside', 'mark', { n: 1 }]], b: [] },
  };
  expect(await end).toMatchObject({ reached: 'ended', run: { status: 'completed', output } });
  expect(await call('run_list')).toMatchObject({ runs: [{ id: run, status: 'completed' }] });
  // The same run, as the command line sees it.
  expect(lastJson(await it.troupe('show', run, '--json'))).toMatchObject({ run: { output } });
  expect(await it.troupe('verify', run)).toMatchObject({ code: 0 });
});

test('a run goes on when the server is killed, and the next server finds it; a killed host’s run is resumed', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const first = await agent(it);
  const input = JSON.parse(members('a', 'held', 'b')) as JsonValue;
  const { run, host } = await first.call('run_start', { file: 'work.process.mjs', input, runId: 'mine' });
  expect(run?.id).toBe('mine');
  await expect.poll(() => startedIn(it), patience).toEqual(['a', 'b', 'held']);
  // A signal to all that the agent has started does not reach it either: it leads a session of its own.
  const [, , , session] = readFileSync(`/proc/${host?.pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  expect(Number(session)).toBe(host?.pid);
  process.kill(first.pid, 'SIGKILL');

  const second = await agent(it);
  expect(await second.call('run_list')).toMatchObject({
    runs: [{ id: 'mine', status: 'active', holder: { pid: host?.pid } }],
  });
  // Neither a second host nor another input.
  expect((await second.call('run_resume', { run: 'mine' })).error?.code).toBe('RUN_BUSY');
  process.kill(host?.pid ?? 0, 'SIGKILL');
  expect(await second.call('run_wait', { run: 'mine' })).toMatchObject({
    reached: 'undriven',
    run: { status: 'active', holder: null },
  });
  const again = await second.call('run_resume', { run: 'mine' });
  expect(again).toMatchObject({ ok: true, run: { id: 'mine' } });
  it.write('go', '');
  expect(await second.call('run_wait', { run: 'mine' })).toMatchObject({
    reached: 'ended',
    run: { output: { succeeded: ['a', 'held', 'b'], failed: [] } },
  });
  expect(startedIn(it)).toEqual(['a', 'b', 'held', 'held']);
  // Started again, a run that has ended stays as it is.
  expect(await second.call('run_start', { file: 'work.process.mjs', runId: 'mine' })).toMatchObject({
    run: { status: 'completed' },
  });
});

test('cancel ends the run, its host, and what it had started', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const { call } = await agent(it);
  const { run, host } = await call('run_start', { file: 'work.process.mjs', input: { members: ['held'] } });
  await expect.poll(() => livingIn(it).length, patience).toBe(1);
  expect(await call('run_cancel', { run: run?.id, reason: 'enough' })).toMatchObject({
    run: { status: 'cancelled', reason: 'enough' },
  });
  expect(livingIn(it)).toEqual([]);
  await expect.poll(() => existsSync(`/proc/${host?.pid}/cwd`), patience).toBe(false);
  expect(await call('run_cancel', { run: run?.id })).toMatchObject({
    run: { status: 'cancelled' },
    how: 'had ended before',
  });
});

test('the id of a run that has ended is not another run’s, and a start that fails leaves no run', async () => {
  const it = project({
    'work.process.mjs': workProcess,
    'talk.process.mjs': gateProcess,
    'broken.process.mjs': 'export 1;',
  });
  const { call } = await agent(it);
  const input = { members: ['a'] };
  await call('run_start', { file: 'work.process.mjs', input, runId: 'done' });
  await call('run_wait', { run: 'done' });
  const again = await call('run_start', { file: 'work.process.mjs', input, runId: 'done' });
  expect(again).toMatchObject({ ok: true, run: { status: 'completed' } });
  expect((await call('run_start', { file: 'talk.process.mjs', runId: 'done' })).error).toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(/run done belongs to process `\w+`, not to `talk`, and has ended/),
  });
  const other = await call('run_start', { file: 'work.process.mjs', input: { members: ['b'] }, runId: 'done' });
  expect(other.error?.message).toMatch(/has ended, with input/);

  expect((await call('run_start', { file: 'broken.process.mjs' })).error?.code).toBe('PROCESS_INVALID');
  expect((await call('run_start', { file: 'broken.process.mjs', runId: 'named' })).error?.code).toBe('PROCESS_INVALID');
  expect(await call('run_list')).toMatchObject({ runs: [{ id: 'done' }] });
});

test('what cannot be done is an error with a code, one sentence and a remedy', async () => {
  const it = project({
    'work.process.mjs': workProcess,
    'broken.process.mjs': 'export default 1;',
    'throws.process.mjs': 'throw new Error("at once");',
    'gone.process.mjs': 'process.exit(0);',
  });
  const { call } = await agent(it);
  const cases = [
    ['run_start', { file: 'nowhere.process.mjs' }, 'BAD_INPUT', /there is no file .*nowhere/],
    ['run_start', { file: 'broken.process.mjs' }, 'PROCESS_INVALID', /broken\.process\.mjs/],
    ['run_start', { file: 'throws.process.mjs' }, 'PROCESS_INVALID', /at once/],
    ['run_start', { file: 'gone.process.mjs' }, 'BUG', /exit code 0/],
    ['run_start', { file: 'work.process.mjs', runId: '../../etc' }, 'BAD_INPUT', /etc/],
    ['run_start', { file: 'work.process.mjs', runID: 'x' }, 'BAD_INPUT', /Did you mean `runId`/],
    ['run_show', { run: 'nope' }, 'RUN_UNKNOWN', /nope/],
    ['run_resume', { run: 'nope' }, 'RUN_UNKNOWN', /nope/],
    ['run_wait', { run: 'nope' }, 'RUN_UNKNOWN', /nope/],
    ['run_cancel', { run: 'nope' }, 'RUN_UNKNOWN', /nope/],
    ['run_send', { run: 'nope', group: 'g', to: 'a', body: 'x' }, 'RUN_UNKNOWN', /nope/],
    ['run_send', { run: 'nope', group: 'g', to: 'a' }, 'BAD_INPUT', /`body` to be a text or an object, got nothing/],
    ['run_approve', { run: 'nope', gate: 'g', approved: true }, 'RUN_UNKNOWN', /nope/],
  ] as const;
  for (const [tool, given, code, message] of cases) {
    const { error } = await call(tool, given);
    expect(error, JSON.stringify([tool, given])).toMatchObject({
      code,
      message: expect.stringMatching(message),
      remedy: expect.any(String),
    });
  }
  await call('run_start', { file: 'work.process.mjs', input: { members: ['a'] }, runId: 'done' });
  await call('run_wait', { run: 'done' });
  expect((await call('run_wait', { run: 'done', group: 'wrok' })).error).toMatchObject({
    code: 'UNKNOWN_GROUP',
    didYouMean: ['work'],
  });
  expect((await call('run_send', { run: 'done', group: 'work', to: 'a', body: 'x' })).error?.code).toBe('GROUP_ENDED');
  expect((await call('run_approve', { run: 'done', gate: 'x', approved: true })).error?.code).toBe('UNKNOWN_GATE');
  expect((await call('run_approve', { run: 'done', gate: 'x' })).error?.message).toMatch(
    /`approved` to be true or false/,
  );
});
