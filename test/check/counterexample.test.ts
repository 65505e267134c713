/** A counterexample is a run like any other: it verifies, it can be read, and a host goes on with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import {
  coordinator,
  gate,
  isProcess,
  member,
  openRun,
  readRun,
  verifyRun,
  type Entry,
  type JournalStore,
} from 'troupe';
import { check, diagramOf, fail, ok, outcomes, protocol, writeCounterexample, type Protocol } from 'troupe/check';
import { scripted } from 'troupe/harness';
import { fileStore } from 'troupe/journal';
import { handClock } from '../support/hand-clock.ts';
import { effectGroupProtocol } from './models/effect-group.ts';

let folder: string;
let store: JournalStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-check-'));
  store = fileStore({ dir: folder });
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function written<Context, Output>(model: Protocol<Context, Output>, property: string) {
  const result = await check(model);
  const violation = result.violations.find((one) => one.property === property);
  if (violation === undefined) throw new Error(`${property} holds: ${JSON.stringify(result.violations)}`);
  const { run, entries } = await writeCounterexample(model, violation, { store, run: `check-${property}` });
  const journal = await store.open(run);
  const read: Entry[] = [];
  for await (const batch of journal.read()) read.push(...batch);
  await journal.close();
  expect(read).toHaveLength(entries);
  return { run, entries: read, violation };
}

const typesOf = (entries: readonly Entry[]) => entries.filter(({ stream }) => stream !== 'run').map(({ type }) => type);

/** Completed although a member had to be asked twice: meant to be found. */
const retried = () =>
  effectGroupProtocol(2, {
    faults: { hostCrash: 1, duplicate: 1 },
    properties: { always: { neverAfterARetry: (s) => !(s.status === 'completed' && s.context.retried) } },
  });

test('its entries are those that a host writes, and the last says what does not hold', async () => {
  const { entries, violation } = await written(retried(), 'neverAfterARetry');
  expect(violation.trace?.steps).toHaveLength(7);
  expect(entries.slice(0, 2).map(({ type }) => type)).toEqual(['run.created', 'epoch.taken']);
  expect(typesOf(entries)).toEqual([
    'group.created',
    'attempt.started',
    'attempt.started',
    'check.properties',
    'member.settled',
    'member.settled',
    'attempt.started',
    'member.settled',
    'group.ended',
    'check.properties',
    'check.violated',
  ]);
});

test('it verifies: checksums, sequence, and every recorded digest', async () => {
  const model = retried();
  const { run, entries } = await written(model, 'neverAfterARetry');
  const proof = await verifyRun({ store, run, process: model });
  expect(proof).toMatchObject({ run, entries: entries.length, groups: [{ name: model.name }] });
  expect(proof.groups[0]?.digests).toBeGreaterThan(3);
});

test('a machine that does something else by now no longer verifies', async () => {
  const { run } = await written(retried(), 'neverAfterARetry');
  const other = coordinator(
    setup({ actors: { member } }).createMachine({
      id: 'effectGroup',
      initial: 'on',
      states: {
        on: { invoke: { src: 'member', id: 'x', input: {}, onDone: 'off', onError: 'off' } },
        off: { type: 'final' },
      },
    }),
  );
  const model = protocol({ name: 'effect group of 2', coordinator: other, input: { members: ['m1', 'm2'] } });
  await expect(verifyRun({ store, run, process: model })).rejects.toThrow(/NONDETERMINISM/);
});

