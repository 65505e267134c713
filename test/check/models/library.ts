/**
 * Every machine of the library as a protocol: at least three members, one crash of the host, one duplicate. The bounds are the
 * smallest that reach every state of the machine; what they leave out is said at each.
 */
import { enqueueActions, setup } from 'xstate';
import type { JsonValue } from 'troupe';
import { fail, ok, outcomes, protocol, tell, type GroupState, type Protocol } from 'troupe/check';
import {
  debate,
  election,
  escalation,
  fanOut,
  mapReduce,
  pipeline,
  quorum,
  race,
  saga,
  supervisor,
  taskBoard,
  taskCrew,
} from 'troupe/machines';

const ids = ['a', 'b', 'c'];
const members = ids.map((id) => ({ id }));
const faults = { hostCrash: 1, duplicate: 1 } as const;
const fine = { '*': outcomes(ok('fine'), fail('failed', 'bad')) };

type State<Output> = GroupState<{ readonly [name: string]: JsonValue }, Output>;
const completes = (state: State<unknown>) => state.status === 'completed';
const fails = (state: State<unknown>) => state.status === 'failed';
const ends = (state: State<unknown>) => state.status !== 'active';

/** All at once; two at a time are the same states and fewer. */
export const fanOuts = protocol({
  coordinator: fanOut,
  input: { members, concurrency: 3, checkpointEvery: 2 },
  members: fine,
  faults,
  properties: {
    always: {
      allSettled: (s) =>
        s.output === undefined || (s.output.settled === 3 && s.output.results.length + s.output.failed.length === 3),
    },
    sometimes: { completes },
    eventually: { completes },
  },
});

/** With a time limit. */
export const races = protocol({
  coordinator: race,
  input: { members, timeoutMs: 1_000 },
  members: fine,
  faults,
  properties: {
    always: {
      oneWinner: (s) =>
        s.output === undefined || (ids.includes(s.output.winner) && !s.output.cancelled.includes(s.output.winner)),
      nobodyIsLeftRunning: (s) => !ends(s) || s.wanted.length === 0,
    },
    sometimes: { completes, fails },
    eventually: { ends },
  },
});

/** Two of three, of two opinions. */
export const quorums = protocol({
  coordinator: quorum,
  input: { members, atLeast: 2 },
  members: { '*': outcomes(ok('x'), ok('y'), fail('failed', 'bad')) },
  faults,
  properties: {
    always: { enough: (s) => s.output === undefined || s.output.agreed.length === 2 },
    sometimes: { completes, fails },
    eventually: { ends },
  },
});

/** Three mapped, two at a time; two levels of reducing. */
export const mapReduces = protocol({
  coordinator: mapReduce,
  input: { members, reduce: {}, reduceEvery: 2, concurrency: 2 },
  members: fine,
  faults,
  properties: {
    always: { nothingIsLost: (s) => s.output === undefined || s.output.mapped + s.output.failed.length === 3 },
    sometimes: { completes, fails },
    eventually: { ends },
  },
});

/** A step of two, then one. */
export const pipelines = protocol({
  coordinator: pipeline,
  input: { steps: [{ id: 's', members: members.slice(0, 2), policy: 'best-effort' as const }, { id: 'c' }] },
  members: fine,
  faults,
  properties: {
    always: { inOrder: (s) => !s.wanted.includes('c') || s.wanted.length === 1 },
    sometimes: { completes, fails },
    eventually: { ends },
  },
});

/** Two rounds of two proposers, a critic and a judge. */
export const debates = protocol({
  coordinator: debate,
  input: { proposers: [{ id: 'a' }, { id: 'd' }], critics: [{ id: 'b' }], judge: { id: 'c' }, rounds: 2 },
  members: { ...fine, c: outcomes(ok(true), ok(false), fail('failed', 'bad')) },
  faults,
  properties: {
    always: { roundsBounded: (s) => s.output === undefined || s.output.rounds <= 2 },
    sometimes: { accepted: (s) => s.output?.accepted === true, refused: (s) => s.output?.accepted === false, fails },
    eventually: { ends },
  },
});

/** A ring of three, five terms, whose leaders fall silent, resign, or show that they live. */
export const elections = protocol({
  coordinator: election,
  input: { members, termsMax: 3, leaseMs: 1_000 },
  members: fine,
  faults,
  messages: ids.flatMap((from) => [
    { from, type: 'resign' },
    { from, type: 'alive' },
  ]),
  properties: {
    always: { oneLeader: (s) => s.wanted.length <= 1 },
    sometimes: { completes, fails },
    eventually: { ends },
  },
});

/** Two levels with a clock, a judge, and a gate at the end. */
export const escalations = protocol({
  coordinator: escalation,
  input: {
    levels: [{ id: 'a', withinMs: 1_000 }, { id: 'b' }, { id: 'g', gate: { question: 'Ship it?' }, withinMs: 1_000 }],
    judge: { id: 'c' },
  },
  members: { ...fine, c: outcomes(ok(true), ok(false), fail('failed', 'bad')) },
  faults,
  properties: {
    always: { oneAtATime: (s) => s.wanted.length <= 1 },
    sometimes: { accepted: (s) => s.output?.accepted === true, rejected: (s) => s.output?.accepted === false },
    eventually: { ends: (s) => ends(s) || s.gates.length > 0 },
  },
});

