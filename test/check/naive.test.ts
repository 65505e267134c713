/**
 * The explorer beside a naive one: random networks of random machines, states told apart by their text, nothing interned, nothing
 * remembered. Both find as many states, transitions and levels.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assign, enqueueActions, setup, type AnyStateMachine } from 'xstate';
import { canonical, type JsonValue } from 'troupe';
import { check, model, tell, type NetworkKind } from 'troupe/check';
import { defaultBounds } from '../../src/group/bounds.ts';
import { define, persist, snapshotAt, start, step, timers, type System } from '../../src/group/step.ts';

/** What a machine does on one event in one state: where it goes, to whom it sends what, and whether it counts. */
interface Rule {
  readonly to: number;
  readonly sends: readonly { readonly to: number; readonly type: number }[];
  readonly counts: boolean;
}
/** By state and event type; undefined: no transition. */
type Table = readonly (readonly (Rule | undefined)[])[];

const statesCount = 3;
const typesCount = 3;
const countMax = 2;

function machineOf(table: Table, hasTimer: boolean): AnyStateMachine {
  return setup({
    types: {} as { context: { readonly n: number }; events: { readonly type: string } },
  }).createMachine({
    id: 'random',
    context: { n: 0 },
    initial: 's0',
    states: Object.fromEntries(
      table.map((rules, index) => [
        `s${index}`,
        {
          on: Object.fromEntries(
            rules.flatMap((rule, type) =>
              rule === undefined
                ? []
                : [
                    [
                      `e${type}`,
                      {
                        target: `s${rule.to}`,
                        guard: ({ context }: { context: { n: number } }) => !rule.counts || context.n < countMax,
                        actions: [
                          ...(rule.counts
                            ? [assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 })]
                            : []),
                          enqueueActions(({ enqueue }) => {
                            for (const { to, type: sent } of rule.sends)
                              enqueue(tell({ to: `a${to}`, event: { type: `e${sent}` } }));
                          }),
                        ],
                      },
                    ],
                  ],
            ),
          ),
          ...(hasTimer && index === 0 ? { after: { 10: `s${statesCount - 1}` } } : {}),
        },
      ]),
    ),
  } as never) as unknown as AnyStateMachine;
}

interface Network {
  readonly tables: readonly Table[];
  readonly hasTimer: boolean;
  readonly network: NetworkKind;
  readonly lossy: boolean;
  readonly prunes: boolean;
  readonly boundary: number;
}

interface Flying {
  readonly from: number;
  readonly to: number;
  readonly type: string;
}
interface Global {
  readonly locals: readonly System[];
  readonly flying: readonly Flying[];
}

const at = { seq: 2, at: 0 };
const textOf = ({ from, to, type }: Flying) => `${from} ${to} ${type}`;

