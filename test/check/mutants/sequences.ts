/** Mutants of the machines that do one thing after another, or keep things going. */
import { assign, enqueueActions } from 'xstate';
import type { Coordinator } from 'troupe';
import { ok, outcomes, protocol } from 'troupe/check';
import {
  debate,
  election,
  escalation,
  pipeline,
  saga,
  supervisor,
  taskBoard,
  type DebateInput,
  type DebateOutput,
  type ElectionInput,
  type ElectionOutput,
  type EscalationInput,
  type EscalationOutput,
  type PipelineInput,
  type PipelineOutput,
  type SagaInput,
  type SagaOutput,
  type SupervisorInput,
  type SupervisorOutput,
  type TaskBoardInput,
  type TaskBoardOutput,
} from 'troupe/machines';
import { faulty, mutant, type Mutant } from './faulty.ts';
import { completes, faults, fine, ids, members, on, type Args } from './shared.ts';

const sagas = (coordinator: Coordinator<SagaInput, SagaOutput>) =>
  protocol({
    coordinator,
    input: { steps: members.map((one) => ({ ...one, compensate: {} })), compensationAttempts: 2 },
    members: fine,
    faults,
    messages: [{ type: 'abort', times: 1 }],
    checks: { canAlwaysEndWithoutTimers: false },
    properties: {
      always: {
        nothingTwice: (s) => {
          const { compensated = [] } = s.context as { readonly compensated?: readonly string[] };
          return new Set(compensated).size === compensated.length;
        },
        lastFirst: ({ output }) =>
          output === undefined || output.compensated.join() === [...output.compensated].sort().reverse().join(),
        oneAtATime: (s) => s.wanted.length <= 1,
      },
      sometimes: { undone: (s) => (s.output?.compensated.length ?? 0) === 2 },
    },
  });

const pipes = (coordinator: Coordinator<PipelineInput, PipelineOutput>) =>
  protocol({
    coordinator,
    input: { steps: [{ id: 's', members: members.slice(0, 2), policy: 'best-effort' }, { id: 'c' }] },
    members: fine,
    faults,
    properties: {
      always: { inOrder: (s) => !s.wanted.includes('c') || s.wanted.length === 1 },
      sometimes: { completes },
    },
  });

const debates = (coordinator: Coordinator<DebateInput, DebateOutput>) =>
  protocol({
    coordinator,
    input: { proposers: [{ id: 'a' }], critics: [], judge: { id: 'c' }, rounds: 2 },
    members: { a: outcomes(ok('idea')), c: outcomes(ok(true), ok(false)) },
    faults,
    properties: {
      always: {
        atMostTwo: (s) => ((s.context as { readonly round?: number }).round ?? 0) <= 2,
        refusedIsRefused: (s) => s.output === undefined || s.output.accepted === (s.output.verdict === true),
      },
      sometimes: { completes },
    },
  });

const elects = (coordinator: Coordinator<ElectionInput, ElectionOutput>) =>
  protocol({
    coordinator,
    input: { members, termsMax: 3, leaseMs: 1_000 },
    members: fine,
    faults,
    messages: ids.flatMap((from) => [
      { from, type: 'resign' },
      { from, type: 'alive' },
    ]),
    properties: { always: { oneLeader: (s) => s.wanted.length <= 1 }, sometimes: { completes } },
  });

const escalates = (coordinator: Coordinator<EscalationInput, EscalationOutput>) =>
  protocol({
    coordinator,
    input: { levels: [{ id: 'a', withinMs: 1_000 }, { id: 'b' }, { id: 'g', gate: { question: 'Ship it?' } }] },
    members: fine,
    faults,
    properties: {
      always: { oneAtATime: (s) => s.wanted.length <= 1 },
      sometimes: { rejected: (s) => s.output?.accepted === false },
    },
  });

const supervises = (coordinator: Coordinator<SupervisorInput, SupervisorOutput>) =>
  protocol({
    coordinator,
    input: {
      children: members.map((one) => ({ ...one, restart: 'transient' as const })),
      strategy: 'one-for-one',
      intensity: { restarts: 1 },
    },
    members: fine,
    timers: 'none',
    executionsAtMost: 2,
    properties: { sometimes: { completes } },
  });

const boards = (coordinator: Coordinator<TaskBoardInput, TaskBoardOutput>) =>
  protocol({
    coordinator,
    input: { tasks: [{ id: 'a' }, { id: 'b' }, { id: 'c', after: ['a'] }], workers: 2, attempts: 2, leaseMs: 1_000 },
    members: fine,
    faults: { hostCrash: 1 },
    timers: 'due',
    properties: {
      always: {
        atMostTwo: (s) => s.wanted.length <= 2,
        inOrder: (s) => !s.wanted.includes('c') || !s.wanted.includes('a'),
      },
      sometimes: { completes },
    },
  });

