/** The viewer's recording: the same state at a position by whatever way, forward and back; every frame says why. */
import { applyPatches, enablePatches } from 'immer';
import { expect, test } from 'vitest';
import { defineProcess, type Entry, type Process } from 'troupe';
import { fanOut } from 'troupe/machines';
import { define } from '../../src/group/definition.ts';
import { openRecording } from '../../src/view/open-recording.ts';
import { recording } from '../../src/view/recording.ts';
import { backSlice } from '../../src/view/causes.ts';
import type { ViewState } from '../../src/view/model.ts';
import { finished, stage, type Stage } from '../support/running.ts';

enablePatches();

const members = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `m${index}`, prompt: `do ${index}`, retry: { attempts: 2 } }));

const process = defineProcess('seen', async (ctx) => {
  const work = ctx.group('work', fanOut, { members: members(5), concurrency: 2, checkpointEvery: 2 });
  const { failed } = await work.output;
  return failed.length;
});

async function played(): Promise<Stage> {
  const broken = (member: string) =>
    ({ status: 'error', class: 'failed', error: { name: 'E', message: `${member} broke` } }) as const;
  const played = stage(process as Process<never, unknown>, {
    'm1': broken('m1'),
    'm3': [broken('m3'), { status: 'ok', output: { by: 'm3' } }],
    '*': { status: 'ok', output: 'fine' },
  });
  await finished(played);
  return played;
}

async function opened(
  stage: Stage,
  options: { keyframeEvery?: number; process?: Process<never, unknown> | undefined } = {},
) {
  const journal = await stage.store.open('run');
  const opened = openRecording({ journal, process: stage.process, ...options });
  await opened.refresh();
  return opened;
}

const apply = (state: ViewState, patches: readonly unknown[]): ViewState => applyPatches(state, patches as never);

test('the state at a position is the same from every keyframe, by patches forward and by patches back', async () => {
  const stage = await played();
  const one = await opened(stage, { keyframeEvery: 1 });
  const many = await opened(stage, { keyframeEvery: 7 });
  const none = await opened(stage, { keyframeEvery: 100_000 });
  const { length } = one.recording;
  expect(length).toBeGreaterThan(20);
  const { base, frames } = await none.recording.window(1, length);
  let forward = base;
  for (const frame of frames) {
    forward = apply(forward, frame.patches);
    const expected = await one.recording.stateAt(frame.position);
    expect(forward, `position ${frame.position} by patches`).toEqual(expected);
    expect(await many.recording.stateAt(frame.position), `position ${frame.position} from a keyframe`).toEqual(
      expected,
    );
  }
  let back = forward;
  for (const frame of [...frames].reverse()) {
    expect(back.position).toBe(frame.position);
    back = apply(back, frame.inverse);
  }
  expect(back).toEqual(base);
});

test('a member is told as its ledger has it, with attempts, output and error; the coordinator as its machine is', async () => {
  const { recording } = await opened(await played());
  const state = await recording.stateAt(recording.length);
  const { work } = state.groups;
  expect(state.run).toMatchObject({ process: 'seen', status: 'completed', end: 'completed 1' });
  expect(work).toMatchObject({ status: 'completed', machine: 'fan-out', spend: { attempts: 7 } });
  expect(work?.members['m3']).toMatchObject({
    status: 'completed',
    attempt: 2,
    output: '{"by":"m3"}',
    attempts: [
      { attempt: 1, end: 'failed' },
      { attempt: 2, end: 'ok' },
    ],
  });
  expect(work?.members['m1']).toMatchObject({ status: 'failed', error: 'm1 broke' });
  expect(work?.actors['']).toMatchObject({
    active: ['fan-out', 'fan-out.done'],
    status: 'done',
    visits: { 'fan-out.done': 1 },
    lastTransitions: ['fan-out.working/xstate.error.actor.*/2', 'fan-out.working//0'],
  });
  const { charts, marks } = recording.overview();
  expect(Object.values(charts).map(({ id }) => id)).toEqual(['fan-out']);
  expect(marks.filter(({ kind }) => kind === 'checkpoint')).toHaveLength(work?.checkpoints.length ?? 0);
});

