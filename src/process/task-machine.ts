/** A task is a group of one: the coordinator of `ctx.task`. */
import { setup } from 'xstate';
import type { Invocation } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import { member } from '../group/member.ts';

/** Spawns its one member and ends as it does. */
export const taskMachine = setup({
  types: {} as { input: Invocation; context: { invocation: Invocation; output: JsonValue }; output: JsonValue },
  actors: { member },
}).createMachine({
  id: 'task',
  context: ({ input }) => ({ invocation: input, output: null }),
  initial: 'working',
  states: {
    working: {
      invoke: {
        src: 'member',
        id: 'task',
        input: ({ context }) => context.invocation,
        onDone: { target: 'done' },
      },
    },
    done: { type: 'final', output: ({ event }: { event: unknown }) => (event as { output: JsonValue }).output },
  },
  output: ({ event }) => (event as { output?: JsonValue }).output ?? null,
});
