/** Two actors that count up together over a network that loses and repeats messages. */
import { assign, setup } from 'xstate';
import { model, tell, type Model, type ModelState } from 'troupe/check';
import { contextOf } from './context-of.ts';

const player = setup({
  types: {} as {
    input: { readonly other: string; readonly serves: boolean };
    context: { readonly other: string; readonly serves: boolean; readonly n: number };
    events: { type: 'ping'; n: number } | { type: 'pong'; n: number };
  },
  guards: { isNext: ({ context, event }) => event.n === context.n },
  actions: {
    count: assign({ n: ({ context }) => context.n + 1 }),
    pong: tell(({ context, event }) => ({ to: context.other, event: { type: 'pong', n: event.n } })),
    ping: tell(({ context, event }) => ({ to: context.other, event: { type: 'ping', n: event.n + 1 } })),
    serve: tell(({ context }) => ({ to: context.other, event: { type: 'ping', n: context.n } })),
  },
}).createMachine({
  id: 'player',
  context: ({ input }) => ({ ...input, n: 0 }),
  initial: 'ready',
  states: {
    ready: { always: [{ guard: ({ context }) => context.serves, target: 'playing', actions: 'serve' }, 'playing'] },
    playing: {
      on: {
        ping: { guard: 'isNext', actions: ['count', 'pong'] },
        pong: { guard: 'isNext', actions: ['count', 'ping'] },
      },
    },
  },
});

/** Both count to `max`. */
export function pingPong(max: number): Model<ModelState> {
  const n = (state: ModelState, id: string) => contextOf<{ readonly n: number }>(state, id).n;
  return model({
    name: `ping-pong to ${max}`,
    actors: {
      a: { machine: player, input: { other: 'b', serves: true } },
      b: { machine: player, input: { other: 'a', serves: false } },
    },
    network: 'set',
    lossy: true,
    boundary: (state) => n(state, 'a') <= max && n(state, 'b') <= max,
    properties: {
      always: { together: (state) => Math.abs(n(state, 'a') - n(state, 'b')) <= 1 },
      sometimes: { reachesMax: (state) => n(state, 'a') === max },
    },
  });
}
