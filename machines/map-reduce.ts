/**
 * Map-reduce: asks for every member, at most so many at a time; then a reduce member makes one value of their results. With
 * `reduceEvery` the results are reduced in slices of so many, and what comes of that in slices again, until one value is left.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> mapping
 *   mapping --> mapping: xstate.done.actor.* / xstate.error.actor.*
 *   mapping --> reducing: all mapped
 *   reducing --> reducing: xstate.done.actor.* / xstate.error.actor.* / level is done
 *   reducing --> done: one is left
 *   done --> [*]
 * ```
 *
 * ```ts
 * const summary = ctx.group('summary', mapReduce, {
 *   members: files.map((file) => ({ id: file, prompt: `Summarise ${file}.` })),
 *   reduce: { prompt: 'Make one summary of the results in your input.' },
 *   reduceEvery: 10,
 *   concurrency: 4,
 * });
 * const { value, failed } = await summary.output;
 * ```
 *
 * A reduce member is called `reduce-<level>-<number>`, both from 1. Its `input` is that of `reduce` and
 * `{ results: [{ id, output }], level, number, of }`: results in the order of the members, whatever the order they came in;
 * `of` is how many slices the level has, 1 at the last. Beyond level 1 a result's id is that of a reduce member.
 */
import { assign, enqueueActions, setup, stopChild, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, member, type JsonValue } from 'troupe';
import {
  badInput,
  checkInput,
  checkMembers,
  checkNames,
  checkWork,
  concurrencyMax,
  handedOn,
  memberFailed,
  membersFailed,
  oneOf,
  spawnWork,
  wholeNumber,
  type Failure,
  type MemberEnd,
  type MemberInput,
  type Result,
  type Work,
} from './member-input.ts';
import { added, listOf, type Slices } from './slices.ts';

/** Input of {@link mapReduce}. */
export interface MapReduceInput {
  /** In the order in which they are to start, and in which their results are reduced. None at all is fine: nothing is reduced then. */
  readonly members: readonly MemberInput[];
  /** What makes one value of several. With `reduceEvery` it also has to make one of its own values. */
  readonly reduce: Work;
  /** Results to a reduce member: a whole number >= 2; default all. */
  readonly reduceEvery?: number;
  /** Members at a time, reduce members too: a whole number from 1 to 256; default 256. */
  readonly concurrency?: number;
  /** A checkpoint after every so many mapped members: a whole number >= 1; default none. Each level has its own in any case. */
  readonly checkpointEvery?: number;
  /** `best-effort` (default): members that fail are left out. `fail-fast`: the first failure fails the group. A reduce member's failure always does. */
  readonly policy?: 'best-effort' | 'fail-fast';
  /** Put into each member's `input.previous`, the reduce members' too. */
  readonly previous?: JsonValue;
}

/** Output of {@link mapReduce}. */
export interface MapReduceOutput {
  /** The output of the last reduce member. */
  readonly value: JsonValue;
  /** Members that were left out, in the order of the input. */
  readonly failed: readonly Failure[];
  /** Members that were reduced. */
  readonly mapped: number;
  /** Levels of reduction. */
  readonly levels: number;
}

interface MapReduceContext {
  readonly members: readonly MemberInput[];
  readonly reduce: Work;
  readonly reduceEvery: number | null;
  readonly concurrency: number;
  readonly checkpointEvery: number | null;
  readonly policy: 'best-effort' | 'fail-fast';
  readonly given: { readonly previous?: JsonValue };
  /** 0 while mapping. */
  readonly level: number;
  /** What this level reduces; empty at level 0. */
  readonly items: readonly Result[];
  /** How many members this level has. */
  readonly total: number;
  /** How many of them have been spawned. */
  readonly spawned: number;
  /** What this level has come to, in the order in which it came. */
  readonly results: Slices<Result>;
  readonly settled: number;
  readonly failed: Slices<Failure>;
  readonly mapped: number;
}

function contextOf(input: MapReduceInput, self: AnyActorRef): MapReduceContext {
  const { members, reduce, reduceEvery, concurrency, checkpointEvery, policy, previous } = input;
  checkMembers('map-reduce', members, { min: 0, isGiven: previous !== undefined });
  checkNames('map-reduce', self, members);
  if (typeof reduce !== 'object' || reduce === null)
    throw badInput('map-reduce', "expected `reduce` to be an invocation like {prompt: '...'}");
  checkWork('map-reduce', 'reduce', reduce);
  return {
    members,
    reduce,
    reduceEvery: reduceEvery === undefined ? null : wholeNumber('map-reduce', 'reduceEvery', reduceEvery, { min: 2 }),
    concurrency: wholeNumber('map-reduce', 'concurrency', concurrency, {
      max: concurrencyMax,
      otherwise: concurrencyMax,
    }),
    checkpointEvery:
      checkpointEvery === undefined ? null : wholeNumber('map-reduce', 'checkpointEvery', checkpointEvery, {}),
    policy: oneOf('map-reduce', 'policy', policy, ['best-effort', 'fail-fast']),
    given: handedOn(previous),
    level: 0,
    items: [],
    total: members.length,
    spawned: 0,
    results: [],
    settled: 0,
    failed: [],
    mapped: 0,
  };
}

