/**
 * Saga: steps in order; when one fails, or `abort` comes from outside, what the steps before it did is undone in reverse order by their
 * compensations. A compensation that fails is tried again, and in the end reported; the others still take place.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> doing
 *   doing --> doing: xstate.done.actor.*
 *   doing --> done: all steps are done
 *   doing --> undoing: step cannot begin / xstate.error.actor.* / abort [is from outside]
 *   undoing --> undoing: undo is settled / xstate.done.actor.* / xstate.error.actor.*
 *   undoing --> pausing: is to be tried again
 *   undoing --> done: nothing is left to undo
 *   pausing --> undoing: after delay
 *   done --> [*]
 * ```
 *
 * ```ts
 * const booking = ctx.group('booking', saga, {
 *   steps: [
 *     { id: 'flight', command: ['book', 'flight'], compensate: { command: ['cancel', 'flight'] } },
 *     { id: 'hotel', command: ['book', 'hotel'], compensate: { command: ['cancel', 'hotel'] } },
 *     { id: 'mail', command: ['send', 'mail'] },
 *   ],
 * });
 * const { completed, results, failed, compensated, uncompensated } = await booking.output;
 * ```
 *
 * A step's `input` has `previous`, the output of the step before it. Its compensation is the member `<step>/undo`, whose
 * `input` has `output`, what the step came to (null where it failed), and `reason`. Each step is undone once: its compensation
 * may be tried several times, but is not asked for again when it has succeeded. As every attempt may be made again after a
 * crash, a compensation has to bear being made twice.
 */
import { assign, enqueueActions, setup, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, member, type JsonValue, type PlainError } from 'troupe';
import {
  badInput,
  checkInput,
  checkMembers,
  checkNames,
  checkWork,
  handedOn,
  milliseconds,
  spawnWork,
  whyNot,
  wholeNumber,
  type Failure,
  type MemberEnd,
  type MemberInput,
  type Result,
  type Work,
} from './member-input.ts';
import { isFromOutside } from './messages.ts';

/** One step. */
export type SagaStep = MemberInput & {
  /** Undoes the step; default: there is nothing to undo. */
  readonly compensate?: Work;
  /** The step is undone also when it failed, or was stopped, half-way. Default false: what failed did nothing. */
  readonly undoWhenFailed?: boolean;
};

/** Input of {@link saga}. */
export interface SagaInput {
  /** 1 to 1,000, in order. */
  readonly steps: readonly SagaStep[];
  /** How often a compensation is tried in all: a whole number from 1 to 100; default 3. */
  readonly compensationAttempts?: number;
  /** Wait before a compensation is tried again, ms >= 1; default 1,000. */
  readonly compensationDelayMs?: number;
  /** The first step's `input.previous`; default nothing. */
  readonly previous?: JsonValue;
}

/** Output of {@link saga}. */
export interface SagaOutput {
  /** True when all steps are done, and nothing was undone. */
  readonly completed: boolean;
  /** Steps that were done, in order. */
  readonly results: readonly Result[];
  /** Why it did not complete: the step that failed, or that was stopped by `abort`; null when it completed. */
  readonly failed: Failure | null;
  /** Steps that were undone, in the order in which that was done: the last step first. */
  readonly compensated: readonly string[];
  /** Steps whose compensation failed, each with its last error: somebody has to look at these. */
  readonly uncompensated: readonly Failure[];
}

interface SagaContext {
  readonly steps: readonly SagaStep[];
  readonly attemptsMax: number;
  readonly delayMs: number;
  /** `[previous]`, or nothing. */
  readonly previous: readonly JsonValue[];
  readonly results: readonly Result[];
  readonly failed: Failure | null;
  /** Steps to undo, the next one first. */
  readonly toUndo: readonly string[];
  /** How often the next one has been tried. */
  readonly attempts: number;
  readonly lastError: PlainError | null;
  /** Is its compensation under way? */
  readonly isUndoing: boolean;
  readonly compensated: readonly string[];
  readonly uncompensated: readonly Failure[];
}

/** What it hears; `abort` may say why. */
interface Heard extends MemberEnd {
  readonly from?: string;
  readonly reason?: JsonValue;
}

const stepsMax = 1_000;

function contextOf(
  { steps, compensationAttempts, compensationDelayMs, previous }: SagaInput,
  self: AnyActorRef,
): SagaContext {
  checkMembers('saga', steps, { name: 'steps', max: stepsMax, isGiven: true });
  checkNames('saga', self, steps);
  const ids = new Set(steps.map(({ id }) => id));
  for (const { id, compensate } of steps) {
    if (compensate === undefined) continue;
    const undo = undoId(id);
    checkWork('saga', undo, compensate);
    if (ids.has(undo))
      throw badInput('saga', `step \`${undo}\` has the name of the compensation of step \`${id}\`. Give it another id`);
  }
  return {
    steps,
    attemptsMax: wholeNumber('saga', 'compensationAttempts', compensationAttempts, { max: 100, otherwise: 3 }),
    delayMs: milliseconds('saga', 'compensationDelayMs', compensationDelayMs) ?? 1_000,
    previous: previous === undefined ? [] : [previous],
    results: [],
    failed: null,
    toUndo: [],
    attempts: 0,
    lastError: null,
    isUndoing: false,
    compensated: [],
    uncompensated: [],
  };
}

function undoId(step: string): string {
  return `${step}/undo`;
}

/** The step under way; undefined when all are done. */
function current({ steps, results }: SagaContext): SagaStep | undefined {
  return steps[results.length];
}

