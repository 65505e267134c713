/** A counterexample's journal says what each property comes to, step by step: what is known, and nothing else. */
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { coordinator, member, verifyRun, type Entry } from 'troupe';
import { check, protocol, writeCounterexample, type Protocol, type Violation } from 'troupe/check';
import { memoryStore } from 'troupe/journal';
import { effectGroupProtocol } from './models/effect-group.ts';
import { collectorMutants } from './mutants/collectors.ts';
import { keyMutants } from './mutants/keys.ts';
import { sequenceMutants } from './mutants/sequences.ts';
import { timeMutants } from './mutants/time.ts';
import { waitMutants } from './mutants/waits.ts';

async function written<Context, Output>(
  model: Protocol<Context, Output>,
  violation: Violation,
): Promise<readonly Entry[]> {
  const store = memoryStore();
  await writeCounterexample(model, violation, { store, run: 'r' });
  await verifyRun({ store, run: 'r', process: model });
  const journal = await store.open('r');
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  await journal.close();
  return entries;
}

async function found<Context, Output>(
  model: Protocol<Context, Output>,
): Promise<readonly [Violation, readonly Entry[]]> {
  const [violation] = (await check(model)).violations;
  if (violation === undefined) throw new Error(`${model.name} holds`);
  return [violation, await written(model, violation)];
}

interface Told {
  readonly states: readonly { readonly property: string; readonly kind: string; readonly state: string }[];
}

/** What is told of properties, entry by entry: `always ok holds`. */
const lane = (entries: readonly Entry[]) =>
  entries
    .filter(({ type }) => type === 'check.properties')
    .map(({ data }) =>
      (data as unknown as Told).states.map(({ kind, property, state }) => `${kind} ${property} ${state}`),
    );
/** Of one property alone. */
const along = (entries: readonly Entry[], name: string) =>
  lane(entries)
    .flat()
    .filter((one) => one.startsWith(`${name} `));

test('each property is told at the beginning, and again where it is something else', async () => {
  const [, entries] = await found(
    effectGroupProtocol(2, {
      faults: { hostCrash: 1 },
      properties: {
        always: {
          neverSecond: (s) => !(s.members['m1']?.attempt === 2 && s.context.reported['m2'] === true),
          fine: () => true,
        },
        sometimes: { m2: (s) => s.context.reported['m2'] === true, fails: (s) => s.status === 'failed' },
        eventually: { ends: (s) => s.status !== 'active', m2IsIn: (s) => s.context.reported['m2'] === true },
        canAlways: {
          m2: (s) => s.context.reported['m2'] === true,
          ends: (s) => s.status !== 'active',
          second: (s) => s.members['m1']?.attempt === 2,
        },
      },
    }),
  );
  expect(lane(entries)).toEqual([
    [
      'always neverSecond holds',
      'always fine holds',
      'sometimes m2 unmet',
      'sometimes fails unmet',
      'eventually ends pending',
      'eventually m2IsIn pending',
      // The trace itself goes there; whether it can end, nobody was asked.
      'canAlways m2 holds',
      'canAlways ends unknown',
      // It comes to that, but by a fault.
      'canAlways second unknown',
      'deadlock noDeadlock holds',
      'finding settledAtMostOnce holds',
      'finding noUnhandled holds',
      'finding noStaleTimer holds',
      'finding replayDeterminism holds',
    ],
    ['sometimes m2 met', 'eventually m2IsIn met'],
    ['always neverSecond violated', 'canAlways second holds'],
  ]);
  // Where it is told: after what happened.
  expect(entries.slice(-7).map(({ type }) => type)).toEqual([
    'check.properties',
    'check.fault',
    'epoch.taken',
    'attempt.failed',
    'attempt.started',
    'check.properties',
    'check.violated',
  ]);
});

