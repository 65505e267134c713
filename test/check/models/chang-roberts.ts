/** Leader election on a ring (Chang and Roberts 1979; the TLA+ examples' ChangRoberts): the smallest id that began wins. */
import { setup } from 'xstate';
import { model, tell, type Model, type ModelState } from 'troupe/check';
import { contextOf } from './context-of.ts';

interface NodeContext {
  readonly id: number;
  readonly next: string;
  readonly isInitiator: boolean;
}

const node = setup({
  types: {} as { input: NodeContext; context: NodeContext; events: { type: 'begin' } | { type: 'id'; id: number } },
  guards: {
    isInitiator: ({ context }) => context.isInitiator,
    isSmaller: ({ context, event }) => event.type === 'id' && event.id < context.id,
    isOwn: ({ context, event }) => event.type === 'id' && event.id === context.id,
  },
  actions: {
    sendOwn: tell(({ context }) => ({ to: context.next, event: { type: 'id', id: context.id } })),
    forward: tell(({ context, event }) => ({
      to: context.next,
      event: { type: 'id', id: event.type === 'id' ? event.id : 0 },
    })),
  },
}).createMachine({
  id: 'node',
  context: ({ input }) => input,
  initial: 'asleep',
  states: {
    asleep: { on: { begin: [{ guard: 'isInitiator', target: 'candidate', actions: 'sendOwn' }, 'lost'] } },
    candidate: {
      on: {
        id: [
          { guard: 'isSmaller', target: 'lost', actions: 'forward' },
          { guard: 'isOwn', target: 'won' },
          { target: 'candidate' },
        ],
      },
    },
    lost: { on: { id: { actions: 'forward' } } },
    won: {
      on: {
        id: [{ guard: 'isSmaller', target: 'lost', actions: 'forward' }, { guard: 'isOwn', target: 'won' }, 'won'],
      },
    },
  },
});

/** Nodes `n1` … with these ids; any of them may begin, in 2^n beginnings. */
export function changRoberts(ids: readonly number[]): Model<ModelState> {
  const names = ids.map((_, index) => `n${index + 1}`);
  const inputOf = (index: number, isInitiator: boolean) => ({
    id: ids[index] as number,
    next: names[(index + 1) % names.length] as string,
    isInitiator,
  });
  return model({
    name: `Chang-Roberts, N=${ids.length}`,
    actors: Object.fromEntries(
      names.map((name) => [name, { machine: node, moves: [{ type: 'begin' }], isFair: true }]),
    ),
    beginnings: Array.from({ length: 2 ** ids.length }, (_, bits) =>
      Object.fromEntries(names.map((name, index) => [name, inputOf(index, ((bits >> index) & 1) === 1)])),
    ),
    network: 'bag',
    pruneNoOps: false,
    properties: {
      always: {
        onlyTheSmallestWins: ({ actors }) =>
          names.every((name, index) => {
            const own = contextOf<NodeContext>({ actors }, name);
            if (actors[name]?.value !== 'won') return true;
            return (
              own.isInitiator &&
              names.every((other) => {
                const { isInitiator, id } = contextOf<NodeContext>({ actors }, other);
                return (
                  other === name || (actors[other]?.value !== 'won' && (!isInitiator || id > (ids[index] as number)))
                );
              })
            );
          }),
      },
      sometimes: { electsOne: ({ actors }) => names.some((name) => actors[name]?.value === 'won') },
      eventually: {
        someoneWins: ({ actors }) =>
          names.some((name) => actors[name]?.value === 'won') ||
          names.every((name) => !contextOf<NodeContext>({ actors }, name).isInitiator),
      },
    },
  });
}
