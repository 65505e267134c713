/** What of a group's own journal stands in its run's journal, however often it is told. */
import { expect, test } from 'vitest';
import { mirrorOf } from '../../src/babysitter/mirror.ts';
import { openRunFolder } from '../../src/babysitter/run/run-folder.ts';
import type { JsonValue } from '../../src/json.ts';
import { newRunDir, temporary } from './place.ts';

type Fact = readonly [seq: number, type: string, data: JsonValue];

async function mirrored(runDir: string, facts: readonly Fact[]): Promise<void> {
  const folder = openRunFolder(runDir);
  const mirror = mirrorOf({ folder, name: 'g', groupId: 'grp_1', created: {}, spill: (value) => value });
  for (const [seq, type, data] of facts) mirror.take({ v: 1, stream: 'group:g', seq, at: 1, epoch: 1, type, data });
  await mirror.flushed();
}

const eventsIn = (runDir: string, field: string) =>
  openRunFolder(runDir)
    .events()
    .slice(1)
    .map(({ data }) => data[field]);

test('marks of one name and count that say something else are marks of their own; the same one is one', async () => {
  const runDir = await newRunDir(temporary());
  const mark = (seq: number, more: object): Fact => [
    seq,
    'checkpoint',
    { name: 'round', settled: 0, total: 0, ...more } as JsonValue,
  ];
  const marks = [mark(2, {}), mark(3, { data: 1 }), mark(4, { data: 2 }), mark(5, { reason: 'late' }), mark(6, {})];
  await mirrored(runDir, marks);
  await mirrored(runDir, marks);
  expect(eventsIn(runDir, 'data')).toEqual([undefined, 1, 2, undefined]);
});

test('each answer at a gate is recorded once, also when its entry has another place in a journal made again', async () => {
  const runDir = await newRunDir(temporary());
  const answer = (seq: number, approved: boolean): Fact => [
    seq,
    'gate.answered',
    { name: 'ship', approved, note: '', by: 'me' },
  ];
  await mirrored(runDir, [answer(5, false), answer(9, false), answer(12, true)]);
  await mirrored(runDir, [answer(3, false), answer(5, false), answer(7, true)]);
  expect(eventsIn(runDir, 'approved')).toEqual([false, false, true]);
});