test('of every seeded bug the broken property is violated at the last step, and at no step before', async () => {
  const mutants = [...collectorMutants, ...sequenceMutants, ...keyMutants, ...timeMutants, ...waitMutants];
  const kinds = new Set<string>();
  for (const { name, mutant } of mutants) {
    const [violation] = (await check(mutant)).violations;
    // What comes out differently each time cannot be written again.
    if (violation === undefined || violation.property === 'replayDeterminism') continue;
    kinds.add(violation.kind);
    const entries = await written(mutant, violation);
    const own = `${violation.kind} ${violation.property}`;
    expect(along(entries, own), name).toEqual([`${own} holds`, `${own} violated`]);
    expect(lane(entries).at(-1), name).toContain(`${own} violated`);
    // The trace alone shows it, whatever the violation is said to be.
    if (violation.kind === 'always' || violation.kind === 'deadlock') {
      const other = await written(mutant, { ...violation, property: 'other', kind: 'always' });
      expect(along(other, own), name).toEqual([`${own} holds`, `${own} violated`]);
    }
    // The trace is followed to its end, but where its last step is itself what is wrong.
    if (violation.kind === 'finding') continue;
    expect(
      lane(entries)
        .flat()
        .filter((one) => /^(always|sometimes|eventually) .* unknown$/.test(one)),
      name,
    ).toEqual([]);
  }
  expect([...kinds].sort()).toEqual(['always', 'canAlways', 'deadlock', 'finding']);
});

test('a way that goes round for ever says from where, and stays pending up to its end', async () => {
  const polling = coordinator(
    setup({ actors: { member } }).createMachine({
      id: 'polling',
      initial: 'looking',
      on: { go: '.found' },
      states: {
        looking: { after: { 10: 'waiting' } },
        waiting: { after: { 20: 'looking' } },
        found: { type: 'final' },
      },
    }),
  );
  const [violation, entries] = await found(
    protocol({
      coordinator: polling,
      input: null,
      messages: [{ type: 'go' }],
      properties: {
        sometimes: { waits: (s) => s.matches('waiting') },
        eventually: { ends: (s) => s.status === 'completed' },
      },
    }),
  );
  expect(violation.trace?.loopsFrom).toBe(1);
  expect(entries.slice(2).map(({ type }) => type)).toEqual([
    'group.created',
    'check.properties',
    'check.loop',
    'timer.fired',
    'check.properties',
    'timer.fired',
    'check.violated',
  ]);
  expect(entries.find(({ type }) => type === 'check.loop')?.data).toEqual({ property: 'ends', steps: 2 });
  expect(along(entries, 'eventually ends')).toEqual(['eventually ends pending']);
  expect(along(entries, 'sometimes waits')).toEqual(['sometimes waits unmet', 'sometimes waits met']);
});

test('what can be reached no more can be reached up to the step that the check names', async () => {
  const [violation, entries] = await found(
    effectGroupProtocol(2, { properties: { canAlways: { completes: (s) => s.status === 'completed' } } }),
  );
  expect(violation).toMatchObject({ property: 'completes', kind: 'canAlways' });
  expect(along(entries, 'canAlways completes')).toEqual(['canAlways completes holds', 'canAlways completes violated']);
});

test('where the model cannot follow a trace nothing is made up; a property that throws is blank', async () => {
  const model = effectGroupProtocol(2, {
    properties: {
      always: {
        fine: () => true,
        throws: () => {
          throw new Error('no');
        },
      },
      sometimes: { begins: () => true, ends: (s) => s.status !== 'active' },
    },
  });
  const steps = [
    { type: 'begin', at: 'coordinator', text: 'begins' },
    { type: 'moved', at: 'm1', text: 'does what no model of it does' },
  ] as const;
  const entries = await written(model, { property: 'fine', kind: 'always', message: '', trace: { steps } });
  const [first, second, ...others] = lane(entries);
  expect(first).toEqual(
    expect.arrayContaining([
      'always fine holds',
      'always throws unknown',
      'sometimes begins met',
      'sometimes ends unmet',
    ]),
  );
  // That it is violated there is what the violation says.
  expect(second).toEqual(
    expect.arrayContaining(['always fine violated', 'sometimes ends unknown', 'finding noUnhandled unknown']),
  );
  expect(second).not.toContain('sometimes begins unknown');
  expect(others).toEqual([]);
});