/** What remains when the step under way has failed: the steps to undo, the last first. */
function withFailure(context: SagaContext, error: PlainError): Partial<SagaContext> {
  const { steps, results } = context;
  const failed = current(context) as SagaStep;
  const begun = failed.undoWhenFailed === true ? results.length + 1 : results.length;
  const toUndo = steps
    .slice(0, begun)
    .filter(({ compensate }) => compensate !== undefined)
    .map(({ id }) => id);
  return { failed: { id: failed.id, error }, toUndo: toUndo.toReversed() };
}

/** The coordinator: see the head of this file. */
export const saga = coordinator(
  setup({
    types: {} as { input: SagaInput; context: SagaContext; events: Heard; output: SagaOutput },
    actors: { member },
    guards: {
      allStepsAreDone: ({ context }) => current(context) === undefined,
      stepCannotBegin: ({ context }) => context.failed !== null,
      isFromOutside: ({ event }) => isFromOutside(event),
      nothingIsLeftToUndo: ({ context }) => context.toUndo.length === 0,
      isToBeTriedAgain: ({ context }) => !context.isUndoing && context.attempts > 0,
      // Entering the state asks for the next one, so it is entered once for each.
      undoIsSettled: ({ context }) => !context.isUndoing,
    },
    delays: { delay: ({ context }) => context.delayMs },
    actions: {
      doStep: assign(({ context, spawn }) => {
        const step = current(context);
        if (step === undefined) return {};
        const { compensate: _compensate, undoWhenFailed: _undoWhenFailed, ...work } = step;
        const last = context.results.at(-1);
        try {
          const given = handedOn(last === undefined ? context.previous[0] : last.output);
          spawnWork(spawn, step.id, work as MemberInput, given);
        } catch (error) {
          // Before anything was done the group may as well fail; afterwards it is undone.
          if (last === undefined) throw error;
          return withFailure(context, whyNot(error));
        }
        return {};
      }),
      noteDone: enqueueActions(({ context, event, enqueue }) => {
        enqueue.stopChild(event.actorId);
        enqueue.assign({ results: [...context.results, { id: event.actorId, output: event.output }] });
        enqueue(
          checkpoint({
            name: event.actorId,
            reason: 'step is done',
            settled: context.results.length + 1,
            total: context.steps.length,
          }),
        );
      }),
      noteFailed: enqueueActions(({ context, event, enqueue }) => {
        enqueue.stopChild(event.actorId);
        enqueue.assign(withFailure(context, event.error));
      }),
      noteAborted: enqueueActions(({ context, event, enqueue }) => {
        const reason = typeof event.reason === 'string' ? event.reason : 'abort';
        enqueue.stopChild(current(context)?.id as string);
        enqueue.assign(withFailure(context, { name: 'Aborted', message: `aborted: ${reason}` }));
      }),
      undoNext: assign(({ context, spawn }) => {
        const id = context.toUndo[0];
        const step = context.steps.find((one) => one.id === id);
        if (id === undefined || step?.compensate === undefined) return {};
        const output = context.results.find((one) => one.id === id)?.output ?? null;
        try {
          spawnWork(spawn, undoId(id), step.compensate, { output, reason: context.failed?.error.message ?? '' });
        } catch (error) {
          // It would be the same the next time; those before it can be undone all the same.
          const uncompensated = [...context.uncompensated, { id, error: whyNot(error) }];
          return { toUndo: context.toUndo.slice(1), uncompensated };
        }
        return { isUndoing: true };
      }),
      noteUndone: enqueueActions(({ context, event, enqueue }) => {
        const [id = '', ...toUndo] = context.toUndo;
        enqueue.stopChild(event.actorId);
        enqueue.assign({ toUndo, attempts: 0, isUndoing: false, compensated: [...context.compensated, id] });
        enqueue(
          checkpoint({
            name: undoId(id),
            reason: 'step is undone',
            settled: context.compensated.length + 1,
            total: context.compensated.length + context.uncompensated.length + context.toUndo.length,
          }),
        );
      }),
      noteNotUndone: enqueueActions(({ context, event, enqueue }) => {
        const [id = '', ...toUndo] = context.toUndo;
        const attempts = context.attempts + 1;
        enqueue.stopChild(event.actorId);
        if (attempts < context.attemptsMax) enqueue.assign({ attempts, isUndoing: false });
        else
          enqueue.assign({
            toUndo,
            attempts: 0,
            isUndoing: false,
            uncompensated: [...context.uncompensated, { id, error: event.error }],
          });
      }),
    },
  }).createMachine({
    id: 'saga',
    context: ({ input, self }) => contextOf(checkInput('saga', input), self),
    initial: 'doing',
    states: {
      doing: {
        entry: 'doStep',
        always: [
          { guard: 'allStepsAreDone', target: 'done' },
          { guard: 'stepCannotBegin', target: 'undoing' },
        ],
        on: {
          'xstate.done.actor.*': { target: 'doing', reenter: true, actions: 'noteDone' },
          'xstate.error.actor.*': { target: 'undoing', actions: 'noteFailed' },
          'abort': { guard: 'isFromOutside', target: 'undoing', actions: 'noteAborted' },
        },
      },
      undoing: {
        entry: 'undoNext',
        always: [
          { guard: 'nothingIsLeftToUndo', target: 'done' },
          { guard: 'isToBeTriedAgain', target: 'pausing' },
          { guard: 'undoIsSettled', target: 'undoing', reenter: true },
        ],
        on: {
          'xstate.done.actor.*': { actions: 'noteUndone' },
          'xstate.error.actor.*': { actions: 'noteNotUndone' },
        },
      },
      pausing: { after: { delay: 'undoing' } },
      done: { type: 'final' },
    },
    output: ({ context: { failed, results, compensated, uncompensated } }) => ({
      completed: failed === null,
      results,
      failed,
      compensated,
      uncompensated,
    }),
  }),
);
