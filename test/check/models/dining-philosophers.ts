/**
 * Dining philosophers after Chandy and Misra (the TLA+ examples' DiningPhilosophers): forks are handed on when dirty, cleaned on
 * the way, and eating makes them dirty. One region for each philosopher; the forks are on the table that they share.
 */
import { assign, setup, type AnyStateMachine } from 'xstate';
import { model, type Model, type ModelState } from 'troupe/check';

interface Fork {
  readonly holder: number;
  readonly clean: boolean;
}
interface Table {
  readonly forks: readonly Fork[];
  readonly hungry: readonly boolean[];
}

/** Philosophers 0 … count-1; philosopher p has fork p to the left and p+1 to the right. */
export function diningPhilosophers(count: number): Model<ModelState> {
  const left = (p: number) => p;
  const right = (p: number) => (p + 1) % count;
  const before = (p: number) => (p + count - 1) % count;
  const fork = ({ forks }: Table, at: number) => forks[at] as Fork;
  const handOn = (table: Table, p: number): readonly Fork[] => {
    const isDirty = (at: number) => fork(table, at).holder === p && !fork(table, at).clean;
    if (isDirty(left(p))) return table.forks.with(left(p), { holder: before(p), clean: true });
    if (isDirty(right(p))) return table.forks.with(right(p), { holder: right(p), clean: true });
    return table.forks;
  };
  /** Of the forks as they were, as in the specification's translation. */
  const canEat = (table: Table, p: number) =>
    [left(p), right(p)].every((at) => fork(table, at).holder === p && fork(table, at).clean);

  const philosopher = (p: number) => ({
    initial: 'loop',
    states: {
      loop: {
        on: {
          [`step.${p}`]: [
            {
              guard: ({ context }: { context: Table }) => (context.hungry[p] as boolean) && canEat(context, p),
              target: 'eat',
              actions: `handOn.${p}`,
            },
            {
              guard: ({ context }: { context: Table }) => context.hungry[p] as boolean,
              target: 'loop',
              actions: `handOn.${p}`,
            },
            { target: 'think', actions: `handOn.${p}` },
          ],
        },
      },
      eat: { on: { [`step.${p}`]: { target: 'loop', actions: `eat.${p}` } } },
      think: { on: { [`step.${p}`]: { target: 'loop', actions: `think.${p}` } } },
    },
  });
  const all = Array.from({ length: count }, (_, p) => p);
  const table = setup({
    types: {} as { context: Table },
    actions: Object.fromEntries(
      all.flatMap((p) => [
        [
          `handOn.${p}`,
          assign<Table, never, undefined, never, never>(({ context }) => ({ forks: handOn(context, p) })),
        ],
        [
          `eat.${p}`,
          assign<Table, never, undefined, never, never>(({ context }) => ({
            hungry: context.hungry.with(p, false),
            forks: context.forks.map((one, at) => (at === left(p) || at === right(p) ? { ...one, clean: false } : one)),
          })),
        ],
        [
          `think.${p}`,
          assign<Table, never, undefined, never, never>(({ context }) => ({ hungry: context.hungry.with(p, true) })),
        ],
      ]),
    ) as never,
  }).createMachine({
    id: 'table',
    type: 'parallel',
    context: {
      forks: all.map((at) => ({ holder: at === 1 ? 0 : at, clean: false })),
      hungry: all.map(() => true),
    },
    states: Object.fromEntries(all.map((p) => [`p${p}`, philosopher(p)])) as never,
  });

  const eats = (state: ModelState, p: number) => state.actors['table']?.matches({ [`p${p}`]: 'eat' }) === true;
  return model({
    name: `dining philosophers, N=${count}`,
    // XState's types of a machine that is put together at run time know nothing of its states.
    actors: {
      table: {
        machine: table as unknown as AnyStateMachine,
        moves: all.map((p) => ({ type: `step.${p}` })),
        isFair: true,
      },
    },
    properties: {
      always: { exclusive: (state) => all.every((p) => !(eats(state, p) && eats(state, right(p)))) },
      sometimes: Object.fromEntries(all.map((p) => [`${p} eats`, (state: ModelState) => eats(state, p)])),
      eventually: { somebodyEats: (state) => all.some((p) => eats(state, p)) },
    },
  });
}
