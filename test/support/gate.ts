/** A coordinator that marks a checkpoint for each value it hears, and ends when it has heard enough of them. */
import { assign, setup } from 'xstate';
import { checkpoint, coordinator, type JsonValue } from 'troupe';

export interface GateInput {
  /** Ends after so many values; 0: at once. */
  readonly count: number;
}

export const gate = coordinator(
  setup({
    types: {} as {
      input: GateInput;
      context: GateInput & { readonly heard: readonly JsonValue[] };
      events: { readonly type: string; readonly value?: JsonValue };
      output: readonly JsonValue[];
    },
    guards: { isFull: ({ context }) => context.heard.length >= context.count },
    actions: {
      note: assign({ heard: ({ context, event }) => [...context.heard, event.value ?? null] }),
      mark: checkpoint(({ context }) => ({
        name: `value ${context.heard.length}`,
        settled: context.heard.length,
        total: context.count,
      })),
      fail: assign(() => {
        throw new Error('the gate broke');
      }),
    },
  }).createMachine({
    id: 'gate',
    context: ({ input }) => ({ ...input, heard: [] }),
    initial: 'open',
    states: {
      open: {
        always: { guard: 'isFull', target: 'full' },
        on: { value: { actions: ['note', 'mark'] }, break: { actions: 'fail' } },
      },
      full: { type: 'final' },
    },
    output: ({ context }) => context.heard,
  }),
);
