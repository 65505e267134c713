/**
 * Properties of whole ways are judged soundly: cycles and joins hide nothing, fairness asks for what it should and no more. Each
 * small model here is one that a checker with bits along paths, or without fairness, gets wrong.
 */
import { describe, expect, test } from 'vitest';
import { assign, setup, type AnyStateMachine } from 'xstate';
import { assertSchedules, check, model, type CheckResult, type ModelState } from 'troupe/check';

/** A machine that is a graph: its events are named after where they lead. */
function graph(edges: { readonly [from: string]: readonly string[] }, first = 'a'): AnyStateMachine {
  const names = new Set([...Object.keys(edges), ...Object.values(edges).flat()]);
  return setup({}).createMachine({
    id: 'graph',
    initial: first,
    states: Object.fromEntries(
      Array.from(names, (name) => [
        name,
        {
          on: Object.fromEntries((edges[name] ?? []).map((to) => [`to ${name} ${to}`, { target: to, reenter: true }])),
        },
      ]),
    ),
  }) as unknown as AnyStateMachine;
}

const at = (state: ModelState, ...names: readonly string[]) => names.includes(String(state.actors['g']?.value));

function checked(
  edges: { readonly [from: string]: readonly string[] },
  goal: string,
  isFair = true,
): Promise<CheckResult> {
  const moves = Object.entries(edges).flatMap(([from, targets]) => targets.map((to) => ({ type: `to ${from} ${to}` })));
  return check(
    model({
      actors: { g: { machine: graph(edges), moves, isFair } },
      properties: { eventually: { goal: (state) => at(state, goal) } },
    }),
  );
}

const shown = (result: CheckResult) => {
  const trace = result.violations[0]?.trace;
  return trace && { steps: trace.steps.map(({ text }) => text), loopsFrom: trace.loopsFrom };
};

describe('eventually', () => {
  test('a chain comes to its end', async () => {
    expect((await checked({ a: ['b'], b: ['c'] }, 'c')).verdict).toBe('verified');
  });

  test('nobody has to move who is not fair: resting at the beginning is a run', async () => {
    expect(shown(await checked({ a: ['b'] }, 'b', false))).toEqual({ steps: ['begin'], loopsFrom: undefined });
  });

  test('a dead end without the goal', async () => {
    expect(shown(await checked({ a: ['b', 'goal'] }, 'goal'))).toEqual({
      steps: ['begin', 'to a b'],
      loopsFrom: undefined,
    });
  });

  test('a join does not hide the way that missed the goal before it', async () => {
    // Found first with the goal behind it: a -> goal -> d; then a -> c -> d -> d.
    const result = await checked({ a: ['goal', 'c'], goal: ['d'], c: ['d'], d: ['d'] }, 'goal');
    expect(shown(result)).toEqual({ steps: ['begin', 'to a c', 'to c d', 'to d d'], loopsFrom: 3 });
  });

  test('a cycle without the goal is a counterexample where leaving it is never due', async () => {
    // In b the way out is enabled, in a it is not: going round is fair.
    const result = await checked({ a: ['b'], b: ['a', 'goal'] }, 'goal');
    expect(shown(result)).toEqual({ steps: ['begin', 'to a b', 'to b a'], loopsFrom: 1 });
  });

  test('a self-loop is left where something else is always possible and fair', async () => {
    const loop = { a: ['a', 'goal'] };
    expect((await checked(loop, 'goal')).verdict).toBe('verified');
    expect((await checked(loop, 'goal', false)).violations).toHaveLength(1);
  });

  test('a component is fair only if each class that is enabled all through it is taken in it', async () => {
    // Two graphs side by side: x can go on at any time, whatever y does.
    const moves = (id: string) => [
      { type: `to ${id} ${id === 'a' ? 'goal' : 'q'}` },
      { type: 'to q p' },
      { type: 'to p q' },
    ];
    const result = await check(
      model({
        actors: {
          x: { machine: graph({ a: ['goal'] }), moves: moves('a'), isFair: true },
          y: { machine: graph({ p: ['q'], q: ['p'] }, 'p'), moves: moves('p'), isFair: true },
        },
        properties: { eventually: { goal: ({ actors }) => actors['x']?.value === 'goal' } },
      }),
    );
    expect(result.verdict).toBe('verified');
    const lazy = await check(
      model({
        actors: {
          x: { machine: graph({ a: ['goal'] }), moves: moves('a') },
          y: { machine: graph({ p: ['q'], q: ['p'] }, 'p'), moves: moves('p'), isFair: true },
        },
        properties: { eventually: { goal: ({ actors }) => actors['x']?.value === 'goal' } },
      }),
    );
    const trace = lazy.violations[0]?.trace;
    expect(trace?.steps.slice(trace.loopsFrom).map(({ at: who }) => who)).toEqual(['y', 'y']);
  });

  test('a lasso is a way of the model: its loop leads back to where it began', async () => {
    const result = await checked({ a: ['b'], b: ['c', 'goal'], c: ['d'], d: ['b', 'a'] }, 'goal');
    const trace = result.violations[0]?.trace;
    let here = 'a';
    const visited = [here];
    for (const { text } of trace?.steps.slice(1) ?? []) {
      const [, from, to] = text.split(' ');
      expect(from).toBe(here);
      here = to ?? '';
      visited.push(here);
    }
    expect(visited[(trace?.loopsFrom ?? 0) - 1]).toBe(here);
    expect(visited).not.toContain('goal');
  });

  test('it is not judged on a part of the graph, and not with symmetry', async () => {
    const edges = { a: ['b'], b: ['c'], c: ['d'], d: ['e'] };
    const moves = Object.entries(edges).flatMap(([from, [to]]) => [{ type: `to ${from} ${to}` }]);
    const long = model({
      actors: { g: { machine: graph(edges), moves } },
      properties: { eventually: { e: (state) => at(state, 'e') } },
    });
    const cut = await check(long, { maxStates: 2 });
    expect(cut).toMatchObject({ verdict: 'incomplete', violations: [], unjudged: ['eventually e'] });
    const symmetric = model({
      actors: { g: { machine: graph(edges), moves }, h: { machine: graph(edges), moves } },
      symmetry: [['g', 'h']],
      properties: { eventually: { e: (state) => at(state, 'e') } },
    });
    await expect(check(symmetric)).rejects.toThrow(/BAD_INPUT.*symmetry/);
  });
});

