/**
 * Election: one member of a ring leads at a time. When the leader fails, resigns or is not heard of for too long, the next of the
 * ring takes over, and is told what happened. There are never two leaders: the old one is stopped in the same turn.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> leading
 *   leading --> leading: xstate.done.actor.* [hands over] / xstate.error.actor.* [has terms left] / xstate.error.actor.* / resign [may resign] / after lease [has terms left] / after lease / alive
 *   leading --> done: xstate.done.actor.* / stop [is from outside]
 *   done --> [*]
 * ```
 *
 * ```ts
 * const lead = ctx.group('lead', election, {
 *   members: ['claude', 'gemini', 'local'].map((id) => ({ id, harness: id })),
 *   lead: { prompt: 'Lead the migration. Your input says what the leaders before you did.' },
 *   leaseMs: 600_000,
 * });
 * const { leader, output, terms } = await lead.output;
 * ```
 *
 * A member leads by performing `lead`, with its own fields over it. Its `input` has `term`, from 1, and `before`: how the term
 * before ended, null in the first. Events: `resign`, from the leader or from outside, hands over; `alive`, from the
 * leader, renews its lease; `stop`, from outside, ends the election.
 */
import { enqueueActions, setup, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, member, type Invocation, type JsonValue, type PlainError } from 'troupe';
import {
  checkInput,
  checkMembers,
  checkNames,
  checkWork,
  handedOn,
  memberFailed,
  milliseconds,
  oneOf,
  spawnWork,
  wholeNumber,
  type Given,
  type MemberEnd,
  type MemberInput,
} from './member-input.ts';
import { isFrom, isFromOutside } from './messages.ts';

/** Input of {@link election}. */
export interface ElectionInput {
  /** The ring, the first leader first; 1 to 1,000. */
  readonly members: readonly MemberInput[];
  /** What whoever leads has to do; each member's own fields stand over it. Default: nothing but the member's own. */
  readonly lead?: Invocation;
  /** `end` (default): a leader that succeeds ends the election. `next`: it hands over, until the terms are used up. */
  readonly onSuccess?: 'end' | 'next';
  /** Terms in all: a whole number from 1 to 1,000; default three times the ring. When the last one fails, the group fails. */
  readonly termsMax?: number;
  /** A leader that says nothing for so long is deposed, ms >= 1; default never. Only `alive` messages count. */
  readonly leaseMs?: number;
  /** Put into each member's `input.previous`. */
  readonly previous?: JsonValue;
}

/** One leader's time. */
export interface Term {
  /** From 1. */
  readonly term: number;
  readonly leader: string;
  readonly end: 'succeeded' | 'failed' | 'resigned' | 'deposed' | 'stopped';
  readonly output?: JsonValue;
  readonly error?: PlainError;
}

/** Output of {@link election}. */
export interface ElectionOutput {
  /** Who led last. */
  readonly leader: string;
  /** The output of the last leader that succeeded; null when none has. */
  readonly output: JsonValue;
  readonly terms: readonly Term[];
}

interface ElectionContext {
  readonly given: Given;
  readonly members: readonly MemberInput[];
  readonly lead: Invocation;
  readonly onSuccess: 'end' | 'next';
  readonly termsMax: number;
  readonly leaseMs: number | null;
  readonly terms: readonly Term[];
}

/** What it hears; messages say who they are from. */
interface Heard extends MemberEnd {
  readonly from?: string;
}

function contextOf(
  { members, lead = {}, onSuccess, termsMax, leaseMs, previous }: ElectionInput,
  self: AnyActorRef,
): ElectionContext {
  checkMembers('election', members, { max: 1_000, isGiven: true });
  checkNames('election', self, members);
  checkWork('election', 'lead', lead);
  return {
    members,
    given: handedOn(previous),
    lead,
    onSuccess: oneOf('election', 'onSuccess', onSuccess, ['end', 'next']),
    termsMax: wholeNumber('election', 'termsMax', termsMax, {
      max: 1_000,
      otherwise: Math.min(1_000, members.length * 3),
    }),
    leaseMs: milliseconds('election', 'leaseMs', leaseMs),
    terms: [],
  };
}

/** The leader of this term. */
function leaderOf({ members, terms }: ElectionContext): MemberInput {
  // The ring is not empty.
  return members[terms.length % members.length] as MemberInput;
}

function withEnd(context: ElectionContext, end: Omit<Term, 'term' | 'leader'>): { readonly terms: readonly Term[] } {
  const { terms } = context;
  return { terms: [...terms, { term: terms.length + 1, leader: leaderOf(context).id, ...end }] };
}

