/**
 * Fan-out and fan-in: asks for every member, at most so many at a time, marks the way with checkpoints, and ends
 * when all have settled.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> working
 *   working --> working: xstate.done.actor.* / xstate.error.actor.*
 *   working --> done: all settled
 *   done --> [*]
 * ```
 *
 * ```ts
 * const checks = ctx.group('checks', fanOut, {
 *   members: [{ id: 'types', command: ['npx', 'tsc'] }, { id: 'lint', command: ['npx', 'oxlint'] }],
 *   concurrency: 3,
 *   checkpointEvery: 2,
 * });
 * const { results, failed } = await checks.output;
 * ```
 */
import { assign, enqueueActions, setup, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, member, stopChildren, type JsonValue, type PlainError } from 'troupe';
import {
  checkInput,
  checkMembers,
  checkNames,
  concurrencyMax,
  oneOf,
  spawnWork,
  wholeNumber,
  type MemberEnd,
  type MemberInput,
} from './member-input.ts';
import { shortened } from './shortened.ts';

/** One member: its id, and what is wanted of it. */
export type FanOutMember = MemberInput;

/** Input of {@link fanOut}. */
export interface FanOutInput {
  /** In the order in which they are to start; those with `background: true` start at once, beside `concurrency`, and are not waited for. */
  readonly members: readonly FanOutMember[];
  /** Members at a time: a whole number >= 1; default (and at most) 256. */
  readonly concurrency?: number;
  /** A checkpoint after every so many settled members: a whole number >= 1; default none. */
  readonly checkpointEvery?: number;
  /**
   * `best-effort` (default): failures are collected and the rest goes on. `fail-fast`: the first failure stops the
   * others and fails the group with that member's error as its cause.
   */
  readonly policy?: 'best-effort' | 'fail-fast';
}

/**
 * Output of {@link fanOut}; both lists are in the order of the input's members. Background members are no part of it. What commands wrote
 * (`stdout` and `stderr` of their outputs) takes 5 MiB in all at most: of the longest only the end is left then, and they are `truncated`.
 */
export interface FanOutOutput {
  readonly results: readonly { readonly id: string; readonly output: JsonValue }[];
  readonly failed: readonly { readonly id: string; readonly error: PlainError }[];
  readonly settled: number;
  readonly total: number;
}

type Settled =
  | { readonly id: string; readonly output: JsonValue }
  | { readonly id: string; readonly error: PlainError };

/** Settled members are kept in slices, so that noting one copies a slice and not all (10,000 members stay linear). */
const sliceLength = 128;

/** Where many work at a time they are asked for in shares, one copy of XState's map of children for each: up to so many places in a hundred wait for it. */
const waitingPlacesMax = 6;

/** Of a group's output, which may take 7 MiB, so much is for what commands wrote. */
const writtenBytesMax = 5 * 2 ** 20;

/** So many settled members are let go together, for the same reason; a slice holds a whole number of them. */
const stoppedTogether = 32;

interface FanOutContext {
  /** Those that are waited for. */
  readonly members: readonly FanOutMember[];
  readonly background: readonly FanOutMember[];
  readonly concurrency: number;
  readonly checkpointEvery: number | null;
  readonly policy: 'best-effort' | 'fail-fast';
  /** How many members have been spawned: those before this index. */
  readonly spawned: number;
  readonly settled: number;
  readonly slices: readonly (readonly Settled[])[];
}

function contextOf(input: FanOutInput, self: AnyActorRef): FanOutContext {
  const { concurrency, checkpointEvery, policy } = checkInput('fan-out', input);
  const members = checkMembers('fan-out', input.members, { min: 0 });
  checkNames('fan-out', self, members);
  const background = members.filter(isBackground);
  return {
    members: background.length === 0 ? members : members.filter((one) => !isBackground(one)),
    background,
    concurrency: Math.min(
      concurrencyMax,
      wholeNumber('fan-out', 'concurrency', concurrency, { otherwise: concurrencyMax }),
    ),
    checkpointEvery:
      checkpointEvery === undefined ? null : wholeNumber('fan-out', 'checkpointEvery', checkpointEvery, {}),
    policy: oneOf('fan-out', 'policy', policy, ['best-effort', 'fail-fast']),
    spawned: 0,
    settled: 0,
    slices: [],
  };
}

