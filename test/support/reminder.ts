/** A coordinator with durable timers: an `after`, delayed raises, and one that is taken back. */
import { assign, cancel, enqueueActions, raise, setup } from 'xstate';
import { coordinator } from 'troupe';

export interface ReminderInput {
  /** Delays of the reminders, ms; one is noted for each. */
  readonly inMs: readonly number[];
  /** Ends after this, ms. */
  readonly endMs: number;
}

/** Notes, in order, which of its reminders have come; `forget` takes the one called `event.name` back. */
export const reminder = coordinator(
  setup({
    types: {} as {
      input: ReminderInput;
      context: ReminderInput & { readonly noted: readonly string[] };
      events: { readonly type: string; readonly name: string };
      output: readonly string[];
    },
    delays: { theEnd: ({ context }) => context.endMs },
    actions: {
      remind: enqueueActions(({ context, enqueue }) => {
        for (const [index, delay] of context.inMs.entries())
          enqueue(raise({ type: 'reminded', name: `${index}` }, { id: `reminder-${index}`, delay }));
      }),
      forget: cancel(({ event }) => `reminder-${event.name}`),
      note: assign({ noted: ({ context, event }) => [...context.noted, event.name] }),
    },
  }).createMachine({
    id: 'reminder',
    context: ({ input }) => ({ ...input, noted: [] }),
    initial: 'waiting',
    states: {
      waiting: {
        entry: 'remind',
        after: { theEnd: 'over' },
        on: { reminded: { actions: 'note' }, forget: { actions: 'forget' } },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.noted,
  }),
);
