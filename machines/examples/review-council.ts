/**
 * A review council: reviewers work at the same time and tell each other what they find; one that dies is replaced; others may
 * join late; a judge weighs what was found, and somebody has to approve its verdict.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> reviewing
 *   reviewing --> judging: all have reviewed, or patience is over
 *   judging --> asking: the judge has spoken
 *   asking --> done: approved or rejected
 *   done --> [*]
 * ```
 *
 * Hears `finding` of its members, and `join` ({ id, lens }) of whoever wants another reviewer to sit down while it reviews.
 */
import { assign, setup } from 'xstate';
import { checkpoint, coordinator, gate, member, stopChildren, type JsonValue, type PlainError } from 'troupe';

/** One seat of the council. */
export interface Seat {
  readonly id: string;
  /** What the reviewer looks at. */
  readonly lens: string;
}

/** What the council is asked. */
export interface CouncilInput {
  readonly files: readonly string[];
  readonly seats: readonly Seat[];
  /** Reviewers that are waited for, those that join late included. Default: as many as there are seats. */
  readonly quorum?: number;
  /** Seat of the reviewer that is killed at its work, to see it replaced. Default: nobody. */
  readonly kill?: string;
  /** The judge begins with what there is after this long, ms. Default 60,000. */
  readonly patienceMs?: number;
}

/** A reviewer's report. */
export interface Review {
  readonly seat: string;
  readonly review: JsonValue;
}

/** What the council comes to. */
export interface CouncilOutput {
  readonly ship: boolean;
  readonly note: string;
  readonly verdict: JsonValue;
  readonly reviews: readonly Review[];
  readonly replaced: readonly string[];
}

interface CouncilContext {
  readonly input: CouncilInput;
  readonly seats: readonly Seat[];
  /** What was told so far: a newcomer reads it in its first minute. */
  readonly heard: readonly JsonValue[];
  readonly reviews: readonly Review[];
  readonly replaced: readonly string[];
  readonly verdict: JsonValue;
  readonly answer: { readonly ship: boolean; readonly note: string };
}

/** Everything that the machine hears, in one shape. */
interface Heard {
  readonly type: string;
  readonly actorId: string;
  readonly output: JsonValue;
  readonly error: PlainError;
  readonly from: string;
  readonly body: JsonValue;
  readonly id: string;
  readonly lens: string;
  readonly note: string;
}

const quorumOf = ({ seats, quorum = seats.length }: CouncilInput) => quorum;

const briefOf = (context: CouncilContext, { id, lens }: Seat) => ({
  harness: 'reviewer',
  input: {
    lens,
    files: context.input.files,
    heard: context.heard,
    peers: context.seats.length - 1,
    dies: context.input.kill === id,
  },
});

const byId = (event: Heard, seats: readonly Seat[]) => seats.find(({ id }) => id === event.actorId);

/** The coordinator: see the head of this file. */
export const reviewCouncil = coordinator(
  setup({
    types: {} as { input: CouncilInput; context: CouncilContext; events: Heard; output: CouncilOutput },
    actors: { member },
    delays: { patience: ({ context }) => context.input.patienceMs ?? 60_000 },
    guards: {
      allIn: ({ context }) => context.reviews.length >= quorumOf(context.input),
      isNew: ({ context, event }) => !context.seats.some(({ id }) => id === event.id),
      mayReplace: ({ context, event }) =>
        byId(event, context.seats) !== undefined && !event.actorId.endsWith(' (second)'),
    },
    actions: {
      seatAll: assign(({ context, spawn }) => {
        for (const seat of context.seats) spawn('member', { id: seat.id, input: briefOf(context, seat) });
        return {};
      }),
      seatNewcomer: assign(({ context, event, spawn }) => {
        const seat = { id: event.id, lens: event.lens };
        const seats = [...context.seats, seat];
        spawn('member', { id: seat.id, input: briefOf({ ...context, seats }, seat) });
        return { seats };
      }),
      replace: assign(({ context, event, spawn }) => {
        const gone = byId(event, context.seats) as Seat;
        const seat = { id: `${gone.id} (second)`, lens: gone.lens };
        spawn('member', { id: seat.id, input: briefOf(context, seat) });
        return {
          seats: context.seats.map((one) => (one === gone ? seat : one)),
          replaced: [...context.replaced, `${gone.id}: ${event.error.message}`],
        };
      }),
      giveUpSeat: assign(({ context, event }) => ({
        reviews: [...context.reviews, { seat: event.actorId, review: { failed: event.error.message } }],
      })),
      hear: assign(({ context, event }) => ({ heard: [...context.heard, event.body] })),
      noteReview: assign(({ context, event }) => ({
        reviews: [...context.reviews, { seat: event.actorId, review: event.output }],
      })),
      markReview: checkpoint(({ context }) => ({
        name: `review ${context.reviews.length}`,
        settled: context.reviews.length,
        total: Math.max(quorumOf(context.input), context.seats.length),
      })),
      dismiss: stopChildren(({ context }) => context.seats.map(({ id }) => id)),
      noteVerdict: assign(({ event }) => ({ verdict: event.output })),
      noVerdict: assign(({ event }) => ({ verdict: { failed: event.error.message } })),
      ask: gate(({ context }) => ({
        name: 'ship',
        question: 'The council has a verdict. Ship it?',
        data: context.verdict,
      })),
      noteAnswer: assign(({ event }) => ({ answer: { ship: event.type === 'approved', note: event.note } })),
    },
  }).createMachine({
    id: 'review-council',
    context: ({ input }) => ({
      input,
      seats: input.seats,
      heard: [],
      reviews: [],
      replaced: [],
      verdict: null,
      answer: { ship: false, note: '' },
    }),
    initial: 'reviewing',
    states: {
      reviewing: {
        entry: 'seatAll',
        always: { guard: 'allIn', target: 'judging' },
        after: { patience: 'judging' },
        on: {
          'finding': { actions: 'hear' },
          'join': { guard: 'isNew', actions: 'seatNewcomer' },
          'xstate.done.actor.*': { actions: ['noteReview', 'markReview'] },
          'xstate.error.actor.*': [
            { guard: 'mayReplace', actions: 'replace' },
            { actions: ['giveUpSeat', 'markReview'] },
          ],
        },
      },
      judging: {
        entry: 'dismiss',
        invoke: {
          src: 'member',
          id: 'judge',
          input: ({ context }) => ({ harness: 'judge', input: { reviews: context.reviews as unknown as JsonValue } }),
          onDone: { target: 'asking', actions: 'noteVerdict' },
          onError: { target: 'asking', actions: 'noVerdict' },
        },
      },
      asking: {
        entry: 'ask',
        on: {
          approved: { target: 'done', actions: 'noteAnswer' },
          rejected: { target: 'done', actions: 'noteAnswer' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => ({
      ...context.answer,
      verdict: context.verdict,
      reviews: context.reviews,
      replaced: context.replaced,
    }),
  }),
);
