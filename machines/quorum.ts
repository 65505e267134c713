/**
 * Quorum: asks several members the same and ends as soon as enough of them say the same; the rest is cancelled. When so many
 * have failed or disagree that a quorum has become impossible, the group fails at once and says why.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> voting
 *   voting --> agreed: enough agree
 *   voting --> voting: xstate.done.actor.* / xstate.error.actor.* / after timeout
 *   agreed --> [*]
 * ```
 *
 * ```ts
 * const verdict = ctx.group('verdict', quorum, {
 *   members: ['a', 'b', 'c'].map((id) => ({ id, needs: ['judge'], prompt: 'Ship it? Answer {"ship": true or false, "why": "…"}.' })),
 *   atLeast: 2,
 *   field: 'ship',
 * });
 * const { value, agreed } = await verdict.output;
 * ```
 */
import { assign, enqueueActions, setup, type AnyActorRef } from 'xstate';
import { canonical, coordinator, member, type JsonValue } from 'troupe';
import {
  badInput,
  checkInput,
  checkMembers,
  checkNames,
  concurrencyMax,
  handedOn,
  milliseconds,
  oneOf,
  reasons,
  spawnWork,
  wholeNumber,
  type Failure,
  type MemberEnd,
  type MemberInput,
  type Result,
} from './member-input.ts';

/** Input of {@link quorum}. */
export interface QuorumInput {
  /** 1 to 1,000, in the order in which they are to start. */
  readonly members: readonly MemberInput[];
  /**
   * How many have to agree: a whole number from 1 to the number of members, a fraction of them between 0 and 1 (rounded
   * up), or `majority` (default): more than half.
   */
  readonly atLeast?: number | 'majority';
  /** `value` (default): members agree whose outputs are the same JSON. `success`: all that succeed agree. */
  readonly by?: 'value' | 'success';
  /** Compare only this property of each output, which is then an object; members without it vote for null. */
  readonly field?: string;
  /** Members at a time: a whole number from 1 to 256; default 256. */
  readonly concurrency?: number;
  /** The group fails when there is no quorum by then, ms >= 1; default no limit. */
  readonly timeoutMs?: number;
  /** Put into each member's `input.previous`. */
  readonly previous?: JsonValue;
}

/** Output of {@link quorum}. */
export interface QuorumOutput {
  /** What was agreed on; by `success` the output of the first to succeed. */
  readonly value: JsonValue;
  /** Who said so, in the order in which they did. */
  readonly agreed: readonly string[];
  /** Every output, in the order in which they came: dissent is what is not agreed. */
  readonly votes: readonly Result[];
  readonly failed: readonly Failure[];
  /** Who was not waited for, started or not, in the order of the input. */
  readonly cancelled: readonly string[];
}

/** Members that said the same. */
interface Camp {
  readonly value: JsonValue;
  readonly ids: readonly string[];
}

interface QuorumContext {
  readonly members: readonly MemberInput[];
  readonly atLeast: number;
  readonly by: 'value' | 'success';
  readonly field: string | null;
  readonly concurrency: number;
  readonly timeoutMs: number | null;
  readonly given: { readonly previous?: JsonValue };
  /** How many have been spawned: those before this index. */
  readonly spawned: number;
  readonly votes: readonly Result[];
  readonly failed: readonly Failure[];
  /** Who agrees with whom, in the order of the first vote for each value. */
  readonly camps: readonly Camp[];
}

const membersMax = 1_000;

function enoughOf(total: number, atLeast: number | 'majority' = 'majority'): number {
  if (atLeast === 'majority') return Math.floor(total / 2) + 1;
  // A fraction of 0.07 of 100 is 7, though 0.07 * 100 is a little more.
  if (atLeast > 0 && atLeast < 1) return Math.ceil(total * atLeast - 1e-9);
  if (Number.isInteger(atLeast) && atLeast >= 1 && atLeast <= total) return atLeast;
  throw badInput(
    'quorum',
    `expected \`atLeast\` to be a whole number from 1 to ${total}, a fraction between 0 and 1, or majority, got \`${atLeast}\` (${typeof atLeast})`,
  );
}

function contextOf(
  { members, atLeast, by, field, concurrency, timeoutMs, previous }: QuorumInput,
  self: AnyActorRef,
): QuorumContext {
  checkMembers('quorum', members, { max: membersMax, isGiven: previous !== undefined });
  checkNames('quorum', self, members);
  return {
    members,
    atLeast: enoughOf(members.length, atLeast),
    by: oneOf('quorum', 'by', by, ['value', 'success']),
    field: field ?? null,
    concurrency: wholeNumber('quorum', 'concurrency', concurrency, { max: concurrencyMax, otherwise: concurrencyMax }),
    timeoutMs: milliseconds('quorum', 'timeoutMs', timeoutMs),
    given: handedOn(previous),
    spawned: 0,
    votes: [],
    failed: [],
    camps: [],
  };
}

