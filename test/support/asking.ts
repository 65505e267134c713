/** A coordinator that asks at the gate `ship` until the answer is yes, marking a checkpoint each time; its output is what it heard. */
import { assign, setup } from 'xstate';
import { checkpoint, coordinator, gate, member, type JsonValue } from 'troupe';

/** The machine. */
export const asking = coordinator(
  setup({
    types: {} as {
      context: { answers: readonly JsonValue[] };
      events: { type: string; gate: string; note: string; by: string };
      output: readonly JsonValue[];
    },
    actors: { member },
    actions: {
      openGate: gate({ name: 'ship', question: 'Ship it?', data: { risk: 'low' } }),
      mark: checkpoint({ name: 'asked', settled: 0, total: 1 }),
      note: assign({
        answers: ({ context, event }) => [...context.answers, [event.type, event.gate, event.note, event.by]],
      }),
    },
  }).createMachine({
    id: 'asking',
    context: { answers: [] },
    initial: 'asking',
    states: {
      asking: {
        entry: ['mark', 'openGate'],
        on: {
          approved: { actions: 'note', target: 'over' },
          rejected: { actions: 'note', target: 'asking', reenter: true },
        },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.answers,
  }),
);
