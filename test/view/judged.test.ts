/** The property lane in the viewer: what a counterexample's journal says of properties, at each position, forward and back. */
import { applyPatches, enablePatches } from 'immer';
import { expect, test } from 'vitest';
import type { Entry } from 'troupe';
import { check, writeCounterexample } from 'troupe/check';
import { memoryStore } from 'troupe/journal';
import { divergences, lanesFrom } from '../../src/view/divergence.ts';
import type { Judged, ViewState } from '../../src/view/model.ts';
import { recording, type Recording } from '../../src/view/recording.ts';
import { effectGroupProtocol } from '../check/models/effect-group.ts';

enablePatches();

async function counterexample(): Promise<readonly Entry[]> {
  const model = effectGroupProtocol(2, {
    faults: { hostCrash: 1 },
    properties: {
      always: { neverSecond: (s) => !(s.members['m1']?.attempt === 2 && s.context.reported['m2'] === true) },
      sometimes: { neverSecond: (s) => s.context.reported['m2'] === true },
      eventually: { ends: (s) => s.status !== 'active' },
    },
  });
  const [violation] = (await check(model)).violations;
  if (violation === undefined) throw new Error('it holds');
  const store = memoryStore();
  await writeCounterexample(model, violation, { store, run: 'r' });
  const journal = await store.open('r');
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  return entries;
}

function viewed(entries: readonly Entry[], keyframeEvery = 1_000): Recording {
  const source = { read: (from: number, count: number) => Promise.resolve(entries.slice(from - 1, from - 1 + count)) };
  const view = recording({ id: 'r', source, keyframeEvery, definitionOf: () => undefined });
  view.add(entries);
  return view;
}

const all = await counterexample();
const at = (type: string) => all.findIndex((entry) => entry.type === type) + 1;
/** `always a holds`, in order. */
const texts = ({ properties }: Judged) =>
  Object.values(properties).map(({ name, kind, state }) => `${kind} ${name} ${state}`);
/** An entry after the last. */
const after = (last: Entry, type: string, data: object): Entry =>
  ({ ...last, seq: last.seq + 1, type, data }) as unknown as Entry;

test('at each position the properties are as they were told up to there', async () => {
  const view = viewed(all);
  const first = at('check.properties');
  expect(texts((await view.stateAt(first - 1)).judged)).toEqual([]);
  const own = ['always neverSecond holds', 'sometimes neverSecond unmet', 'eventually ends pending'];
  expect(texts((await view.stateAt(first)).judged).slice(0, 3)).toEqual(own);
  // Two of one name are told apart by their kind.
  expect(texts((await view.stateAt(at('check.fault'))).judged).slice(0, 3)).toEqual([
    'always neverSecond holds',
    'sometimes neverSecond met',
    'eventually ends pending',
  ]);
  const { judged } = view.last();
  expect(texts(judged).slice(0, 2)).toEqual(['always neverSecond violated', 'sometimes neverSecond met']);
  expect(judged.isOver).toBe(true);
  expect(judged.properties['always neverSecond']?.since).toBe(all.length - 1);
});

test('forward and back by patches they are the same as from any keyframe', async () => {
  const [one, many] = [viewed(all, 1), viewed(all)];
  const { base, frames } = await many.window(1, all.length);
  const move = (state: ViewState, patches: readonly unknown[]) => applyPatches(state, patches as never);
  let state = base;
  for (const { position, patches } of frames) {
    state = move(state, patches);
    expect(state.judged, `position ${position}`).toEqual((await one.stateAt(position)).judged);
  }
  expect(texts(state.judged)).toContain('always neverSecond violated');
  for (const { position, inverse } of [...frames].reverse()) {
    state = move(state, inverse);
    expect(state.judged, `back to ${position - 1}`).toEqual((await one.stateAt(position - 1)).judged);
  }
  expect(state.judged.properties).toEqual({});
});

