/** A coordinator that does what it is told: spawns and stops members on signals, keeps what it hears, ends on `end`. */
import { assign, enqueueActions, setup, stopChild } from 'xstate';
import { coordinator, member, type Invocation, type JsonValue } from 'troupe';

export interface CallerInput {
  readonly members?: readonly (Invocation & { readonly id: string })[];
  /** Ends by itself when so many members have settled. */
  readonly until?: number;
}

interface Heard {
  readonly type: string;
  /** Of whom it speaks, when it is a signal. */
  readonly id: string;
  readonly invocation?: Invocation;
  readonly output?: JsonValue;
  readonly error?: { readonly code?: string; readonly message: string };
}

/** What a {@link caller} ends with: `[event type, output or error code]`, in the order heard. */
export type CallerOutput = readonly (readonly [string, JsonValue])[];

export const caller = coordinator(
  setup({
    types: {} as {
      input: CallerInput;
      context: {
        readonly wanted: NonNullable<CallerInput['members']>;
        readonly until: number;
        readonly heard: CallerOutput;
      };
      events: Heard;
      output: CallerOutput;
    },
    actors: { member },
    guards: { isEnough: ({ context }) => context.heard.length >= context.until },
    actions: {
      spawnAll: assign(({ context, spawn }) => {
        for (const { id, ...invocation } of context.wanted) spawn('member', { id, input: invocation });
        return {};
      }),
      spawnOne: assign(({ event, spawn }) => {
        spawn('member', { id: event.id, input: event.invocation ?? {} });
        return {};
      }),
      stopOne: stopChild(({ event }) => event.id),
      respawn: enqueueActions(({ event, enqueue }) => {
        enqueue.stopChild(event.id);
        enqueue.spawnChild('member', { id: event.id, input: event.invocation ?? {} });
      }),
      note: assign({
        heard: ({ context, event: { type, error, output } }) => [
          ...context.heard,
          [type, error === undefined ? (output ?? null) : (error.code ?? error.message)] as const,
        ],
      }),
    },
  }).createMachine({
    id: 'caller',
    context: ({ input }) => ({ wanted: input.members ?? [], until: input.until ?? 1_000_000, heard: [] }),
    initial: 'working',
    states: {
      working: {
        entry: 'spawnAll',
        always: { guard: 'isEnough', target: 'over' },
        on: {
          'spawn': { actions: 'spawnOne' },
          'stop': { actions: 'stopOne' },
          'respawn': { actions: 'respawn' },
          'end': { target: 'over' },
          'xstate.done.actor.*': { actions: 'note' },
          'xstate.error.actor.*': { actions: 'note' },
        },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.heard,
  }),
);
