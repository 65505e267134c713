/** What of a group's own journal stands in its run's journal, however often it is told. */
import { expect, test } from 'vitest';
import { entriesOf } from '../../src/babysitter/as-journal.ts';
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

test('an answer at a gate is told as that answer alone, and not as what is heard of it, too', async () => {
  const runDir = await newRunDir(temporary());
  const event = { type: 'approved', gate: 'ship', note: '', by: 'me' };
  const to = { address: 'fix', incarnation: 1 };
  await mirrored(runDir, [
    [5, 'gate.answered', { name: 'fix/ship', approved: true, note: '', by: 'me' }],
    [6, 'signal', { id: 'gate 3:0', from: 'me', event, to }],
    [7, 'signal', { id: 'go', from: 'me', event: { type: 'go' } }],
  ]);
  expect(eventsIn(runDir, 'eventId')).toEqual(['gate:fix/ship', 'signal:go']);
});

test('a group that is called as the one that stands for all effects is another one', async () => {
  const runDir = await newRunDir(temporary());
  const folder = openRunFolder(runDir);
  const effect = { effectId: 'e1', invocationKey: 'k', taskId: 't', kind: 'shell', label: 'say' };
  const of = { group: 'effects', groupId: 'grp_1' };
  await folder.append([
    { type: 'EFFECT_REQUESTED', data: effect },
    { type: 'GROUP_CREATED', data: { ...of, machine: { id: 'fan-out', version: '1' } } },
    { type: 'GROUP_ENDED', data: { ...of, end: { status: 'completed', output: null } } },
    { type: 'EFFECT_RESOLVED', data: { effectId: 'e1', status: 'ok', resultRef: '' } },
  ]);
  const entries = entriesOf(runDir, folder.events()).filter(({ stream }) => stream !== 'run');
  expect(entries.map(({ stream, seq, type }) => `${stream} ${seq} ${type}`)).toEqual([
    'group:effects 1 group.created',
    'group:effects 2 attempt.started',
    'group:effects (group) 1 group.created',
    'group:effects (group) 2 group.ended',
    'group:effects 3 member.settled',
  ]);
});