test('the lane has a row for each, with the places where it changes', () => {
  const { lane, marks } = viewed(all).overview();
  expect(lane.rows.map(({ name, kind, changes }) => [kind, name, ...changes.map(({ state }) => state)])).toEqual([
    ['always', 'neverSecond', 'holds', 'violated'],
    ['sometimes', 'neverSecond', 'unmet', 'met'],
    ['eventually', 'ends', 'pending'],
    ['deadlock', 'noDeadlock', 'holds'],
    ...['settledAtMostOnce', 'noUnhandled', 'noStaleTimer', 'replayDeterminism'].map((name) => [
      'finding',
      name,
      'holds',
    ]),
  ]);
  expect(lane.rows[0]?.changes).toEqual([
    { position: at('check.properties'), state: 'holds' },
    { position: all.length - 1, state: 'violated' },
  ]);
  expect(lane).toMatchObject({ loop: null, changesHidden: 0 });
  expect(marks.filter(({ kind }) => kind === 'violation').map(({ position }) => position)).toEqual([all.length]);
});

test('an older counterexample, which says nothing of properties, opens with the violated one alone', () => {
  const old = all.filter(({ type }) => type !== 'check.properties');
  const view = viewed(old);
  expect(texts(view.last().judged)).toEqual(['always neverSecond violated']);
  expect(view.overview().lane.rows).toMatchObject([{ changes: [{ position: old.length, state: 'violated' }] }]);
});

test('a run that is no counterexample has no lane', () => {
  const view = viewed(all.filter(({ type }) => !type.startsWith('check.')));
  expect(view.last().judged.properties).toEqual({});
  expect(view.overview().lane).toEqual({ rows: [], loop: null, changesHidden: 0 });
});

test('where a host has gone on from a counterexample, nobody knows any more', async () => {
  const more = [...all, after(all.at(-1) as Entry, 'member.progress', { member: 'm1' })];
  for (const view of [viewed(more), viewed(more, 1)]) {
    expect(new Set(Object.values(view.last().judged.properties).map(({ state }) => state))).toEqual(
      new Set(['unknown']),
    );
    expect(texts((await view.stateAt(all.length)).judged)).toContain('always neverSecond violated');
    expect(view.overview().lane.rows[0]?.changes.at(-1)).toEqual({ position: more.length, state: 'unknown' });
  }
});

test('the stretch that repeats is told', () => {
  const [created, ...rest] = all.slice(2) as [Entry, ...Entry[]];
  const loop = after(created, 'check.loop', { property: 'ends', steps: 2 });
  const { lane } = viewed([...all.slice(0, 2), created, loop, ...rest]).overview();
  expect(lane.loop).toEqual({ from: 4, to: all.length + 1 });
});

test('whatever stands in the entries, and whatever properties are called, the lane opens', async () => {
  const last = all.at(-1) as Entry;
  const names = ['__proto__', 'constructor', '<img src=x onerror=alert(1)>', '~'];
  const kind = 'always';
  const odd = [
    { states: names.map((property) => ({ property, kind, state: 'holds' })) },
    { states: [null, 1, {}, { property: 7 }, { property: 'a' }, { property: 'b', kind, state: 'hopes' }] },
    { states: 'none' },
    { states: Array.from({ length: 6_000 }, (_, index) => ({ property: `p${index}`, kind, state: 'holds' })) },
  ].map((data) => after(last, 'check.properties', data));
  const more = [...all.slice(0, -1), ...odd, after(last, 'check.violated', {})];
  for (const view of [viewed(more), viewed(more, 1)]) {
    const { judged } = view.last();
    expect(texts(judged)).toEqual(expect.arrayContaining(names.map((name) => `always ${name} holds`)));
    expect(texts(judged)).toEqual(expect.arrayContaining([' a unknown', 'always b unknown']));
    expect(Object.keys(judged.properties).length).toBeLessThanOrEqual(200);
    expect((Object.prototype as { readonly name?: unknown }).name).toBeUndefined();
    expect(await view.stateAt(more.length - 1)).toMatchObject({ position: more.length - 1 });
  }
});

test('two runs that do the same are the same, whether or not one says what was judged', async () => {
  const lanes = await Promise.all(
    [all, all.filter(({ type }) => type !== 'check.properties')].map(async (entries) => {
      const from = lanesFrom();
      from.add((await viewed(entries).window(1, entries.length)).frames);
      return from.lanes;
    }),
  );
  expect(divergences(lanes[0] as never, lanes[1] as never)).toEqual([]);
});
