/** What others record in a run that `troupe babysit` drives, and that nothing of its own would make it look at. */
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openRunFolder } from 'troupe/babysitter';
import { lastJson, patience } from '../cli/support.ts';
import { playedProject, type PlayedProject } from './played-sdk.ts';

/** Drives the run, and calls `meanwhile` when its question is open. */
async function driven(it: PlayedProject, meanwhile: (effectId: string) => Promise<unknown>) {
  const end = it.troupe(...it.babysit, '--json');
  const data = `${it.dir}/troupe`;
  const shown = async () => (await it.troupe('show', 'effects', '--data', data, '--json')).stdout;
  await expect.poll(shown, patience).toContain('Ship it?');
  const [effectId = ''] = openRunFolder(it.dir).index().effects.keys();
  await meanwhile(effectId);
  const { code, stdout } = await end;
  return { code, said: JSON.parse(stdout) as unknown };
}

test('an effect that somebody else resolves while nothing else moves lets the run go on', async () => {
  const it = await playedProject([{ label: 'ship', asks: 'Ship it?' }]);
  const ended = await driven(it, (effectId) =>
    openRunFolder(it.dir).commit(effectId, { status: 'ok', value: 'by hand' }),
  );
  expect(ended).toEqual({ code: 0, said: { status: 'completed', output: ['by hand'] } });
});

test('a run that somebody else ends has ended', async () => {
  const it = await playedProject([{ label: 'ship', asks: 'Ship it?' }]);
  const error = { name: 'Error', message: 'no more' };
  const ended = await driven(it, () => openRunFolder(it.dir).append([{ type: 'RUN_FAILED', data: { error } }]));
  expect(ended).toEqual({ code: 1, said: { status: 'failed', error } });
});

test('who drives a run that is driven is told of that run, and by whom', async () => {
  const it = await playedProject([{ label: 'ship', asks: 'Ship it?' }]);
  await driven(it, async (effectId) => {
    const { code, stderr } = await it.troupe(...it.babysit);
    expect(stderr).toMatch(/^RUN_BUSY: run run-1 is driven by another troupe babysit: process \d+ on \S+\.$/m);
    expect(code).toBe(3);
    await openRunFolder(it.dir).commit(effectId, { status: 'ok', value: 1 });
  });
});

test('a run directory that cannot be written any more is trouble with the disk, and goes on when it can', async () => {
  const tasks = '.a5c/runs/run-1/tasks';
  const it = await playedProject([{ label: 'held', command: `rm -rf ${tasks}; touch ${tasks}; echo held` }]);
  const ended = await it.troupe(...it.babysit, '--json');
  expect(ended.code).toBe(6);
  expect(lastJson(ended)).toMatchObject({ error: { code: 'JOURNAL_IO', exitCode: 6 } });
  rmSync(it.path(tasks));
  expect(await it.troupe(...it.babysit, '--json')).toMatchObject({ code: 0 });
});
