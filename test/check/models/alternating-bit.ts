/** The alternating-bit protocol over queues that lose messages anywhere (Specifying Systems, chapter 14). */
import { assign, setup } from 'xstate';
import { model, tell, type Model, type ModelState } from 'troupe/check';
import { contextOf } from './context-of.ts';

const sender = setup({
  types: {} as {
    input: { readonly bit: number; readonly sent: string };
    context: { readonly bit: number; readonly acknowledged: number; readonly sent: string };
    events: { type: 'new'; value: string } | { type: 'again' } | { type: 'acknowledge'; bit: number };
  },
  guards: { isAcknowledged: ({ context }) => context.acknowledged === context.bit },
  actions: {
    take: assign(({ context, event }) => (event.type === 'new' ? { sent: event.value, bit: 1 - context.bit } : {})),
    send: tell(({ context }) => ({
      to: 'receiver',
      event: { type: 'message', bit: context.bit, value: context.sent },
    })),
    note: assign(({ event }) => (event.type === 'acknowledge' ? { acknowledged: event.bit } : {})),
  },
}).createMachine({
  id: 'sender',
  context: ({ input }) => ({ ...input, acknowledged: input.bit }),
  on: {
    new: { guard: 'isAcknowledged', actions: ['take', 'send'] },
    again: { guard: ({ context }) => context.acknowledged !== context.bit, actions: 'send' },
    acknowledge: { actions: 'note' },
  },
});

const receiver = setup({
  types: {} as {
    input: { readonly bit: number; readonly received: string };
    context: { readonly bit: number; readonly received: string };
    events: { type: 'message'; bit: number; value: string } | { type: 'confirm' };
  },
  actions: {
    note: assign(({ event }) => (event.type === 'message' ? { bit: event.bit, received: event.value } : {})),
    confirm: tell(({ context }) => ({ to: 'sender', event: { type: 'acknowledge', bit: context.bit } })),
  },
}).createMachine({
  id: 'receiver',
  context: ({ input }) => input,
  on: { message: { actions: 'note' }, confirm: { actions: 'confirm' } },
});

/** Values to send, and how long each queue may become. */
export function alternatingBit(values: readonly string[], queueMax: number): Model<ModelState> {
  const beginnings = [0, 1].flatMap((bit) =>
    values.flatMap((sent) => values.map((received) => ({ sender: { bit, sent }, receiver: { bit, received } }))),
  );
  return model({
    name: `alternating bit, ${values.length} values, queues of ${queueMax}`,
    actors: {
      sender: { machine: sender, moves: [...values.map((value) => ({ type: 'new', value })), { type: 'again' }] },
      receiver: { machine: receiver, moves: [{ type: 'confirm' }] },
    },
    beginnings,
    network: 'ordered',
    lossy: 'anywhere',
    boundary: ({ messages }) =>
      ['sender', 'receiver'].every((from) => messages.filter((one) => one.from === from).length <= queueMax),
    countsOutside: true,
    properties: {
      always: {
        inOrder: ({ actors }) => {
          const { bit, acknowledged, sent } = contextOf<{
            readonly bit: number;
            readonly acknowledged: number;
            readonly sent: string;
          }>({ actors }, 'sender');
          const got = contextOf<{ readonly bit: number; readonly received: string }>({ actors }, 'receiver');
          return acknowledged !== bit || got.bit !== bit || got.received === sent || acknowledged === got.bit;
        },
      },
      sometimes: {
        delivers: ({ actors }) => {
          const { bit, acknowledged } = contextOf<{
            readonly bit: number;
            readonly acknowledged: number;
          }>({ actors }, 'sender');
          return bit === acknowledged;
        },
      },
    },
  });
}
