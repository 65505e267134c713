import { expect, test } from 'vitest';
import { brokenPromise } from '../../../src/check/simulation/promises.ts';
import type { JsonValue } from '../../../src/json.ts';
import type { Entry } from '../../../src/journal/port.ts';

const entry = (stream: string, seq: number, type: string, data: JsonValue = {}): Entry => ({
  v: 1,
  stream,
  seq,
  epoch: 1,
  at: 1_767_225_600_000,
  type,
  data,
});
const settled = { member: 'a', incarnation: 1 };
const kept = [
  entry('run', 1, 'run.started'),
  entry('group:g', 1, 'group.created'),
  entry('group:g', 2, 'member.settled', settled),
  entry('group:g', 3, 'member.settled', { member: 'a', incarnation: 2 }),
  entry('group:g', 4, 'checkpoint', { effect: 'g/half' }),
  entry('group:g', 5, 'checkpoint', {}),
  entry('group:g', 6, 'checkpoint', {}),
  entry('group:g', 7, 'group.ended'),
  entry('group:h', 1, 'member.settled', settled),
  entry('run', 2, 'run.ended'),
];
const acknowledged = new Map([['group:g:2', JSON.stringify(settled)]]);

test('a journal that keeps every promise is told nothing', () => {
  expect(brokenPromise(kept, acknowledged)).toBeUndefined();
});

const rest = kept.slice(2);
test.each<[string, readonly Entry[], string]>([
  [
    'an entry missing',
    kept.filter(({ stream, seq }) => stream !== 'group:g' || seq !== 4),
    'group:g: entry 5 follows entry 3',
  ],
  ['an entry twice', [...kept.slice(0, 2), ...kept.slice(1)], 'group:g: entry 1 follows entry 1'],
  [
    'settled twice',
    [...kept.slice(0, 3), entry('group:g', 3, 'member.settled', settled)],
    'group:g, entry 3: member a is settled twice',
  ],
  [
    'settled after the end',
    [...kept, entry('group:g', 8, 'member.settled', { member: 'b', incarnation: 1 })],
    'group:g, entry 8: member b is settled after its group has ended',
  ],
  [
    'an effect twice',
    [...kept.slice(0, 7), entry('group:g', 7, 'checkpoint', { effect: 'g/half' })],
    'group:g, entry 7: effect g/half is recorded twice',
  ],
  ['two ends of a group', [...kept, entry('group:g', 8, 'group.ended')], 'group:g, entry 8: the group ends twice'],
  ['two ends of the run', [...kept, entry('run', 3, 'run.ended')], 'the run ends 2 times'],
  ['an acknowledged entry lost', kept.slice(0, 2), 'group:g:2 was acknowledged and is lost'],
  [
    'an acknowledged entry changed',
    [...kept.slice(0, 2), entry('group:g', 2, 'member.settled', { member: 'b', incarnation: 1 }), ...rest.slice(1)],
    'group:g:2 was acknowledged as {"member":"a","incarnation":1} and is now {"member":"b","incarnation":1}',
  ],
])('%s is told', (_, entries, sentence) => {
  expect(brokenPromise(entries, acknowledged)).toBe(sentence);
});
