/**
 * Debate: proposers propose, critics criticise what was proposed, a judge judges; round by round, until the judge accepts or
 * the rounds are over. A checkpoint after each round.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> proposing
 *   proposing --> proposing: xstate.done.actor.* / xstate.error.actor.*
 *   proposing --> criticising: all are heard
 *   criticising --> criticising: xstate.done.actor.* / xstate.error.actor.*
 *   criticising --> judging: all are heard
 *   judging --> judging: xstate.done.actor.* / xstate.error.actor.*
 *   judging --> done: is over
 *   judging --> proposing: is judged
 *   done --> [*]
 * ```
 *
 * ```ts
 * const plan = ctx.group('plan', debate, {
 *   question: 'How do we shard the journal?',
 *   proposers: [{ id: 'claude', harness: 'claude' }, { id: 'gemini', harness: 'gemini' }],
 *   critics: [{ id: 'sceptic', prompt: 'Find what breaks.' }],
 *   judge: { id: 'judge', prompt: 'Answer {"accept": true or false, "choice": "<id>", "why": "…"}.' },
 *   rounds: 3,
 * });
 * const { accepted, verdict, proposals } = await plan.output;
 * ```
 *
 * Everyone's `input` has `question`, `round` and `rounds`; proposers also get the last round's `proposals`, `critiques` and
 * `verdict`, critics this round's `proposals`, the judge this round's `proposals` and `critiques`. Whoever fails is left out of
 * the round and asked again in the next; a round without any proposal, or a judge that fails, fails the group.
 */
import { assign, enqueueActions, setup, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, member, type JsonValue } from 'troupe';
import {
  checkInput,
  checkMembers,
  checkNames,
  concurrencyMax,
  handedOn,
  memberFailed,
  membersFailed,
  spawnWork,
  wholeNumber,
  type Failure,
  type Given,
  type MemberEnd,
  type MemberInput,
  type Result,
} from './member-input.ts';
import { isAccepted } from './verdict.ts';

/** Input of {@link debate}. */
export interface DebateInput {
  /** What it is about; given to all. */
  readonly question?: JsonValue;
  /** 1 to 256. */
  readonly proposers: readonly MemberInput[];
  /** At most 256; default nobody. */
  readonly critics?: readonly MemberInput[];
  /** Accepts with output `true`, `{ accept: true, … }`, or a command's standard output that is such JSON. */
  readonly judge: MemberInput;
  /** At most so many rounds: a whole number from 1 to 100; default 3. */
  readonly rounds?: number;
  /** Put into each member's `input.previous`. */
  readonly previous?: JsonValue;
}

/** Output of {@link debate}. */
export interface DebateOutput {
  /** Did the judge accept? */
  readonly accepted: boolean;
  /** How many rounds there were. */
  readonly rounds: number;
  /** The judge's last output. */
  readonly verdict: JsonValue;
  /** Of the last round, in the order of the input. */
  readonly proposals: readonly Result[];
  readonly critiques: readonly Result[];
  /** Who failed, in which round. */
  readonly failed: readonly (Failure & { readonly round: number })[];
}

interface DebateContext {
  readonly given: Given;
  readonly question: JsonValue;
  readonly proposers: readonly MemberInput[];
  readonly critics: readonly MemberInput[];
  readonly judge: MemberInput;
  readonly rounds: number;
  readonly round: number;
  /** Of the last round that was judged, or of this one as far as it has come. */
  readonly proposals: readonly Result[];
  readonly critiques: readonly Result[];
  readonly verdict: JsonValue;
  /** Of the phase under way: how many are still to be heard, and what the others said. */
  readonly open: number;
  readonly heard: readonly Result[];
  readonly failed: readonly (Failure & { readonly round: number })[];
}

const roundsMax = 100;

function contextOf(
  { question, proposers, critics = [], judge, rounds, previous }: DebateInput,
  self: AnyActorRef,
): DebateContext {
  checkMembers('debate', proposers, { name: 'proposers', max: concurrencyMax, isGiven: true });
  checkMembers('debate', critics, { name: 'critics', min: 0, max: concurrencyMax, isGiven: true });
  const all = [...proposers, ...critics, judge];
  checkMembers('debate', all, { name: 'proposers, critics and judge', isGiven: true });
  checkNames('debate', self, all);
  return {
    given: handedOn(previous),
    question: question ?? null,
    proposers,
    critics,
    judge,
    rounds: wholeNumber('debate', 'rounds', rounds, { max: roundsMax, otherwise: 3 }),
    round: 0,
    proposals: [],
    critiques: [],
    verdict: null,
    open: 0,
    heard: [],
    failed: [],
  };
}

