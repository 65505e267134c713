/** Parts of coordinators whose two members may change places. */
import { assign, setup, stopChild } from 'xstate';
import { gate, member } from 'troupe';

/** The members. */
export const said = ['a', 'b'];

/** What they keep: how many have spoken, and who has left. */
export type Context = { readonly count: number; readonly gone: string | null };
/** What they hear. */
export type Said = { readonly type: string; readonly from: string; readonly gate: string };
/** To be made a machine of. */
export const typed = setup({
  types: {} as { context: Context; events: Said },
  actors: { member },
  actions: {
    ask: gate(({ event }) => ({ name: (event as Said).from, question: 'may it?' })),
    stop: stopChild(({ event }) => (event as Said).from),
    leave: assign({ gone: ({ event }) => (event as Said).from }),
    count: assign({ count: ({ context }) => context.count + 1 }),
    begin: assign(({ spawn }) => {
      for (const id of said) spawn('member', { id, input: {} } as never);
      return {};
    }),
  },
  guards: {
    isFull: ({ context }) => context.count === 2,
    mayLeave: ({ context }) => context.gone === null && context.count === 1,
    isOther: ({ context, event }) => context.gone !== null && event.gate !== context.gone,
    isFirst: ({ context }) => context.count === 0,
  },
});
