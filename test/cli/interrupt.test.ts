import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lastJson, livingIn, members, patience, program, project, startedIn, workProcess } from './support.ts';

test('killed in the middle, the same command goes on; settled members are not run again', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const command = ['run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'b', 'held', 'c')] as const;
  const host = it.start(...command);
  await host.said(/settled {2}c /);
  await expect.poll(() => startedIn(it), patience).toEqual(['a', 'b', 'c', 'held']);
  host.child.kill('SIGKILL');
  await host.ended;
  it.write('go', '');
  const resumed = await it.troupe(...command);
  expect(resumed.code).toBe(0);
  expect(resumed.stdout).toMatch(/^run r1 · work · goes on after entry \d+\n/);
  expect(startedIn(it)).toEqual(['a', 'b', 'c', 'held', 'held']);
  expect(lastJson(await it.troupe('show', 'r1', '--json'))).toMatchObject({
    run: { output: { succeeded: ['a', 'b', 'held', 'c'], failed: [] } },
  });
  expect((await it.troupe('verify', 'r1')).code).toBe(0);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s stops the run, says how to go on, and leaves nothing running',
  async (signal) => {
    const it = project({ 'work.process.mjs': workProcess });
    const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'held-1', 'held-2'));
    await host.said(/settled {2}a [^]*started {2}held-2|started {2}held-2[^]*settled {2}a /);
    await expect.poll(() => startedIn(it), patience).toEqual(['a', 'held-1', 'held-2']);
    host.child.kill(signal);
    const { code, stdout } = await host.ended;
    expect(code).toBe(130);
    const entries = (await it.troupe('log', 'r1', '--json')).stdout.trimEnd().split('\n').length;
    expect(stdout).toContain('stopping: ending 2 attempts; interrupt again to leave at once\n');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `stopping: 2 attempts cancelled, journal closed at ${entries}. Go on with: npx troupe resume r1`,
    );
    expect(livingIn(it)).toEqual([]);

    it.write('go', '');
    expect((await it.troupe('resume', 'r1')).code).toBe(0);
    expect(startedIn(it)).toEqual(['a', 'held-1', 'held-1', 'held-2', 'held-2']);
  },
);

test('with --json a stopped run ends in the run and why it was stopped', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held'), '--json');
  await host.said('attempt.started');
  host.child.kill('SIGINT');
  const ended = await host.ended;
  expect(ended.code).toBe(130);
  expect(lastJson(ended)).toMatchObject({ run: { id: 'r1', status: 'active' }, stopped: 'interrupted by SIGINT' });
});

test('a second signal leaves at once, and what was started is killed with it', async () => {
  const it = project({
    'deaf.process.mjs': workProcess.replace('echo "$0 $$"', `trap 'echo no' INT TERM; echo "$0 $$"`),
  });
  const host = it.start('run', 'deaf.process.mjs', '--run-id', 'r1', '--input', members('held'), '--json');
  await host.said('hello from held');
  host.child.kill('SIGINT');
  await host.said('"no"');
  // Signals within a quarter of a second of the first are the same Ctrl-C, passed on by npm.
  const again = setInterval(() => host.child.kill('SIGINT'), 50);
  const { code } = await host.ended;
  clearInterval(again);
  expect(code).toBe(130);
  await expect.poll(() => livingIn(it), patience).toEqual([]);
  it.write('go', '');
  expect((await it.troupe('resume', 'r1')).code).toBe(0);
});

test('a second host is refused: exit code 3, who holds the run since when, and the first goes on', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const command = ['run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held')] as const;
  const first = it.start(...command);
  await first.said('started  held');
  const second = await it.troupe(...command);
  expect(second).toMatchObject({ code: 3, stdout: '' });
  expect(second.stderr).toMatch(
    new RegExp(`^RUN_BUSY: Run \`r1\` is held by process ${first.child.pid} on .+ since .+Z\\.\\n`),
  );
  it.write('go', '');
  expect((await first.ended).code).toBe(0);
  expect(startedIn(it)).toEqual(['held']);
});

test('a reader that goes away ends the program quietly, and stops the run', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe(
    'run',
    'work.process.mjs',
    '--run-id',
    'r0',
    '--input',
    members(...Array.from({ length: 8 }, (_, index) => `m${index}`)),
  );
  const log = it.spawn('bash', [
    '-c',
    `"$0" "$1" log r0 --json | head -1; exit "\${PIPESTATUS[0]}"`,
    process.execPath,
    program,
  ]);
  expect(await log.ended).toMatchObject({ code: 0, stderr: '' });

  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'held'));
  await host.said('started  held');
  host.child.stdout?.destroy();
  it.write('go', '');
  const { code, stderr } = await host.ended;
  expect(stderr).toBe('');
  expect([0, 130]).toContain(code);
  expect((await it.troupe('resume', 'r1')).code).toBe(0);
});

test.skipIf(!existsSync('/dev/full'))(
  'output that a full disk does not take is exit code 6, and a run is stopped properly',
  async () => {
    const it = project({ 'work.process.mjs': workProcess });
    const full = (...args: readonly string[]) =>
      it.spawn('sh', ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, program, ...args]).ended;
    const run = await full('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held'));
    const stderr = 'the output cannot be written: ENOSPC: no space left on device, write\n';
    expect(run).toMatchObject({ code: 130, stderr });
    expect(await full('log', 'r1')).toMatchObject({ code: 6, stderr });
    expect(await full('ls', '--json')).toMatchObject({ code: 6, stderr });
    it.write('go', '');
    expect((await it.troupe('resume', 'r1')).code).toBe(0);
  },
);

test('a terminal that is closed leaves no copy of the journal that was looked at', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a'));
  const args = [program, 'inspect', './.troupe/runs/r1/journal.jsonl', '--json'];
  const viewer = it.spawn(process.execPath, args, { env: { TMPDIR: it.folder } });
  await viewer.said('"url"');
  const copies = () => readdirSync(it.folder).filter((name) => name.startsWith('troupe-journal-'));
  expect(copies()).toHaveLength(1);
  viewer.child.kill('SIGHUP');
  expect((await viewer.ended).code).toBe(0);
  expect(copies()).toEqual([]);
});
