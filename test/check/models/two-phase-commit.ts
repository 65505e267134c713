/**
 * Two-phase commit (Gray and Lamport's TwoPhase): a transaction manager asks nobody twice, decides once; each resource manager
 * prepares or aborts of itself and then does as it is told. Messages are in a set: they stay, and can be heard again.
 */
import { assign, enqueueActions, setup } from 'xstate';
import { model, tell, type Model, type ModelState } from 'troupe/check';

/** The transaction manager. */
export const transactionManager = setup({
  types: {} as {
    input: { readonly members: readonly string[] };
    context: { readonly prepared: { readonly [id: string]: boolean } };
    events: { type: 'prepared'; from: string } | { type: 'commit' } | { type: 'abort' };
  },
  guards: { allPrepared: ({ context }) => Object.values(context.prepared).every(Boolean) },
  actions: {
    note: assign(({ context, event }) =>
      event.type === 'prepared' ? { prepared: { ...context.prepared, [event.from]: true } } : {},
    ),
    tellAll: enqueueActions(({ context, enqueue }, { type }: { type: string }) => {
      for (const to of Object.keys(context.prepared)) enqueue(tell({ to, event: { type } }));
    }),
  },
}).createMachine({
  id: 'transactionManager',
  context: ({ input }) => ({ prepared: Object.fromEntries(input.members.map((id) => [id, false])) }),
  initial: 'init',
  states: {
    init: {
      on: {
        prepared: { actions: 'note' },
        commit: {
          guard: 'allPrepared',
          target: 'committed',
          actions: { type: 'tellAll', params: { type: 'doCommit' } },
        },
        abort: { target: 'aborted', actions: { type: 'tellAll', params: { type: 'doAbort' } } },
      },
    },
    committed: {},
    aborted: {},
  },
});

/** One resource manager. */
export const resourceManager = setup({
  types: {} as { input: { readonly id: string }; context: { readonly id: string } },
}).createMachine({
  id: 'resourceManager',
  context: ({ input }) => input,
  initial: 'working',
  on: { doCommit: '.committed', doAbort: '.aborted' },
  states: {
    working: {
      on: {
        prepare: {
          target: 'prepared',
          actions: tell(({ context }) => ({ to: 'tm', event: { type: 'prepared', from: context.id } })),
        },
        chooseAbort: 'aborted',
      },
    },
    prepared: {},
    committed: {},
    aborted: {},
  },
});

/** With `count` resource managers, `rm1` … */
export function twoPhaseCommit(count: number, symmetric = false): Model<ModelState> {
  const members = Array.from({ length: count }, (_, index) => `rm${index + 1}`);
  const stateOf = (state: ModelState, id: string) => state.actors[id]?.value;
  const all = (state: ModelState, value: string) => members.every((id) => stateOf(state, id) === value);
  return model({
    name: `two-phase commit, N=${count}`,
    actors: {
      tm: {
        machine: transactionManager,
        input: { members },
        moves: [{ type: 'commit' }, { type: 'abort' }],
      },
      ...Object.fromEntries(
        members.map((id) => [
          id,
          { machine: resourceManager, input: { id }, moves: [{ type: 'prepare' }, { type: 'chooseAbort' }] },
        ]),
      ),
    },
    network: 'set',
    pruneNoOps: false,
    ...(symmetric ? { symmetry: [members] } : {}),
    properties: {
      always: {
        consistent: (state) =>
          !(
            members.some((id) => stateOf(state, id) === 'committed') &&
            members.some((id) => stateOf(state, id) === 'aborted')
          ),
      },
      sometimes: { commits: (state) => all(state, 'committed'), aborts: (state) => all(state, 'aborted') },
    },
  });
}
