/**
 * An effect group: asks several members, collects who has reported, makes one that fails again once, gives up at the second failure
 * or when time runs out. What is known of members is kept by their ids, so that they may change places.
 */
import { assign, enqueueActions, setup } from 'xstate';
import { coordinator, member, type PlainError } from 'troupe';
import { fail, ok, outcomes, protocol, type Protocol, type ProtocolOptions } from 'troupe/check';

/** What the group knows of its members. */
export type EffectGroupContext = {
  readonly reported: { readonly [id: string]: boolean };
  readonly retried: boolean;
};

interface MemberEnd {
  readonly type: string;
  readonly actorId: string;
  readonly error: PlainError;
}

/** The coordinator. */
export const effectGroup = coordinator(
  setup({
    types: {} as {
      input: { readonly members: readonly string[] };
      context: EffectGroupContext;
      events: MemberEnd;
      output: { readonly reported: number };
    },
    actors: { member },
    guards: {
      allIn: ({ context }) => Object.values(context.reported).every(Boolean),
      isSecond: ({ context }) => context.retried,
    },
    actions: {
      askAll: assign(({ context, spawn }) => {
        for (const id of Object.keys(context.reported)) spawn('member', { id, input: {} });
        return {};
      }),
      note: enqueueActions(({ context, event, enqueue }) => {
        enqueue.stopChild(event.actorId);
        enqueue.assign({ reported: { ...context.reported, [event.actorId]: true } });
      }),
      again: enqueueActions(({ event, enqueue }) => {
        enqueue.stopChild(event.actorId);
        enqueue.spawnChild('member', { id: event.actorId, input: {} });
        enqueue.assign({ retried: true });
      }),
      giveUp: assign(() => {
        throw new Error('given up');
      }),
    },
  }).createMachine({
    id: 'effectGroup',
    context: ({ input }) => ({ reported: Object.fromEntries(input.members.map((id) => [id, false])), retried: false }),
    initial: 'running',
    states: {
      running: {
        entry: 'askAll',
        always: { guard: 'allIn', target: 'finished' },
        on: {
          'xstate.done.actor.*': { actions: 'note' },
          'xstate.error.actor.*': [{ guard: 'isSecond', actions: 'giveUp' }, { actions: 'again' }],
        },
        after: { 60_000: { actions: 'giveUp' } },
      },
      finished: { type: 'final' },
    },
    output: ({ context }) => ({ reported: Object.keys(context.reported).length }),
  }),
);

/** With so many members, each of which succeeds or fails. */
export function effectGroupProtocol(
  count: number,
  more: Partial<
    ProtocolOptions<{ readonly members: readonly string[] }, { readonly reported: number }, EffectGroupContext>
  > = {},
): Protocol<EffectGroupContext, { readonly reported: number }> {
  const members = Array.from({ length: count }, (_, index) => `m${index + 1}`);
  return protocol({
    name: `effect group of ${count}`,
    coordinator: effectGroup,
    input: { members },
    members: { '*': outcomes(ok(), fail()) },
    faults: { hostCrash: 1, duplicate: 1 },
    properties: {
      always: {
        finishedMeansAll: (state) =>
          state.status !== 'completed' || Object.values(state.context.reported).every(Boolean),
      },
      sometimes: {
        finishes: (state) => state.status === 'completed',
        givesUp: (state) => state.status === 'failed',
      },
    },
    ...more,
  });
}