function voteOf({ field }: QuorumContext, output: JsonValue): JsonValue {
  if (field === null) return output;
  const isObject = typeof output === 'object' && output !== null && Object.hasOwn(output, field);
  return isObject ? ((output as { readonly [name: string]: JsonValue })[field] ?? null) : null;
}

function withVote(context: QuorumContext, id: string, output: JsonValue): readonly Camp[] {
  const { by, camps } = context;
  const value = voteOf(context, output);
  const text = by === 'success' ? '' : canonical(value);
  const index = by === 'success' ? 0 : camps.findIndex((camp) => canonical(camp.value) === text);
  const camp = camps[index];
  if (camp === undefined) return [...camps, { value, ids: [id] }];
  return camps.with(index, { value: camp.value, ids: [...camp.ids, id] });
}

/** The largest camp, the oldest of several. */
function leading({ camps }: QuorumContext): Camp | undefined {
  return camps.reduce<Camp | undefined>(
    (best, camp) => (best === undefined || camp.ids.length > best.ids.length ? camp : best),
    undefined,
  );
}

/** Who has been heard neither as a vote nor as a failure. */
function unheard({ members, votes, failed }: QuorumContext): readonly string[] {
  const heard = new Set([...votes, ...failed].map(({ id }) => id));
  return members.map(({ id }) => id).filter((id) => !heard.has(id));
}

function noQuorum({ members, atLeast, camps, failed }: QuorumContext, why: string): Error {
  const voted = camps.slice(0, 10).map(({ value, ids }) => `${ids.length} for ${canonical(value).slice(0, 80)}`);
  const lost = failed.length === 0 ? [] : [`${failed.length} failed (${reasons(failed)})`];
  const message = `${why}: a quorum of ${atLeast} of ${members.length} was wanted; ${[...voted, ...lost].join(', ') || 'nobody has voted'}`;
  const first = failed[0];
  return first === undefined ? new Error(message) : new Error(message, { cause: first.error });
}

function outputOf(context: QuorumContext): QuorumOutput {
  // The final state is reached when there is one.
  const { value, ids } = leading(context) as Camp;
  return { value, agreed: ids, votes: context.votes, failed: context.failed, cancelled: unheard(context) };
}

/** The coordinator: see the head of this file. */
export const quorum = coordinator(
  setup({
    types: {} as { input: QuorumInput; context: QuorumContext; events: MemberEnd; output: QuorumOutput },
    actors: { member },
    guards: {
      enoughAgree: ({ context }) => (leading(context)?.ids.length ?? 0) >= context.atLeast,
    },
    actions: {
      spawnNext: assign(({ context, spawn }) => {
        const { members, votes, failed, spawned, concurrency, atLeast, given } = context;
        if ((leading(context)?.ids.length ?? 0) >= atLeast) return {};
        const until = Math.max(spawned, Math.min(members.length, votes.length + failed.length + concurrency));
        for (const one of members.slice(spawned, until)) spawnWork(spawn, one.id, one, given);
        return { spawned: until };
      }),
      limitTime: enqueueActions(({ context, enqueue }) => {
        if (context.timeoutMs === null) return;
        enqueue.raise({ type: 'xstate.after.timeout' } as MemberEnd, { id: 'timeout', delay: context.timeoutMs });
      }),
      noteVote: enqueueActions(({ context, event, enqueue }) => {
        const { actorId: id, output } = event;
        enqueue.stopChild(id);
        enqueue.assign({ votes: [...context.votes, { id, output }], camps: withVote(context, id, output) });
      }),
      noteFailure: enqueueActions(({ context, event, enqueue }) => {
        enqueue.stopChild(event.actorId);
        enqueue.assign({ failed: [...context.failed, { id: event.actorId, error: event.error }] });
      }),
      failIfImpossible: assign(({ context }) => {
        const most = (leading(context)?.ids.length ?? 0) + unheard(context).length;
        if (most < context.atLeast) throw noQuorum(context, 'no quorum is possible any more');
        return {};
      }),
      failForTime: assign(({ context }) => {
        throw noQuorum(context, `no quorum in ${context.timeoutMs} ms`);
      }),
      stopRest: enqueueActions(({ context, enqueue }) => {
        const waiting = new Set(unheard(context));
        for (const { id } of context.members.slice(0, context.spawned)) if (waiting.has(id)) enqueue.stopChild(id);
      }),
    },
  }).createMachine({
    id: 'quorum',
    context: ({ input, self }) => contextOf(checkInput('quorum', input), self),
    initial: 'voting',
    states: {
      voting: {
        entry: ['spawnNext', 'limitTime'],
        always: { guard: 'enoughAgree', target: 'agreed', actions: 'stopRest' },
        on: {
          'xstate.done.actor.*': { actions: ['noteVote', 'failIfImpossible', 'spawnNext'] },
          'xstate.error.actor.*': { actions: ['noteFailure', 'failIfImpossible', 'spawnNext'] },
          'xstate.after.timeout': { actions: 'failForTime' },
        },
      },
      agreed: { type: 'final' },
    },
    output: ({ context }) => outputOf(context),
  }),
);