test('in the middle of a run the coordinator is in the middle of its work', async () => {
  const { recording } = await opened(await played());
  const { frames } = await recording.window(1, recording.length);
  const settled = frames.find(({ type }) => type === 'member.settled')?.position ?? 0;
  const state = await recording.stateAt(settled);
  expect(state.groups['work']?.actors['']).toMatchObject({ active: ['fan-out', 'fan-out.working'], isRunning: true });
  expect(state.groups['work']?.actors['']?.lastEvents.at(-1)).toMatch(/^xstate\.(done|error)\.actor\./);
  expect(state.run.status).toBe('active');
});

test('every entry of a group says what it follows from, and the slice back ends at the run', async () => {
  const { recording } = await opened(await played());
  const { frames } = await recording.window(1, recording.length);
  const typeAt = (position: number) => frames[position - 1]?.type;
  for (const { position, type, causes } of frames) {
    for (const cause of causes) expect(cause.position).toBeLessThan(position);
    if (type === 'attempt.started')
      expect(causes.map(({ position: at }) => typeAt(at))).toContain(
        causes.length > 1 ? 'attempt.failed' : typeAt(causes[0]?.position ?? 0),
      );
    if (type === 'member.settled') expect(causes.map(({ position: at }) => typeAt(at))).toEqual(['attempt.started']);
  }
  const last = frames.find(({ type, summary }) => type === 'member.settled' && summary.startsWith('m3'));
  const slice = backSlice(last?.position ?? 0, (position) => recording.causesOf(position));
  const types = slice.map(typeAt);
  expect(types[0]).toBe('run.created');
  expect(types).toContain('attempt.failed');
  expect(types.at(-1)).toBe('member.settled');
  // Of the others only what let m3 begin.
  expect(slice.length).toBeLessThan(frames.length);
});

test('without its process a run is shown without machines, and says so', async () => {
  const one = await opened(await played(), { process: undefined });
  const state = await one.recording.stateAt(one.recording.length);
  expect(Object.keys(state.groups['work']?.members ?? {})).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  expect(state.groups['work']?.actors).toEqual({});
  expect(one.notices).toEqual(['machines are not shown: no process file was found for this run']);
});

test('that it is shown without machines is said once, however many groups come', async () => {
  const several = defineProcess('several', async (ctx) => {
    for (const name of ['one', 'two', 'three']) await ctx.group(name, fanOut, { members: members(1) }).output;
  });
  const gone = stage(several as Process<never, unknown>, { '*': { status: 'ok', output: 'fine' } });
  await finished(gone);
  const journal = await gone.store.open('run');
  const all: Entry[] = [];
  for await (const entries of journal.read()) all.push(...entries);
  const growing = openRecording({
    journal: {
      ...journal,
      run: 'run',
      async *read() {
        for (const entry of all) yield [entry];
      },
    },
  });
  await growing.refresh();
  expect(Object.keys((await growing.recording.stateAt(all.length)).groups)).toEqual(['one', 'two', 'three']);
  expect(growing.notices).toEqual(['machines are not shown: no process file was found for this run']);
});

test('what comes later is added, and nothing is read twice', async () => {
  const stage = await played();
  const journal = await stage.store.open('run');
  const all: Entry[] = [];
  for await (const entries of journal.read()) all.push(...entries);
  let there = 0;
  const growing = openRecording({
    journal: {
      ...journal,
      run: 'run',
      async *read() {
        yield all.slice(0, there);
      },
    },
    process: stage.process,
    keyframeEvery: 3,
  });
  for (; there <= all.length; there += 4) await growing.refresh();
  there = all.length;
  await growing.refresh();
  expect(await growing.refresh()).toBe(0);
  const whole = await opened(stage);
  const { length } = whole.recording;
  expect(growing.recording.length).toBe(length);
  expect(await growing.recording.stateAt(length)).toEqual(await whole.recording.stateAt(length));
  expect(await growing.recording.window(5, 12)).toEqual(await whole.recording.window(5, 12));
});

