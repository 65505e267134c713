/**
 * Pipeline: steps one after another, each one member or several in parallel; what a step has come to is handed on to the
 * next one's members as `input.previous`. A checkpoint after each step.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> stepping
 *   stepping --> stepping: step is over / xstate.done.actor.* / xstate.error.actor.*
 *   stepping --> done: all steps are over
 *   done --> [*]
 * ```
 *
 * ```ts
 * const release = ctx.group('release', pipeline, {
 *   steps: [
 *     { id: 'build', command: ['npm', 'run', 'build'] },
 *     { id: 'check', members: [{ id: 'types', command: ['npx', 'tsc'] }, { id: 'lint', command: ['npx', 'oxlint'] }] },
 *     { id: 'notes', prompt: 'Write release notes.', policy: 'best-effort' },
 *   ],
 * });
 * const { output } = await release.output;
 * ```
 *
 * A member of a step of several is called `<step>/<member>`. Such a step hands on `[{ id, output }]`, in the order of its
 * members. With {@link withMachines} a step may be another coordinator, which gets `previous` in its input.
 */
import { assign, enqueueActions, setup, stopChild, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, member, type JsonValue } from 'troupe';
import {
  badInput,
  checkInput,
  checkMembers,
  checkNames,
  concurrencyMax,
  handedOn,
  memberFailed,
  oneOf,
  spawnWork,
  wholeNumber,
  type Failure,
  type MemberEnd,
  type MemberInput,
  type Result,
  type Work,
} from './member-input.ts';

/** What a step's failure means. */
interface StepRules {
  /** Name of the step, unique, not empty, without `::`. */
  readonly id: string;
  /**
   * `fail-fast` (default): the first failure fails the group, and stops the step's other members. `best-effort`: who fails is left
   * out; when nobody is left, the next step gets what this one got.
   */
  readonly policy?: 'fail-fast' | 'best-effort';
}

/** A step of one member. */
export type PipelineMember = StepRules & Work;

/** A step of several members. */
export interface PipelineStage extends StepRules {
  /** 1 to 1,000. */
  readonly members: readonly MemberInput[];
  /** Members at a time: a whole number from 1 to 256; default 256. */
  readonly concurrency?: number;
}

/** Input of {@link pipeline}. */
export interface PipelineInput {
  /** At least one. */
  readonly steps: readonly (PipelineMember | PipelineStage)[];
  /** What the first step's members get as `input.previous`; default nothing. */
  readonly previous?: JsonValue;
}

/** What a step has come to. */
export interface StepEnd {
  readonly id: string;
  /** In the order of the step's members; a step of one member has that member's, under the step's id. */
  readonly results: readonly Result[];
  readonly failed: readonly Failure[];
}

/** Output of {@link pipeline}. */
export interface PipelineOutput {
  /** What the last step would hand on. */
  readonly output: JsonValue;
  readonly steps: readonly StepEnd[];
}

/** A step as it is carried out. */
interface Step {
  readonly id: string;
  readonly isStage: boolean;
  readonly members: readonly MemberInput[];
  readonly concurrency: number;
  readonly policy: 'fail-fast' | 'best-effort';
}

interface PipelineContext {
  readonly steps: readonly Step[];
  readonly ends: readonly StepEnd[];
  /** `[previous]`, or nothing. */
  readonly previous: readonly JsonValue[];
  /** Of the step that is under way. */
  readonly spawned: number;
  readonly results: readonly Result[];
  readonly failed: readonly Failure[];
}

/** A step of more members is a fan-out or a map-reduce of its own. */
const membersMax = 1_000;

function stepOf(step: PipelineMember | PipelineStage): Step {
  const { id, policy: wanted, ...rest } = step;
  const name = `steps.${id}`;
  const policy = oneOf('pipeline', `${name}.policy`, wanted, ['fail-fast', 'best-effort']);
  if (!('members' in rest)) {
    checkMembers('pipeline', [{ id, ...rest }], { name: 'steps', isGiven: true });
    return { id, isStage: false, members: [{ id, ...rest }], concurrency: 1, policy };
  }
  checkMembers('pipeline', rest.members, { name: `${name}.members`, max: membersMax, isGiven: true });
  const concurrency = wholeNumber('pipeline', `${name}.concurrency`, rest.concurrency, {
    max: concurrencyMax,
    otherwise: concurrencyMax,
  });
  return { id, isStage: true, members: rest.members, concurrency, policy };
}

