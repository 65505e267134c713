import { expect, test } from 'vitest';
import { lastJson, livingIn, members, patience, project, workProcess } from './support.ts';

const endsOf = (log: string) => log.split('\n').filter((line) => line.includes('"type":"run.ended"'));

test('a run that a living host drives is cancelled by a letter: the host ends it, and nothing of it survives', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a', 'held-1', 'held-2'));
  await host.said(/settled {2}a [^]*started {2}held-2|started {2}held-2[^]*settled {2}a /);
  const cancelled = await it.troupe('cancel', 'r1', '--reason', 'wrong branch');
  expect(cancelled).toMatchObject({ code: 0, stderr: '' });
  expect(cancelled.stdout).toMatch(/^run r1 · cancelled: wrong branch \(process \d+ on .+ ended it\)\n$/);
  const { code, stdout } = await host.ended;
  expect(code).toBe(1);
  expect(stdout).toContain('cancelled: wrong branch\n');
  expect(livingIn(it)).toEqual([]);
  expect(endsOf((await it.troupe('log', 'r1', '--json')).stdout)).toHaveLength(1);
  expect(lastJson(await it.troupe('show', 'r1', '--json'))).toMatchObject({
    run: { status: 'cancelled', reason: 'wrong branch' },
    groups: [{ status: 'cancelled' }],
  });
});

test('a run whose host is dead is cancelled by taking it, and what it left running is ended', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  const host = it.start('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('held'));
  await host.said('started  held');
  await expect.poll(() => livingIn(it), patience).toHaveLength(1);
  host.child.kill('SIGKILL');
  await host.ended;
  const cancelled = await it.troupe('cancel', 'r1', '--json');
  expect(cancelled.code).toBe(0);
  expect(lastJson(cancelled)).toEqual({
    run: { id: 'r1', status: 'cancelled', reason: 'cancelled from the command line' },
    how: 'nobody was driving it',
  });
  expect(livingIn(it)).toEqual([]);
  expect(await it.troupe('run', 'work.process.mjs', '--run-id', 'r1')).toMatchObject({ code: 1 });
});

test('a run that has ended is not cancelled: exit code 1, 0 when it was cancelled before; an unknown one is 7', async () => {
  const it = project({ 'work.process.mjs': workProcess });
  await it.troupe('run', 'work.process.mjs', '--run-id', 'r1');
  expect(await it.troupe('cancel', 'r1')).toMatchObject({ code: 1, stdout: 'run r1 · completed (had ended before)\n' });
  expect(await it.troupe('cancel', 'nope')).toMatchObject({ code: 7 });
});
