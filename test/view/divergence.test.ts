/** Two runs side by side, and places to watch. */
import { expect, test } from 'vitest';
import { divergences, lanesFrom } from '../../src/view/divergence.ts';
import type { Frame, ViewState } from '../../src/view/model.ts';
import { pathOf, touches, valueAt } from '../../src/view/page/watch-path.ts';

const frame = (position: number, who: string, type: string, summary = ''): Frame => ({
  position,
  stream: who === 'process' ? 'run' : 'group:work',
  seq: position,
  atMs: position * 1_000,
  type,
  who,
  summary,
  deliveries: [],
  causes: [],
  patches: [],
  inverse: [],
});

const lanes = (...frames: readonly Frame[]) => {
  const found = lanesFrom();
  found.add(frames);
  return found.lanes;
};

test('another interleaving of members that know nothing of each other is no difference, nor are times and ids', () => {
  const one = lanes(
    frame(1, 'a', 'attempt.started'),
    frame(2, 'b', 'attempt.started'),
    frame(3, 'a', 'member.settled', 'a ok 1 in 23 ms, 2be2e77e93814908'),
  );
  const other = lanes(
    frame(1, 'b', 'attempt.started'),
    frame(2, 'a', 'attempt.started'),
    frame(3, 'a', 'member.progress'),
    frame(4, 'a', 'member.settled', 'a ok 1 in 45 ms, 98814908aa00bbcc'),
  );
  expect(divergences(one, other)).toEqual([]);
});

test('where two runs part is told for each actor, the earliest first, with what either says', () => {
  const one = lanes(
    frame(1, 'a', 'attempt.started'),
    frame(2, 'a b', 'attempt.started'),
    frame(3, 'a', 'member.settled', 'a ok 1'),
    frame(4, 'a b', 'member.settled', 'ok'),
  );
  const other = lanes(
    frame(1, 'a', 'attempt.started'),
    frame(2, 'a b', 'attempt.started'),
    frame(3, 'a', 'attempt.failed', 'a broke'),
  );
  expect(divergences(one, other)).toEqual([
    {
      stream: 'group:work',
      who: 'a',
      one: 3,
      other: 3,
      oneSays: 'member.settled a ok 1',
      otherSays: 'attempt.failed a broke',
    },
    {
      stream: 'group:work',
      who: 'a b',
      one: 4,
      other: undefined,
      oneSays: 'member.settled ok',
      otherSays: 'nothing more',
    },
  ]);
});

const state = {
  position: 3,
  run: { status: 'active' },
  groups: {
    'work': {
      members: { 'a.ts': { status: 'running' }, '~constructor': { status: 'odd' } },
      actors: { '': { context: { open: ['x', 'y'], of: { 'a.b': 1 } } } },
    },
    '~constructor': { status: 'active', actors: { '': { context: { open: 5 } } } },
  },
} as unknown as ViewState;

test.each([
  ['run.status', 'active'],
  ['work.open.length', 2],
  ['work.open.1', 'y'],
  ['work.of."a.b"', 1],
  ['groups.work.members."a.ts".status', 'running'],
  ['groups.work.members.constructor.status', 'odd'],
  ['groups.constructor.status', 'active'],
  ['groups.work.actors."".context.open.0', 'x'],
  ['constructor.open', 5],
  ['work.nothing.here', undefined],
  ['work.open.constructor', undefined],
  ['toString', undefined],
])('%s is %j', (expression, value) => {
  expect(valueAt(state, pathOf(expression, state) ?? ['none'])).toEqual(value);
});

test('an empty expression is none', () => {
  expect(pathOf('  ', state)).toBeUndefined();
});

test('a frame touches a place when it changes it, what is in it, or what it is in', () => {
  const changing = (...path: readonly (number | string)[]): Frame => ({
    ...frame(1, 'a', 'x'),
    patches: [{ op: 'replace', path, value: 1 }],
  });
  const open = pathOf('work.open.length', state) ?? [];
  expect(touches(changing('groups', 'work', 'actors', '', 'context', 'open', 0), open)).toBe(true);
  expect(touches(changing('groups', 'work', 'actors', ''), open)).toBe(true);
  expect(touches(changing('groups', 'work', 'actors', '', 'context', 'of'), open)).toBe(false);
  expect(touches(changing('groups', 'other'), open)).toBe(false);
});