/** What was heard, in the order of the members. */
function inOrder(members: readonly MemberInput[], heard: readonly Result[]): readonly Result[] {
  const byId = new Map(heard.map((one) => [one.id, one]));
  return members.flatMap(({ id }) => byId.get(id) ?? []);
}

/** What everyone is told; results are JSON all through. */
function told({ given, question, round, rounds }: DebateContext, more: object): Given {
  return { ...given, question, round, rounds, ...more };
}

/** The coordinator: see the head of this file. */
export const debate = coordinator(
  setup({
    types: {} as { input: DebateInput; context: DebateContext; events: MemberEnd; output: DebateOutput },
    actors: { member },
    guards: {
      allAreHeard: ({ context }) => context.open === 0,
      isJudged: ({ context }) => context.open === 0,
      isOver: ({ context }) => context.open === 0 && (isAccepted(context.verdict) || context.round === context.rounds),
    },
    actions: {
      askProposers: assign(({ context, spawn }) => {
        const { proposers, proposals, critiques, verdict } = context;
        const round = context.round + 1;
        const last = round === 1 ? {} : { proposals, critiques, verdict };
        for (const one of proposers) spawnWork(spawn, one.id, one, told({ ...context, round }, last));
        return { round, open: proposers.length, heard: [] };
      }),
      askCritics: assign(({ context, spawn }) => {
        const proposals = inOrder(context.proposers, context.heard);
        if (proposals.length === 0) {
          const { round, failed } = context;
          throw membersFailed(
            `nobody proposed anything in round ${round}`,
            failed.filter((one) => one.round === round),
          );
        }
        for (const one of context.critics) spawnWork(spawn, one.id, one, told(context, { proposals }));
        return { proposals, open: context.critics.length, heard: [] };
      }),
      askJudge: assign(({ context, spawn }) => {
        const { proposals, judge } = context;
        const critiques = inOrder(context.critics, context.heard);
        spawnWork(spawn, judge.id, judge, told(context, { proposals, critiques }));
        return { critiques, open: 1, heard: [] };
      }),
      noteResult: enqueueActions(({ context, event, enqueue }) => {
        enqueue.stopChild(event.actorId);
        enqueue.assign({
          open: context.open - 1,
          heard: [...context.heard, { id: event.actorId, output: event.output }],
        });
      }),
      noteFailure: enqueueActions(({ context, event, enqueue }) => {
        const { actorId: id, error } = event;
        enqueue.stopChild(id);
        enqueue.assign({ open: context.open - 1, failed: [...context.failed, { id, error, round: context.round }] });
      }),
      noteVerdict: enqueueActions(({ event, enqueue }) => {
        enqueue.stopChild(event.actorId);
        enqueue.assign({ open: 0, verdict: event.output });
      }),
      failWithJudge: assign(({ event }) => {
        throw memberFailed({ id: event.actorId, error: event.error });
      }),
      markRound: checkpoint(({ context: { round, rounds, verdict } }) => ({
        name: `round ${round}`,
        reason: isAccepted(verdict) ? 'accepted' : 'not accepted',
        settled: round,
        total: rounds,
        data: verdict,
      })),
    },
  }).createMachine({
    id: 'debate',
    context: ({ input, self }) => contextOf(checkInput('debate', input), self),
    initial: 'proposing',
    states: {
      proposing: {
        entry: 'askProposers',
        always: { guard: 'allAreHeard', target: 'criticising' },
        on: {
          'xstate.done.actor.*': { actions: 'noteResult' },
          'xstate.error.actor.*': { actions: 'noteFailure' },
        },
      },
      criticising: {
        entry: 'askCritics',
        always: { guard: 'allAreHeard', target: 'judging' },
        on: {
          'xstate.done.actor.*': { actions: 'noteResult' },
          'xstate.error.actor.*': { actions: 'noteFailure' },
        },
      },
      judging: {
        entry: 'askJudge',
        always: [
          { guard: 'isOver', target: 'done', actions: 'markRound' },
          { guard: 'isJudged', target: 'proposing', actions: 'markRound' },
        ],
        on: {
          'xstate.done.actor.*': { actions: 'noteVerdict' },
          'xstate.error.actor.*': { actions: 'failWithJudge' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context: { verdict, round, proposals, critiques, failed } }) => ({
      accepted: isAccepted(verdict),
      rounds: round,
      verdict,
      proposals,
      critiques,
      failed,
    }),
  }),
);