/** How this event ends the term. */
function endBy(event: Heard): Omit<Term, 'term' | 'leader'> {
  if (event.type.startsWith('xstate.done.')) return { end: 'succeeded', output: event.output };
  if (event.type.startsWith('xstate.error.')) return { end: 'failed', error: event.error };
  if (event.type === 'resign') return { end: 'resigned' };
  return event.type === 'stop' ? { end: 'stopped' } : { end: 'deposed' };
}

/** The coordinator: see the head of this file. */
export const election = coordinator(
  setup({
    types: {} as { input: ElectionInput; context: ElectionContext; events: Heard; output: ElectionOutput },
    actors: { member },
    guards: {
      handsOver: ({ context }) => context.onSuccess === 'next' && context.terms.length + 1 < context.termsMax,
      hasTermsLeft: ({ context }) => context.terms.length + 1 < context.termsMax,
      mayResign: ({ context, event }) =>
        (isFromOutside(event) || isFrom(leaderOf(context).id, event)) && context.terms.length + 1 < context.termsMax,
      isAlive: ({ context, event }) => isFrom(leaderOf(context).id, event),
      isFromOutside: ({ event }) => isFromOutside(event),
    },
    actions: {
      elect: enqueueActions(({ context, enqueue }) => {
        enqueue.assign(({ spawn }) => {
          const leader = leaderOf(context);
          const { terms, lead } = context;
          const work =
            'machine' in leader
              ? leader
              : {
                  ...lead,
                  ...leader,
                  input: { ...(lead.input as object | undefined), ...(leader.input as object | undefined) },
                };
          // A term is JSON all through.
          spawnWork(spawn, leader.id, work, {
            ...context.given,
            term: terms.length + 1,
            before: (terms.at(-1) ?? null) as unknown as JsonValue,
          });
          return {};
        });
        if (context.leaseMs !== null)
          enqueue.raise({ type: 'xstate.after.lease' } as Heard, { id: 'lease', delay: context.leaseMs });
      }),
      renewLease: enqueueActions(({ context, enqueue }) => {
        if (context.leaseMs === null) return;
        enqueue.cancel('lease');
        enqueue.raise({ type: 'xstate.after.lease' } as Heard, { id: 'lease', delay: context.leaseMs });
      }),
      endTerm: enqueueActions(({ context, event, enqueue }) => {
        const { id } = leaderOf(context);
        const ended = withEnd(context, endBy(event));
        const { term, end } = ended.terms.at(-1) as Term;
        enqueue.cancel('lease');
        enqueue.stopChild(id);
        enqueue.assign(ended);
        enqueue(checkpoint({ name: `term ${term}`, reason: `${id} ${end}`, settled: term, total: context.termsMax }));
      }),
      failWithLeader: enqueueActions(({ context, event }) => {
        const { id } = leaderOf(context);
        const why = event.type.startsWith('xstate.error.')
          ? event.error
          : { name: 'Error', message: `it was not heard of for ${context.leaseMs} ms` };
        const failed = memberFailed({ id, error: why });
        throw Object.assign(failed, {
          message: `nobody has led to the end in ${context.termsMax} terms: ${failed.message}`,
        });
      }),
    },
  }).createMachine({
    id: 'election',
    context: ({ input, self }) => contextOf(checkInput('election', input), self),
    initial: 'leading',
    states: {
      leading: {
        entry: 'elect',
        on: {
          'xstate.done.actor.*': [
            { guard: 'handsOver', target: 'leading', reenter: true, actions: 'endTerm' },
            { target: 'done', actions: 'endTerm' },
          ],
          'xstate.error.actor.*': [
            { guard: 'hasTermsLeft', target: 'leading', reenter: true, actions: 'endTerm' },
            { actions: 'failWithLeader' },
          ],
          'xstate.after.lease': [
            { guard: 'hasTermsLeft', target: 'leading', reenter: true, actions: 'endTerm' },
            { actions: 'failWithLeader' },
          ],
          'resign': { guard: 'mayResign', target: 'leading', reenter: true, actions: 'endTerm' },
          'alive': { guard: 'isAlive', actions: 'renewLease' },
          'stop': { guard: 'isFromOutside', target: 'done', actions: 'endTerm' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context: { terms } }) => ({
      leader: terms.at(-1)?.leader ?? '',
      output: terms.findLast(({ end }) => end === 'succeeded')?.output ?? null,
      terms,
    }),
  }),
);
