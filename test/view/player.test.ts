/** The page's cursor: over a run that grows, over one that stands in a file, and over one that cannot be had. */
import { expect, test } from 'vitest';
import type { Frame, ViewState, Window } from '../../src/view/model.ts';
import { player } from '../../src/view/page/player.ts';
import { exported, type DataSource, type PageOverview, type Pulse } from '../../src/view/page/source.ts';
import { emptyView } from '../../src/view/reduce.ts';

const frame = (position: number): Frame => ({
  position,
  stream: 'run',
  seq: position,
  atMs: position,
  type: 'log',
  who: '',
  summary: '',
  deliveries: [],
  causes: [],
  patches: [{ op: 'replace', path: ['position'], value: position }],
  inverse: [{ op: 'replace', path: ['position'], value: position - 1 }],
});
const at = (position: number): ViewState => ({ ...emptyView('run'), position });
/** Entries `from` … `to`, with the state before them. */
const windowOf = (from: number, to: number): Window => ({
  base: at(from - 1),
  frames: Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => frame(from + index)),
});
const overviewOf = (entries: number, isLive = false): PageOverview => ({
  id: 'run',
  title: 'run',
  entries,
  isComplete: !isLive,
  isLive,
  firstMs: 1,
  lastMs: entries,
  charts: {},
  marks: [],
  marksHidden: 0,
  lane: { rows: [], loop: null, changesHidden: 0 },
  notices: [],
  canControl: [],
});

/** A living run of one window; `answers`: what is asked for waits until it is let through. */
function growing() {
  let entries = 2;
  let tell: (pulse: Pulse) => void = () => {};
  let lose = () => {};
  let waiting: (() => void)[] | undefined;
  let isGone = false;
  const source: DataSource = {
    start: 0,
    overview: () => Promise.resolve(overviewOf(entries, true)),
    window(from, to) {
      if (isGone) return Promise.reject(new Error('nobody answers'));
      const found = windowOf(from, Math.min(to, entries));
      return new Promise((resolve) => {
        if (waiting === undefined) resolve(found);
        else waiting.push(() => resolve(found));
      });
    },
    entry: () => Promise.reject(new Error('not asked for here')),
    why: () => Promise.resolve([]),
    follow(changed, lost) {
      tell = changed;
      lose = lost;
      return () => {};
    },
    differences: () => Promise.resolve([]),
    choices: () => Promise.resolve([]),
    act: () => Promise.resolve(''),
  };
  return {
    source,
    grow(to: number) {
      entries = to;
      tell(overviewOf(to, true));
    },
    hold() {
      waiting = [];
    },
    /** Lets the oldest answer through; false when none waits. */
    answer: () => {
      const next = waiting?.shift();
      next?.();
      return next !== undefined;
    },
    waits: () => waiting?.length ?? 0,
    end() {
      isGone = true;
      lose();
    },
  };
}

test('a run that grows while its entries are on their way here is followed to its end', async () => {
  const run = growing();
  const cursor = await player(run.source);
  run.hold();
  run.grow(3);
  await expect.poll(run.waits).toBe(1);
  run.grow(5);
  await expect.poll(() => cursor.shown().overview.entries).toBe(5);
  // What was asked for when there were three, and then what has come since.
  run.answer();
  await expect.poll(run.answer).toBe(true);
  await expect.poll(() => cursor.shown().state.position).toBe(5);
  expect(cursor.shown().isLoading).toBe(false);
});

test('a server that is gone is told, and told no more when it is back; the cursor stays where it can be', async () => {
  const run = growing();
  const cursor = await player(run.source);
  await cursor.go(1);
  expect(cursor.shown().trouble).toBe('');
  run.end();
  expect(cursor.shown().trouble).toContain('cannot be reached');
  run.grow(700);
  expect(cursor.shown().trouble).toBe('');
  await expect.poll(() => cursor.shown().overview.entries).toBe(700);
  await cursor.go(650);
  expect(cursor.shown()).toMatchObject({ state: { position: 1 }, isLoading: false });
  expect(cursor.shown().trouble).toContain('nobody answers');
  expect(await cursor.frames(501, 700)).toEqual([]);
  expect(await cursor.find(1, ({ position }) => position > 600)).toBeUndefined();
});

test('the end of a large run in a file: each position is that one, and what is before is not asked for', async () => {
  const source = exported({ overview: overviewOf(6_627), window: windowOf(1_628, 6_627), entries: [] });
  const cursor = await player(source);
  for (const position of [6_627, 6_000, 1_628, 3_210, 2_000, 2_001, 1_627, 1_700, 6_626]) {
    await cursor.go(position);
    expect(cursor.shown()).toMatchObject({ state: { position }, isLoading: false });
    expect(cursor.shown().frame?.position).toBe(position === 1_627 ? undefined : position);
  }
  await cursor.go(3);
  expect(cursor.shown()).toMatchObject({ start: 1_627, state: { position: 1_627 } });
  expect((await cursor.frames(1, 2_200)).map(({ position }) => position)).toEqual(
    Array.from({ length: 573 }, (_, index) => 1_628 + index),
  );
  expect(await cursor.find(1, ({ position }) => position >= 4_000)).toBe(4_000);
  expect(await cursor.find(-1, () => true)).toBeUndefined();
});
