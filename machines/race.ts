/**
 * Race: asks for all members at once; the first to succeed wins and the others are cancelled. A member that fails is out;
 * when all are out, or time is up, the group fails and names every failure.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> racing
 *   racing --> won: xstate.done.actor.*
 *   racing --> racing: xstate.error.actor.* / after timeout
 *   won --> [*]
 * ```
 *
 * ```ts
 * const answer = ctx.group('answer', race, {
 *   members: ['claude', 'gemini'].map((harness) => ({ id: harness, harness, prompt: 'Why does test 7 fail?' })),
 *   timeoutMs: 600_000,
 * });
 * const { winner, output } = await answer.output;
 * ```
 */
import { assign, enqueueActions, setup } from 'xstate';
import { coordinator, member, type JsonValue } from 'troupe';
import {
  checkInput,
  checkMembers,
  concurrencyMax,
  handedOn,
  membersFailed,
  milliseconds,
  spawnWork,
  type Failure,
  type MemberEnd,
  type MemberInput,
} from './member-input.ts';

/** Input of {@link race}. */
export interface RaceInput {
  /** 1 to 256, all started at once. */
  readonly members: readonly MemberInput[];
  /** The group fails when nobody has won by then, ms >= 1; default no limit. */
  readonly timeoutMs?: number;
  /** Put into each member's `input.previous`. */
  readonly previous?: JsonValue;
}

/** Output of {@link race}. */
export interface RaceOutput {
  /** Id of the winner. */
  readonly winner: string;
  readonly output: JsonValue;
  /** Who failed before that, in the order in which they did. */
  readonly failed: readonly Failure[];
  /** Who was cancelled, in the order of the input. */
  readonly cancelled: readonly string[];
}

interface RaceContext {
  readonly members: readonly MemberInput[];
  readonly timeoutMs: number | null;
  readonly given: { readonly previous?: JsonValue };
  readonly failed: readonly Failure[];
  readonly winner: { readonly id: string; readonly output: JsonValue } | null;
}

function contextOf({ members, timeoutMs, previous }: RaceInput): RaceContext {
  return {
    members: checkMembers('race', members, { max: concurrencyMax, isGiven: previous !== undefined }),
    timeoutMs: milliseconds('race', 'timeoutMs', timeoutMs),
    given: handedOn(previous),
    failed: [],
    winner: null,
  };
}

/** Who has neither won nor failed. */
function stillRacing({ members, failed, winner }: RaceContext): readonly string[] {
  const out = new Set(failed.map(({ id }) => id));
  return members.map(({ id }) => id).filter((id) => id !== winner?.id && !out.has(id));
}

function outputOf(context: RaceContext): RaceOutput {
  // The final state is reached by a winner only.
  const { id, output } = context.winner as NonNullable<RaceContext['winner']>;
  return { winner: id, output, failed: context.failed, cancelled: stillRacing(context) };
}

/** The coordinator: see the head of this file. */
export const race = coordinator(
  setup({
    types: {} as { input: RaceInput; context: RaceContext; events: MemberEnd; output: RaceOutput },
    actors: { member },
    actions: {
      spawnAll: assign(({ context, spawn }) => {
        for (const one of context.members) spawnWork(spawn, one.id, one, context.given);
        return {};
      }),
      limitTime: enqueueActions(({ context, enqueue }) => {
        if (context.timeoutMs === null) return;
        enqueue.raise({ type: 'xstate.after.timeout' } as MemberEnd, { id: 'timeout', delay: context.timeoutMs });
      }),
      noteWinner: assign(({ event }) => ({ winner: { id: event.actorId, output: event.output } })),
      stopOthers: enqueueActions(({ context, event, enqueue }) => {
        for (const id of [event.actorId, ...stillRacing(context)]) enqueue.stopChild(id);
      }),
      noteFailure: enqueueActions(({ context, event, enqueue }) => {
        const failed = [...context.failed, { id: event.actorId, error: event.error }];
        if (failed.length === context.members.length)
          throw membersFailed(`all ${failed.length} members failed`, failed);
        enqueue.stopChild(event.actorId);
        enqueue.assign({ failed });
      }),
      failForTime: assign(({ context }) => {
        throw membersFailed(`nobody won in ${context.timeoutMs} ms`, context.failed);
      }),
    },
  }).createMachine({
    id: 'race',
    context: ({ input }) => contextOf(checkInput('race', input)),
    initial: 'racing',
    states: {
      racing: {
        entry: ['spawnAll', 'limitTime'],
        on: {
          'xstate.done.actor.*': { target: 'won', actions: ['noteWinner', 'stopOthers'] },
          'xstate.error.actor.*': { actions: 'noteFailure' },
          'xstate.after.timeout': { actions: 'failForTime' },
        },
      },
      won: { type: 'final' },
    },
    output: ({ context }) => outputOf(context),
  }),
);
