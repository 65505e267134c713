/** A coordinator for random plays: spawns and stops members as told, keeps every message it hears, asks at a gate, ends when all have settled. */
import { assign, enqueueActions, setup, stopChild } from 'xstate';
import { coordinator, gate, member, type Invocation, type JsonValue, type OldInput } from 'troupe';

export interface ParleyInput {
  readonly members: readonly (Invocation & { readonly id: string })[];
  /** Ends only when somebody has answered. */
  readonly asks: boolean;
}

/** What it ends with; `heard` are bodies of messages in the order heard, `settled` ids with `ok` or the error's code. */
export interface ParleyOutput {
  readonly heard: readonly JsonValue[];
  readonly settled: readonly (readonly [string, string])[];
  readonly answers: readonly string[];
}

interface Heard {
  readonly type: string;
  readonly actorId: string;
  readonly id: string;
  readonly body: JsonValue;
  readonly error: { readonly code?: string };
  readonly invocation: Invocation;
}

interface ParleyContext extends ParleyOutput {
  readonly input: ParleyInput;
  readonly open: readonly string[];
  /** Living background members: nobody waits for them. */
  readonly aside: readonly string[];
}

const settledAs = (
  { context, event }: { readonly context: ParleyContext; readonly event: Heard },
  how: string,
): Partial<ParleyContext> => ({
  open: context.open.filter((id) => id !== event.actorId),
  aside: context.aside.filter((id) => id !== event.actorId),
  settled: [...context.settled, [event.actorId, how]],
});

export const parley = coordinator(
  setup({
    types: {} as { input: ParleyInput; context: ParleyContext; events: Heard; output: ParleyOutput },
    actors: { member },
    guards: {
      isOver: ({ context }) =>
        context.open.length === 0 && (!context.input.asks || context.answers.includes('approved')),
      isNew: ({ context, event }) =>
        ![...context.open, ...context.aside, ...context.settled.map(([id]) => id)].includes(event.id),
      isOpen: ({ context, event }) => [...context.open, ...context.aside].includes(event.id),
    },
    actions: {
      begin: enqueueActions(({ context, enqueue }) => {
        for (const { id, ...invocation } of context.input.members)
          enqueue.spawnChild('member', { id, input: invocation });
        const idsOf = (isAside: boolean) =>
          context.input.members.filter(({ background = false }) => background === isAside).map(({ id }) => id);
        enqueue.assign({ open: idsOf(false), aside: idsOf(true) });
        if (context.input.asks) enqueue(gate({ name: 'over', question: 'Is it over?' }));
      }),
      askAgain: gate({ name: 'over', question: 'Is it over now?' }),
      spawnOne: enqueueActions(({ context, event, enqueue }) => {
        enqueue.spawnChild('member', { id: event.id, input: event.invocation });
        const list = event.invocation.background === true ? 'aside' : 'open';
        enqueue.assign({ [list]: [...context[list], event.id] });
      }),
      stopOne: stopChild(({ event }) => event.id),
      noteStopped: assign(({ context, event }) =>
        settledAs({ context, event: { ...event, actorId: event.id } }, 'stopped'),
      ),
      noteDone: assign(({ context, event }) => settledAs({ context, event }, 'ok')),
      noteError: assign(({ context, event }) => settledAs({ context, event }, event.error.code ?? 'failed')),
      hear: assign(({ context, event }) => ({ heard: [...context.heard, event.body] })),
      noteAnswer: assign(({ context, event }) => ({ answers: [...context.answers, event.type] })),
    },
  }).createMachine({
    id: 'parley',
    context: ({ input }) => ({ input, open: [], aside: [], heard: [], settled: [], answers: [] }),
    initial: 'working',
    states: {
      working: {
        entry: 'begin',
        always: { guard: 'isOver', target: 'over' },
        on: {
          'told': { actions: 'hear' },
          'spawn': { guard: 'isNew', actions: 'spawnOne' },
          'stop': { guard: 'isOpen', actions: ['stopOne', 'noteStopped'] },
          'approved': { actions: 'noteAnswer' },
          'rejected': { actions: ['noteAnswer', 'askAgain'] },
          'xstate.done.actor.*': { actions: 'noteDone' },
          'xstate.error.actor.*': { actions: 'noteError' },
        },
      },
      over: { type: 'final' },
    },
    output: ({ context: { heard, settled, answers } }) => ({ heard, settled, answers }),
  }),
);

/** A version of it. */
export type Parley = typeof parley;

/** The next version: it does the same under another name, and takes over what any of the older ones began. */
export function nextParley(older: readonly Parley[], how: 'events' | 'state'): Parley {
  // Inputs are folded again once only: what was taken over goes on from its state.
  const rule = how === 'events' && older.length === 1 ? { events: ({ data }: OldInput) => data } : {};
  return coordinator(parley.provide({}), {
    version: `version ${older.length}`,
    migrate: older.map((from) => ({ from, ...rule })),
  }) as Parley;
}