test('a window is clipped to what is there', async () => {
  const { recording } = await opened(await played());
  expect((await recording.window(-5, 3)).frames.map(({ position }) => position)).toEqual([1, 2, 3]);
  expect((await recording.window(recording.length, recording.length + 9)).frames).toHaveLength(1);
  expect((await recording.window(recording.length + 1, recording.length + 9)).frames).toEqual([]);
  expect((await recording.stateAt(0)).groups).toEqual({});
});

test('a machine that cannot be shown from an entry on is shown before it, and gone from there, by whatever way', async () => {
  const journal = await (await played()).store.open('run');
  const all: Entry[] = [];
  for await (const entries of journal.read()) all.push(...entries);
  const half = all.findIndex(({ stream, type }) => stream === 'group:work' && type === 'member.settled') + 1;
  const { seq, at, epoch } = all[half - 1] as Entry;
  const to = { id: 'unheard-of', version: '9' };
  const data = { from: to, to, how: 'state', input: null, system: null, mail: [], asks: [] };
  const odd: Entry = { v: 1, stream: 'group:work', seq: seq + 1, at, epoch, type: 'group.migrated', data };
  const entries = [...all.slice(0, half), odd, ...all.slice(half)];
  const views = [1, 7, 100_000].map((keyframeEvery) => {
    const source = {
      read: (from: number, count: number) => Promise.resolve(entries.slice(from - 1, from - 1 + count)),
    };
    const view = recording({ id: 'run', source, keyframeEvery, definitionOf: () => define(fanOut) });
    view.add(entries);
    return view;
  });
  for (let position = 0; position <= entries.length; position += 1) {
    const [one, ...others] = await Promise.all(views.map((view) => view.stateAt(position)));
    for (const other of others) expect(other, `position ${position}`).toEqual(one);
    if (position === half) expect(one?.groups['work']?.actors['']).toMatchObject({ status: 'active' });
    if (position > half) expect(one?.groups['work']?.actors, `position ${position}`).toEqual({});
  }
  for (const view of views) {
    expect(view.overview().notices).toEqual([expect.stringContaining(`not shown from entry ${half + 1} on`)]);
    const { base, frames } = await view.window(half, entries.length);
    expect(base.groups['work']?.actors['']).toMatchObject({ status: 'active' });
    expect(frames.reduce((state, { patches }) => apply(state, patches), base).groups['work']?.actors).toEqual({});
  }
});

test('of two transitions of one event that only act, the one is told whose guard let it through', async () => {
  const { recording: view } = await opened(await played());
  const { frames } = await view.window(1, view.length);
  const told = new Map<string, readonly string[]>();
  for (const { position, type, who } of frames) {
    const state = await view.stateAt(position);
    const actor = state.groups['work']?.actors[''];
    if (type === 'member.settled' && actor !== undefined) told.set(who, actor.lastTransitions);
  }
  // None of them is a background member, which the first transition of each event is for.
  const done = ['fan-out.working/xstate.done.actor.*/1'];
  expect(told.get('m0')).toEqual(done);
  expect(told.get('m3')).toEqual(done);
  expect(told.get('m1')).toEqual(['fan-out.working/xstate.error.actor.*/2', 'fan-out.working//0']);
});

test('a run that was removed and begun anew under its name is not taken for more of the first', async () => {
  const [before, after] = [await played(), await played()];
  const [one, other] = [await before.store.open('run'), await after.store.open('run')];
  let now = one;
  const read: typeof one.read = (...given) => now.read(...given);
  const open = openRecording({ journal: { ...one, run: 'run', read }, process: before.process });
  await open.refresh();
  const { length } = open.recording;
  expect(await open.refresh()).toBe(0);
  now = {
    ...other,
    async *read() {
      for await (const entries of other.read()) yield entries.map((entry) => ({ ...entry, at: entry.at + 60_000 }));
    },
  };
  await expect(open.refresh()).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  expect(open.recording.length).toBe(length);
});