/** What this level has come to, in the order of its members. */
function inOrder(context: MapReduceContext): readonly Result[] {
  const byId = new Map(listOf(context.results).map((one) => [one.id, one]));
  const ids =
    context.level === 0
      ? context.members.map(({ id }) => id)
      : Array.from({ length: context.total }, (_, index) => reduceId(context.level, index));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

function reduceId(level: number, index: number): string {
  return `reduce-${level}-${index + 1}`;
}

function failuresInOrder({ members, failed }: MapReduceContext): readonly Failure[] {
  const byId = new Map(listOf(failed).map((one) => [one.id, one]));
  return members.flatMap(({ id }) => byId.get(id) ?? []);
}

function outputOf(context: MapReduceContext): MapReduceOutput {
  const value = inOrder(context)[0]?.output ?? null;
  return { value, failed: failuresInOrder(context), mapped: context.mapped, levels: context.level };
}

/** The coordinator: see the head of this file. */
export const mapReduce = coordinator(
  setup({
    types: {} as { input: MapReduceInput; context: MapReduceContext; events: MemberEnd; output: MapReduceOutput },
    actors: { member },
    guards: {
      allMapped: ({ context }) => context.settled === context.total,
      levelIsDone: ({ context }) => context.total > 1 && context.settled === context.total,
      oneIsLeft: ({ context }) => context.total === 1 && context.settled === 1,
      failsFast: ({ context }) => context.policy === 'fail-fast',
    },
    actions: {
      spawnMembers: assign(({ context, spawn }) => {
        const { members, settled, concurrency, spawned, given } = context;
        const until = Math.max(spawned, Math.min(members.length, settled + concurrency));
        for (const one of members.slice(spawned, until)) spawnWork(spawn, one.id, one, given);
        return { spawned: until };
      }),
      nextLevel: assign(({ context }) => {
        const items = inOrder(context);
        const failed = failuresInOrder(context);
        if (items.length === 0 && failed.length > 0)
          throw membersFailed(`all ${failed.length} members failed, there is nothing to reduce`, failed);
        const total = Math.max(1, Math.ceil(items.length / (context.reduceEvery ?? Math.max(1, items.length))));
        const mapped = context.level === 0 ? items.length : context.mapped;
        return { level: context.level + 1, items, mapped, total, spawned: 0, results: [], settled: 0 };
      }),
      spawnReducers: assign(({ context, spawn }) => {
        const { items, reduce, reduceEvery, level, total, settled, concurrency, spawned, given } = context;
        const until = Math.max(spawned, Math.min(total, settled + concurrency));
        const size = reduceEvery ?? items.length;
        for (let index = spawned; index < until; index += 1) {
          // What the kernel writes down is a copy, so that slices of the list may be handed on.
          const results = items.slice(index * size, (index + 1) * size) as unknown as JsonValue;
          spawnWork(spawn, reduceId(level, index), reduce, { ...given, results, level, number: index + 1, of: total });
        }
        return { spawned: until };
      }),
      noteResult: assign(({ context, event }) => ({
        results: added(context.results, { id: event.actorId, output: event.output }),
        settled: context.settled + 1,
      })),
      noteFailure: assign(({ context, event }) => ({
        failed: added(context.failed, { id: event.actorId, error: event.error }),
        settled: context.settled + 1,
      })),
      stopSettled: stopChild(({ event }) => event.actorId),
      failWithMember: assign(({ event }) => {
        throw memberFailed({ id: event.actorId, error: event.error });
      }),
      markProgress: enqueueActions(({ context, enqueue }) => {
        const { settled, total, checkpointEvery } = context;
        if (checkpointEvery === null || settled % checkpointEvery !== 0) return;
        enqueue(checkpoint({ name: `mapped ${settled}`, reason: `every ${checkpointEvery}`, settled, total }));
      }),
      markLevel: checkpoint(({ context: { level, settled, total } }) => ({
        name: level === 0 ? 'mapped' : `level ${level}`,
        settled,
        total,
      })),
    },
  }).createMachine({
    id: 'map-reduce',
    context: ({ input, self }) => contextOf(checkInput('map-reduce', input), self),
    initial: 'mapping',
    states: {
      mapping: {
        entry: 'spawnMembers',
        always: { guard: 'allMapped', target: 'reducing', actions: 'markLevel' },
        on: {
          'xstate.done.actor.*': { actions: ['noteResult', 'stopSettled', 'spawnMembers', 'markProgress'] },
          'xstate.error.actor.*': [
            { guard: 'failsFast', actions: 'failWithMember' },
            { actions: ['noteFailure', 'stopSettled', 'spawnMembers', 'markProgress'] },
          ],
        },
      },
      reducing: {
        entry: ['nextLevel', 'spawnReducers'],
        always: [
          { guard: 'oneIsLeft', target: 'done', actions: 'markLevel' },
          { guard: 'levelIsDone', target: 'reducing', reenter: true, actions: 'markLevel' },
        ],
        on: {
          'xstate.done.actor.*': { actions: ['noteResult', 'stopSettled', 'spawnReducers'] },
          'xstate.error.actor.*': { actions: 'failWithMember' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => outputOf(context),
  }),
);