/** Counts by brute force. */
function naive({ tables, hasTimer, network, lossy, prunes, boundary }: Network) {
  const definitions = tables.map((table) => define(machineOf(table, hasTimer)));
  /** Numbers of actors and timers in the order of their making say only how the system came to be. */
  const local = (system: System) => {
    const { actors } = persist(system) as { readonly actors: readonly JsonValue[] };
    const text = JSON.stringify(actors, (key, value: unknown) => (key === 'order' ? undefined : value));
    return canonical(JSON.parse(text) as JsonValue);
  };
  const arranged = (flying: readonly Flying[]): readonly Flying[] => {
    if (network === 'ordered') return flying.toSorted((a, b) => a.from - b.from || a.to - b.to);
    const sorted = flying.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
    return network === 'set'
      ? sorted.filter((one, index) => index === 0 || textOf(one) !== textOf(sorted[index - 1] as Flying))
      : sorted;
  };
  const keyOf = ({ locals, flying }: Global) => JSON.stringify([locals.map(local), flying.map(textOf)]);
  const isInside = ({ flying }: Global) => flying.length <= boundary;
  const stepped = (state: Global, actor: number, type: string, data: JsonValue, rest: readonly Flying[]) => {
    const { system, effects } = step(state.locals[actor] as System, { ...at, type, data });
    const sent = effects.flatMap((effect) =>
      effect.type === 'emit'
        ? [
            {
              from: actor,
              to: Number((effect.event['to'] as string).slice(1)),
              type: (effect.event['event'] as { readonly type: string }).type,
            },
          ]
        : [],
    );
    const hasChanged = local(system) !== local(state.locals[actor] as System) || sent.length > 0;
    return { next: { locals: state.locals.with(actor, system), flying: arranged([...rest, ...sent]) }, hasChanged };
  };
  const successors = (state: Global): readonly Global[] => {
    const found: Global[] = [];
    const seen = new Set<string>();
    for (const [place, one] of state.flying.entries()) {
      const key = network === 'ordered' ? `${one.from} ${one.to}` : textOf(one);
      if (seen.has(key)) continue;
      seen.add(key);
      const without = state.flying.filter((_, index) => index !== place);
      if (lossy) found.push({ locals: state.locals, flying: without });
      const snapshot = snapshotAt(state.locals[one.to] as System, '') as unknown as { can(event: object): boolean };
      const isHandled = snapshot.can({ type: one.type });
      const data = { id: 'x', from: 'y', event: { type: one.type } };
      const { next, hasChanged } = stepped(state, one.to, 'signal', data, network === 'set' ? state.flying : without);
      if (network !== 'ordered' && !(prunes ? hasChanged : isHandled)) continue;
      found.push(next);
    }
    for (const actor of state.locals.keys()) {
      const system = state.locals[actor] as System;
      const snapshot = snapshotAt(system, '') as unknown as { can(event: object): boolean };
      if (snapshot.can({ type: 'e0' }))
        found.push(stepped(state, actor, 'signal', { id: 'x', from: 'y', event: { type: 'e0' } }, state.flying).next);
      for (const timer of timers(system))
        found.push(stepped(state, actor, 'timer.fired', timer as unknown as JsonValue, state.flying).next);
    }
    return found.filter(isInside);
  };
  const first: Global = {
    locals: definitions.map(
      (definition) => start(definition, { seq: 1, at: 0, input: null, bounds: defaultBounds }).system,
    ),
    flying: [],
  };
  const depths = new Map([[keyOf(first), 1]]);
  const queue = [first];
  let generated = 1;
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    const depth = depths.get(keyOf(state)) as number;
    for (const next of successors(state)) {
      generated += 1;
      const key = keyOf(next);
      if (depths.has(key)) continue;
      depths.set(key, depth + 1);
      queue.push(next);
      if (depths.size > 1_000) return undefined;
    }
  }
  return { distinct: depths.size, generated, depth: Math.max(...depths.values()) };
}

const rule: fc.Arbitrary<Rule | undefined> = fc.option(
  fc.record({
    to: fc.nat(statesCount - 1),
    sends: fc.array(fc.record({ to: fc.nat(1), type: fc.nat(typesCount - 1) }), { maxLength: 2 }),
    counts: fc.boolean(),
  }),
  { nil: undefined, freq: 2 },
);
const table: fc.Arbitrary<Table> = fc.array(fc.array(rule, { minLength: typesCount, maxLength: typesCount }), {
  minLength: statesCount,
  maxLength: statesCount,
});
const networks: fc.Arbitrary<Network> = fc.record({
  tables: fc.array(table, { minLength: 2, maxLength: 2 }),
  hasTimer: fc.boolean(),
  network: fc.constantFrom('bag', 'ordered', 'set'),
  lossy: fc.boolean(),
  prunes: fc.boolean(),
  boundary: fc.constant(3),
});

test('as many states, transitions and levels as brute force finds', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(networks, async (given) => {
      const expected = naive(given);
      if (expected === undefined) return;
      const result = await check(
        model({
          actors: Object.fromEntries(
            given.tables.map((one, index) => [
              `a${index}`,
              { machine: machineOf(one, given.hasTimer), moves: [{ type: 'e0' }] },
            ]),
          ),
          network: given.network,
          lossy: given.lossy,
          pruneNoOps: given.prunes,
          boundary: ({ messages }) => messages.length <= given.boundary,
        }),
      );
      const { distinct, generated, depth } = result;
      expect({ distinct, generated, depth }).toEqual(expected);
      if (expected.distinct > 10) compared += 1;
    }),
    { numRuns: 50 },
  );
  expect(compared).toBeGreaterThan(10);
});