function isBackground(one: FanOutMember): boolean {
  return 'background' in one && one.background === true;
}

function withSettled({ slices, settled }: FanOutContext, one: Settled): Partial<FanOutContext> {
  const last = slices.at(-1);
  const isFull = last === undefined || last.length === sliceLength;
  return {
    settled: settled + 1,
    slices: isFull ? [...slices, [one]] : [...slices.slice(0, -1), [...last, one]],
  };
}

function outputOf({ members, slices, settled }: FanOutContext): FanOutOutput {
  const byId = new Map(slices.flat().map((one) => [one.id, one]));
  const results: { readonly id: string; readonly output: JsonValue }[] = [];
  const failed: { readonly id: string; readonly error: PlainError }[] = [];
  for (const { id } of members) {
    const one = byId.get(id);
    if (one === undefined) continue;
    if ('error' in one) failed.push(one);
    else results.push(one);
  }
  return { results: shortened(results, writtenBytesMax), failed, settled, total: members.length };
}

/** The coordinator: see the head of this file. */
export const fanOut = coordinator(
  setup({
    types: {} as { input: FanOutInput; context: FanOutContext; events: MemberEnd; output: FanOutOutput },
    actors: { member },
    guards: {
      allSettled: ({ context }) => context.settled === context.members.length,
      failsFast: ({ context }) => context.policy === 'fail-fast',
      isBackground: ({ context, event }) => context.background.some(({ id }) => id === event.actorId),
    },
    actions: {
      spawnBackground: assign(({ context, spawn }) => {
        for (const one of context.background) spawnWork(spawn, one.id, one);
        return {};
      }),
      spawnNext: assign(({ context, spawn }) => {
        const until = Math.min(context.members.length, context.settled + context.concurrency);
        const share = Math.max(1, Math.floor((context.concurrency * waitingPlacesMax) / 100));
        if (until - context.spawned < share && until < context.members.length) return {};
        for (const one of context.members.slice(context.spawned, until)) spawnWork(spawn, one.id, one);
        return { spawned: Math.max(until, context.spawned) };
      }),
      noteResult: assign(({ context, event }) => withSettled(context, { id: event.actorId, output: event.output })),
      noteFailure: assign(({ context, event }) => withSettled(context, { id: event.actorId, error: event.error })),
      stopSettled: stopChildren(({ context: { slices, settled } }) =>
        settled % stoppedTogether === 0 ? (slices.at(-1) ?? []).slice(-stoppedTogether).map(({ id }) => id) : [],
      ),
      markProgress: enqueueActions(({ context, enqueue }) => {
        const { settled, checkpointEvery, members } = context;
        if (checkpointEvery === null || settled % checkpointEvery !== 0) return;
        const number = settled / checkpointEvery;
        enqueue(
          checkpoint({
            name: `checkpoint ${number}`,
            reason: `every ${checkpointEvery}`,
            settled,
            total: members.length,
          }),
        );
      }),
      failWithMember: assign(({ event }) => {
        const { actorId, error } = event;
        throw Object.assign(new Error(`member \`${actorId}\` failed: ${error.message}`, { cause: error }), {
          code: error.code,
        });
      }),
    },
  }).createMachine({
    id: 'fan-out',
    context: ({ input, self }) => contextOf(input, self),
    initial: 'working',
    states: {
      working: {
        entry: ['spawnBackground', 'spawnNext'],
        always: { guard: 'allSettled', target: 'done' },
        on: {
          'xstate.done.actor.*': [
            { guard: 'isBackground' },
            { actions: ['noteResult', 'stopSettled', 'spawnNext', 'markProgress'] },
          ],
          'xstate.error.actor.*': [
            { guard: 'isBackground' },
            { guard: 'failsFast', actions: 'failWithMember' },
            { actions: ['noteFailure', 'stopSettled', 'spawnNext', 'markProgress'] },
          ],
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => outputOf(context),
  }),
);