describe('canAlways', () => {
  const asked = (edges: { readonly [from: string]: readonly string[] }) =>
    check(
      model({
        actors: {
          g: {
            machine: graph(edges),
            moves: Object.entries(edges).flatMap(([from, targets]) =>
              targets.map((to) => ({ type: `to ${from} ${to}` })),
            ),
          },
        },
        properties: { canAlways: { home: (state) => at(state, 'home') } },
      }),
    );

  test('a way back from everywhere', async () => {
    expect((await asked({ a: ['b', 'home'], b: ['a'], home: ['a'] })).verdict).toBe('verified');
  });

  test('a trap, and the fewest steps into it', async () => {
    const result = await asked({ a: ['b', 'home'], b: ['trap', 'a'], home: ['a'], trap: ['trap'] });
    expect(result.violations).toMatchObject([{ property: 'home', kind: 'canAlways' }]);
    expect(shown(result)?.steps).toEqual(['begin', 'to a b', 'to b trap']);
  });
});

test('a deadlock is a state that nothing leaves and that is no end', async () => {
  const edges = { a: ['b', 'end'], b: [] };
  const moves = [{ type: 'to a b' }, { type: 'to a end' }];
  const result = await check(
    model({ actors: { g: { machine: graph(edges), moves } }, ends: (state) => at(state, 'end') }),
  );
  expect(result.violations).toMatchObject([{ property: 'noDeadlock', kind: 'deadlock' }]);
  expect(shown(result)?.steps).toEqual(['begin', 'to a b']);
});

describe('a boundary', () => {
  const counter = setup({ types: {} as { context: { readonly n: number } } }).createMachine({
    id: 'counter',
    context: { n: 0 },
    on: { up: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
  });
  const n = ({ actors: { c } }: ModelState) => (c as unknown as { readonly context: { readonly n: number } }).context.n;
  const isFar = (state: ModelState) => n(state) === 10;
  const counting = (isFair: boolean, far = 3) =>
    model({
      actors: { c: { machine: counter, moves: [{ type: 'up' }], isFair } },
      boundary: (state) => n(state) <= far,
      ends: isFar,
      properties: { eventually: { far: isFar }, canAlways: { far: isFar } },
    });

  test('what leads out of it can happen: no deadlock, and no way that rests there or can come no further', async () => {
    expect(await check(counting(true))).toMatchObject({ verdict: 'verified', distinct: 4, generated: 4 });
    expect(assertSchedules(counting(true), { runs: 2 }).runs).toBe(2);
  });

  test('who need not move may still rest inside of it', async () => {
    const result = await check(counting(false));
    expect(result.violations.map(({ property, kind }) => [property, kind])).toEqual([['far', 'eventually']]);
  });
});