function contextOf({ steps, previous }: PipelineInput, self: AnyActorRef): PipelineContext {
  checkMembers('pipeline', steps as readonly MemberInput[], { name: 'steps' });
  const carriedOut = steps.map(stepOf);
  const ids = new Set<string>();
  for (const step of carriedOut) {
    for (const { id } of step.members) {
      const child = childId(step, id);
      if (ids.has(child))
        throw badInput('pipeline', `two members would be called \`${child}\`. Give one of the steps another id`);
      ids.add(child);
    }
  }
  checkNames(
    'pipeline',
    self,
    Array.from(ids, (id) => ({ id })),
  );
  return {
    steps: carriedOut,
    ends: [],
    previous: previous === undefined ? [] : [previous],
    spawned: 0,
    results: [],
    failed: [],
  };
}

function childId({ id, isStage }: Step, memberId: string): string {
  return isStage ? `${id}/${memberId}` : id;
}

/** The step that is under way; undefined when all are over. */
function current({ steps, ends }: PipelineContext): Step | undefined {
  return steps[ends.length];
}

/** The member's own id of a child's. */
function memberId({ id, isStage }: Step, child: string): string {
  return isStage ? child.slice(id.length + 1) : id;
}

/** What the step under way has come to, in the order of its members. */
function endOf(step: Step, { results, failed }: PipelineContext): StepEnd {
  const place = new Map(step.members.map(({ id }, index) => [id, index]));
  const byPlace = (a: { readonly id: string }, b: { readonly id: string }) =>
    (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0);
  return { id: step.id, results: results.toSorted(byPlace), failed: failed.toSorted(byPlace) };
}

/** The coordinator: see the head of this file. */
export const pipeline = coordinator(
  setup({
    types: {} as { input: PipelineInput; context: PipelineContext; events: MemberEnd; output: PipelineOutput },
    actors: { member },
    guards: {
      allStepsAreOver: ({ context }) => current(context) === undefined,
      stepIsOver: ({ context }) => context.results.length + context.failed.length === current(context)?.members.length,
      failsFast: ({ context }) => current(context)?.policy === 'fail-fast',
    },
    actions: {
      spawnNext: assign(({ context, spawn }) => {
        const step = current(context);
        if (step === undefined) return {};
        const { spawned, results, failed, previous } = context;
        const until = Math.max(
          spawned,
          Math.min(step.members.length, results.length + failed.length + step.concurrency),
        );
        for (const one of step.members.slice(spawned, until))
          spawnWork(spawn, childId(step, one.id), one, handedOn(previous[0]));
        return { spawned: until };
      }),
      noteResult: assign(({ context, event }) => {
        const step = current(context) as Step;
        return { results: [...context.results, { id: memberId(step, event.actorId), output: event.output }] };
      }),
      noteFailure: assign(({ context, event }) => {
        const step = current(context) as Step;
        return { failed: [...context.failed, { id: memberId(step, event.actorId), error: event.error }] };
      }),
      stopSettled: stopChild(({ event }) => event.actorId),
      failWithMember: assign(({ event }) => {
        throw memberFailed({ id: event.actorId, error: event.error });
      }),
      endStep: assign(({ context }) => {
        const step = current(context) as Step;
        const end = endOf(step, context);
        const first = end.results[0];
        // Results are JSON all through.
        const handed = step.isStage ? (end.results as unknown as JsonValue) : first?.output;
        const previous = first === undefined ? context.previous : [handed as JsonValue];
        return { ends: [...context.ends, end], previous, spawned: 0, results: [], failed: [] };
      }),
      markStep: enqueueActions(({ context, enqueue }) => {
        const { ends, steps } = context;
        const { id, failed } = ends.at(-1) as StepEnd;
        const reason = failed.length === 0 ? 'step is over' : `step is over, ${failed.length} failed`;
        enqueue(checkpoint({ name: id, reason, settled: ends.length, total: steps.length }));
      }),
    },
  }).createMachine({
    id: 'pipeline',
    context: ({ input, self }) => contextOf(checkInput('pipeline', input), self),
    initial: 'stepping',
    states: {
      stepping: {
        entry: 'spawnNext',
        always: [
          { guard: 'allStepsAreOver', target: 'done' },
          { guard: 'stepIsOver', target: 'stepping', reenter: true, actions: ['endStep', 'markStep'] },
        ],
        on: {
          'xstate.done.actor.*': { actions: ['noteResult', 'stopSettled', 'spawnNext'] },
          'xstate.error.actor.*': [
            { guard: 'failsFast', actions: 'failWithMember' },
            { actions: ['noteFailure', 'stopSettled', 'spawnNext'] },
          ],
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => ({ output: context.previous[0] ?? null, steps: context.ends }),
  }),
);