/** The mutants. */
export const sequenceMutants: readonly Mutant[] = [
  mutant('double compensation: what is undone is undone again', ['nothingTwice', 7], sagas, [
    faulty(saga, {
      actions: {
        noteUndone: enqueueActions(({ context, event, enqueue }) => {
          const { toUndo, compensated } = context as unknown as Record<'compensated' | 'toUndo', readonly string[]>;
          enqueue.stopChild((event as unknown as Args['event']).actorId);
          // It leaves the list only when it has been done twice.
          const isSecond = compensated.includes(toUndo[0] as string);
          enqueue.assign({
            toUndo: isSecond ? toUndo.slice(1) : toUndo,
            attempts: 0,
            isUndoing: false,
            compensated: [...compensated, toUndo[0]],
          });
        }),
      },
    }),
    saga,
  ]),
  mutant('undone in the order of doing', ['lastFirst', 9], sagas, [
    faulty(saga, {
      states: ({ undoing }) => {
        if (undoing !== undefined) undoing.entry = ['turnRound', 'undoNext'];
      },
      more: {
        turnRound: assign(({ context }) => ({
          toUndo: [...(context as unknown as { toUndo: string[] }).toUndo].sort(),
        })),
      },
    }),
    saga,
  ]),
  mutant('orphaned child: a step goes on after `abort`', ['oneAtATime', 3], sagas, [
    faulty(saga, {
      actions: {
        noteAborted: assign(({ context }) => {
          const { results } = context as unknown as { readonly results: readonly { readonly id: string }[] };
          return {
            failed: { id: 'x', error: { name: 'Aborted', message: 'aborted' } },
            toUndo: results.map(({ id }) => id).reverse(),
          };
        }),
      },
    }),
    saga,
  ]),
  mutant('the next step does not wait for the one before', ['inOrder', 2], pipes, [
    faulty(pipeline, {
      guards: { stepIsOver: ({ context }: Args) => (context['results'] as readonly unknown[]).length > 0 },
    }),
    pipeline,
  ]),
  mutant('one round too many', ['atMostTwo', 8], debates, [
    faulty(debate, {
      guards: {
        isOver: ({ context }: Args) =>
          context['open'] === 0 &&
          (context['verdict'] === true || (context['round'] as number) > (context['rounds'] as number)),
      },
    }),
    debate,
  ]),
  mutant('two leaders: who is deposed goes on leading', ['oneLeader', 1], elects, [
    faulty(election, {
      states: ({ leading }) => {
        on(leading)['xstate.after.lease'] = [
          { guard: 'hasTermsLeft', target: 'leading', reenter: true, actions: 'depose' },
          { actions: 'failWithLeader' },
        ];
      },
      more: {
        depose: assign(({ context }) => {
          const { terms, members: ring } = context as unknown as {
            readonly terms: readonly object[];
            readonly members: readonly { readonly id: string }[];
          };
          const leader = ring[terms.length % ring.length]?.id;
          return { terms: [...terms, { term: terms.length + 1, leader, end: 'deposed' }] };
        }),
      },
    }),
    election,
  ]),
  mutant('after a reject the group can never end', ['noDeadlock', 4], escalates, [
    faulty(escalation, {
      states: ({ asking }) => {
        on(asking)['rejected'] = { guard: 'isForThisGate' };
      },
    }),
    escalation,
  ]),
  mutant('who is late is not stopped', ['oneAtATime', 1], escalates, [
    faulty(escalation, {
      states: ({ trying }) => {
        on(trying)['xstate.after.level'] = { target: 'choosing', actions: ['noteLate', 'markLevel'] };
      },
    }),
    escalation,
  ]),
  mutant('restarts are not counted against their budget', ['executionsAtMost', 4], supervises, [
    faulty(supervisor, {
      states: ({ supervising }) => {
        on(supervising)['xstate.error.actor.*'] = { actions: ['takeNote', 'forgetAll', 'restart'] };
      },
      more: { forgetAll: assign({ recent: 0 }) },
    }),
    supervisor,
  ]),
  mutant('lease not released: a lost task keeps its worker', ['noDeadlock', 2], boards, [
    faulty(taskBoard, {
      actions: {
        noteLost: enqueueActions(({ event, enqueue }) =>
          enqueue.stopChild(ids[(event as unknown as { readonly task: number }).task] as string),
        ),
      },
    }),
    taskBoard,
  ]),
];