/** Three steps that can be undone, each compensation tried twice; aborted at any time, once. */
export const sagas = protocol({
  coordinator: saga,
  input: {
    steps: members.map((one) => ({ ...one, compensate: {}, undoWhenFailed: one.id === 'b' })),
    compensationAttempts: 2,
  },
  members: fine,
  faults,
  messages: [{ type: 'abort', times: 1 }],
  // A compensation is tried again after a delay, which is a timer.
  checks: { canAlwaysEndWithoutTimers: false },
  properties: {
    always: {
      nothingTwice: ({ output }) =>
        output === undefined || new Set(output.compensated).size === output.compensated.length,
      allUndone: ({ output }) =>
        output === undefined ||
        output.completed ||
        output.results.every(
          ({ id }) => output.compensated.includes(id) || output.uncompensated.some((one) => one.id === id),
        ),
    },
    sometimes: {
      completed: (s) => s.output?.completed === true,
      undone: (s) => (s.output?.compensated.length ?? 0) === 2,
    },
    eventually: { ends },
  },
});

/** Three children, all restarted with each that fails, two restarts; its window never closes (timers none), which is the stricter. */
export const supervisors = protocol({
  coordinator: supervisor,
  input: {
    children: members.map((one) => ({ ...one, restart: 'transient' as const })),
    strategy: 'one-for-all',
    intensity: { restarts: 1 },
  },
  members: fine,
  faults,
  timers: 'none',
  messages: [{ type: 'stop', times: 1 }],
  properties: {
    always: { neverMore: (s) => s.wanted.length <= 3 },
    sometimes: { completes, fails },
    eventually: { ends },
  },
});

/** Two workers, a task behind two others, a lease, and two attempts of each. */
export const taskBoards = protocol({
  coordinator: taskBoard,
  input: { tasks: [{ id: 'a' }, { id: 'b' }, { id: 'c', after: ['a', 'b'] }], workers: 2, attempts: 2, leaseMs: 1_000 },
  members: fine,
  faults,
  timers: 'due',
  properties: {
    always: { inOrder: (s) => !s.wanted.includes('c') || s.wanted.length === 1 },
    sometimes: { completes },
    eventually: { completes },
  },
});

/** A worker that claims, does what it is given, or fails at it, and claims again. */
const worker = setup({
  types: {} as {
    context: { readonly task: string };
    events: { type: 'task'; task: string } | { type: 'lost' } | { type: 'do' } | { type: 'flop' };
  },
  actions: {
    claim: tell({ to: 'coordinator', event: { type: 'claim' } }),
    take: enqueueActions(({ event, enqueue }) => {
      if (event.type === 'task') enqueue.assign({ task: event.task });
    }),
    complete: tell(({ context }) => ({
      to: 'coordinator',
      event: { type: 'complete', body: { task: context.task, output: 1 } },
    })),
    fail: tell(({ context }) => ({
      to: 'coordinator',
      event: { type: 'fail', body: { task: context.task, message: 'no' } },
    })),
  },
}).createMachine({
  id: 'worker',
  context: { task: '' },
  initial: 'idle',
  states: {
    idle: { entry: 'claim', on: { task: { target: 'working', actions: 'take' } } },
    working: {
      on: {
        do: { target: 'idle', actions: 'complete' },
        flop: { target: 'idle', actions: 'fail' },
        task: { actions: 'take' },
      },
    },
  },
});

/** Three workers that are machines themselves, two tasks one behind the other. Their messages are explored, too. */
export const taskCrews = protocol({
  coordinator: taskCrew,
  input: { tasks: [{ id: 'x' }, { id: 'y', after: ['x'] }], workers: members, attempts: 1 },
  members: { '*': { machine: worker, moves: [{ type: 'do' }, { type: 'flop' }] } },
  faults,
  checks: {
    // What a worker says of a task that it has lost changes nothing, and is heard all the same.
    noUnhandled: true,
  },
  properties: {
    always: { bothOver: (s) => s.output === undefined || s.output.tasks.length === 2 },
    sometimes: { completes },
  },
});

/** All of them, with what was counted: distinct states, transitions, levels. */
export const library: readonly (readonly [
  name: string,
  model: Protocol<never, never>,
  distinct: number,
  generated: number,
  depth: number,
])[] = (
  [
    ['fan-out', fanOuts, 1_146, 3_070, 8],
    ['race', races, 482, 1_711, 8],
    ['quorum', quorums, 2_120, 6_737, 8],
    ['map-reduce', mapReduces, 1_459, 3_866, 14],
    ['pipeline', pipelines, 242, 534, 8],
    ['debate', debates, 8_048, 20_810, 18],
    ['election', elections, 335, 863, 8],
    ['escalation', escalations, 637, 1_402, 11],
    ['saga', sagas, 3_091, 7_941, 19],
    ['supervisor', supervisors, 3_819, 15_790, 10],
    ['task board', taskBoards, 3_134, 10_718, 11],
    ['task crew', taskCrews, 4_994, 15_824, 17],
  ] as const
).map(([name, model, ...counts]) => [name, model as unknown as Protocol<never, never>, ...counts]);