test('a crash of the host is another epoch, and what was under way is begun again', async () => {
  const model = effectGroupProtocol(1, {
    faults: { hostCrash: 1 },
    properties: { always: { neverSecond: (s) => s.members['m1']?.attempt !== 2 } },
  });
  const { entries } = await written(model, 'neverSecond');
  expect(typesOf(entries)).toEqual([
    'group.created',
    'attempt.started',
    'check.properties',
    'check.fault',
    'attempt.failed',
    'attempt.started',
    'check.properties',
    'check.violated',
  ]);
  expect(entries.filter(({ type }) => type === 'epoch.taken').map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(entries.find(({ type }) => type === 'check.fault')?.data).toMatchObject({ fault: 'host crashed' });
});

test('a duplicate is a second settlement, and becomes a dead letter', async () => {
  const model = effectGroupProtocol(2, {
    faults: { duplicate: 1 },
    members: { '*': outcomes(ok()) },
    properties: { always: { never: (s) => s.status !== 'completed' }, sometimes: {} },
  });
  const { entries } = await written(model, 'never');
  expect(typesOf(entries).filter((type) => type === 'member.settled')).toHaveLength(2);
  const violation = { property: 'x', kind: 'always', message: 'x' } as const;
  const settle = {
    type: 'settled',
    at: 'coordinator',
    from: 'm1',
    text: 'ok',
    data: { incarnation: 1, attempt: 1, outcome: { status: 'ok', output: null } },
  } as const;
  const steps = [
    { type: 'begin', at: 'coordinator', text: 'begins' },
    { ...settle, type: 'settled again', isFault: true },
    settle,
  ];
  const { run } = await writeCounterexample(model, { ...violation, trace: { steps } }, { store, run: 'twice' });
  expect(await verifyRun({ store, run, process: model })).toMatchObject({ run: 'twice' });
  const journal = await store.open('twice');
  const view = await readRun(journal);
  await journal.close();
  expect(view.groups.get(model.name)?.deadLetters).toBe(1);
});

test('timers, gates, and messages from outside are entries, too', async () => {
  const machine = coordinator(
    setup({
      types: {} as { context: { readonly n: number }; events: { readonly type: string } },
      actors: { member },
    }).createMachine({
      id: 'mixed',
      context: { n: 0 },
      entry: assign(({ spawn }) => {
        spawn('member', { id: 'a', input: { retry: { attempts: 2 } } });
        return {};
      }),
      initial: 'waiting',
      on: { 'xstate.done.actor.*': {}, 'xstate.error.actor.*': {} },
      states: {
        waiting: { after: { 5_000: 'asking' } },
        asking: { entry: gate({ name: 'go on', question: '?' }), on: { approved: 'told', rejected: 'told' } },
        told: { on: { word: 'last' } },
        last: {},
      },
    }),
  );
  const model = protocol({
    coordinator: machine,
    input: null,
    members: { a: outcomes(fail()) },
    messages: [{ type: 'word', data: { n: 1 } }],
    checks: { canAlwaysEnd: false, canAlwaysEndWithoutTimers: false, noDeadlock: false },
    properties: { always: { never: (s) => !s.matches('last') } },
  });
  const { run, entries } = await written(model, 'never');
  const types = typesOf(entries);
  for (const type of ['timer.fired', 'gate.opened', 'gate.answered', 'signal']) expect(types).toContain(type);
  await verifyRun({ store, run, process: model });
});

test('a host takes it up and goes on from where it ends', async () => {
  const model = effectGroupProtocol(2, {
    faults: { hostCrash: 1 },
    properties: {
      always: { neverSecond: (s) => !(s.members['m1']?.attempt === 2 && s.context.reported['m2'] === true) },
    },
  });
  const { run } = await written(model, 'neverSecond');
  const resumed = await openRun({
    store,
    run,
    process: model,
    harnesses: { model: scripted({ '*': ok('fine') }) },
    defaultHarness: 'model',
    clock: handClock(Date.UTC(2026, 0, 1) + 1_000),
  });
  expect(await resumed.drive()).toMatchObject({ status: 'completed' });
  await resumed.close();
  expect(await verifyRun({ store, run, process: model })).toMatchObject({ run });
});

test('whatever happens on a random walk, the real fold comes to what the model came to', async () => {
  const ended = { completed: 0, failed: 0 };
  for (let seed = 1; seed <= 12; seed += 1) {
    const model = effectGroupProtocol(3, {
      faults: { hostCrash: 2, memberCrash: 1, duplicate: 1, late: 1 },
      // With timers most walks end by one.
      timers: seed % 2 === 0 ? 'any' : 'none',
      properties: {
        always: { completed: (s) => s.status !== 'completed', failed: (s) => s.status !== 'failed' },
      },
    });
    const result = await check(model, { strategy: { random: { seed, walks: 50, steps: 60 } } });
    const [violation] = result.violations;
    if (violation === undefined) throw new Error(`seed ${seed}: no walk came to an end`);
    const run = `walk-${seed}`;
    await writeCounterexample(model, violation, { store, run });
    await verifyRun({ store, run, process: model });
    const journal = await store.open(run);
    const ledger = (await readRun(journal)).groups.get(model.name);
    await journal.close();
    expect(`${seed} ${ledger?.status}`).toBe(`${seed} ${violation.property}`);
    ended[violation.property as keyof typeof ended] += 1;
  }
  expect(Math.min(ended.completed, ended.failed)).toBeGreaterThan(0);
});

test('a protocol is a process of one group', () => {
  expect(isProcess(effectGroupProtocol(2))).toBe(true);
});

test('the diagram has a column for each who takes part, and marks what went wrong', async () => {
  const result = await check(
    effectGroupProtocol(2, {
      faults: { hostCrash: 1 },
      members: { '*': outcomes(ok()) },
      properties: {
        always: { neverSecond: (s) => !(s.members['m1']?.attempt === 2 && s.context.reported['m2'] === true) },
      },
    }),
  );
  const [violation] = result.violations;
  expect(`\n${diagramOf(violation?.trace ?? { steps: [] })}\n`).toMatchInlineSnapshot(`
    "
            host     coordinator       m2
    0        │            ●            │        begins
    1        │            │            ●        ends: ok null
    2        │            ●◀───────────○        ok null (attempt 1)
    3        ✗            ┆            ┆        ✗ dies; the next replays
    "
  `);
});
