/**
 * Task crew: a task board whose workers are members that stay. They claim tasks by messages and tell how those went; a claim is
 * a lease, and what its worker does not renew, or leaves behind when it ends, is given to the next who claims.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> working
 *   working --> working: xstate.done.actor.* / xstate.error.actor.* / after lease / claim / complete / fail / renew / add / close / nobody is left
 *   working --> done: all is over
 *   done --> [*]
 * ```
 *
 * ```ts
 * const work = ctx.group('work', taskCrew, {
 *   workers: [{ id: 'claude', harness: 'claude', prompt: 'Claim tasks and do them.' }, { id: 'gemini', harness: 'gemini' }],
 *   tasks: [{ id: 'schema', prompt: 'Design the schema.' }, { id: 'server', prompt: 'Write the server.', after: ['schema'] }],
 *   leaseMs: 900_000,
 * });
 * const { tasks, failed } = await work.output;
 * ```
 *
 * A worker sends `claim`, and is sent `{ type: 'task', task, attempt, work, results }` as soon as a task is ready for it: `work`
 * is the task's own fields, `results` what the tasks it comes after came to. Then it sends `complete` with body `{ task, output }`, or `fail`
 * with `{ task, message }`, and claims again. `renew` gives it a new lease; of a lost one it is sent `{ type: 'lost', task }`, and
 * what it says of that task afterwards changes nothing. Members and outsiders `add` tasks and `close` the board as with
 * `taskBoard`. When all is over the workers are stopped; when all workers have ended before that, the group fails. To a crew in
 * another machine (`withMachines`) all of them send by its address; to `coordinator` they would tell the group's own machine.
 */
import { assign, emit, enqueueActions, setup } from 'xstate';
import { checkpoint, coordinator, member, type JsonValue, type PlainError } from 'troupe';
import {
  claimed,
  emptyBoard,
  endsOf,
  finished,
  nextReady,
  placeOf,
  resultsBefore,
  taskAt,
  withTasks,
  type Board,
  type BoardTask,
} from './board.ts';
import { lost, released } from './claims.ts';
import {
  checkInput,
  checkMembers,
  concurrencyMax,
  handedOn,
  membersFailed,
  milliseconds,
  oneOf,
  spawnWork,
  wholeNumber,
  type Failure,
  type Given,
  type MemberEnd,
  type MemberInput,
} from './member-input.ts';
import { isFrom } from './messages.ts';
import type { TaskBoardInput, TaskBoardOutput } from './task-board.ts';

/** Input of {@link taskCrew}: that of a task board, with workers that are members of their own. */
export type TaskCrewInput = Omit<TaskBoardInput, 'workers'> & {
  /** 1 to 256. */
  readonly workers: readonly MemberInput[];
};

interface TaskCrewContext {
  readonly given: Given;
  readonly workers: readonly MemberInput[];
  readonly leaseMs: number | null;
  readonly attemptsMax: number;
  readonly checkpointEvery: number | null;
  readonly isClosed: boolean;
  readonly board: Board;
  /** Places of workers that have claimed and are not answered, who waits longest first. */
  readonly free: readonly number[];
  readonly claims: readonly { readonly worker: number; readonly task: number }[];
  /** Workers that have ended. */
  readonly left: readonly Failure[];
  readonly reported: number;
}

/** What it hears: ends of workers, messages, and its own timer. */
interface Heard extends MemberEnd {
  readonly from?: string;
  readonly body?: JsonValue;
  readonly tasks?: JsonValue;
  /** Of a lease: the task. */
  readonly task?: number;
}

function contextOf({ tasks = [], workers, previous, ...options }: TaskCrewInput): TaskCrewContext {
  const { leaseMs, attempts, checkpointEvery, ends } = options;
  return {
    given: handedOn(previous),
    workers: checkMembers('task-crew', workers, { name: 'workers', max: concurrencyMax, isGiven: true }),
    leaseMs: milliseconds('task-crew', 'leaseMs', leaseMs),
    attemptsMax: wholeNumber('task-crew', 'attempts', attempts, { max: 100, otherwise: 1 }),
    checkpointEvery:
      checkpointEvery === undefined ? null : wholeNumber('task-crew', 'checkpointEvery', checkpointEvery, {}),
    isClosed: oneOf('task-crew', 'ends', ends, ['when-done', 'when-told']) === 'when-done',
    board: withTasks('task-crew', emptyBoard, tasks),
    free: [],
    claims: [],
    left: [],
    reported: 0,
  };
}

/** What a message says about its task; anything at all may come. */
function told({ body }: Heard): {
  readonly task?: JsonValue;
  readonly output?: JsonValue;
  readonly message?: JsonValue;
} {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as ReturnType<typeof told>) : {};
}

/** Place of the worker that a message is from; -1 when it is from somebody else. */
function senderOf({ workers }: TaskCrewContext, event: Heard): number {
  return workers.findIndex(({ id }) => isFrom(id, event));
}

/** The task that a message is about, if its sender holds it. */
function heldTask(context: TaskCrewContext, event: Heard): number | undefined {
  const { task } = told(event);
  const place = typeof task === 'string' ? placeOf(context.board, task) : undefined;
  const worker = senderOf(context, event);
  return context.claims.some((claim) => claim.worker === worker && claim.task === place) ? place : undefined;
}

/** Without the worker's place among those that wait: it claims again when it wants more. */
function over<Changed extends { readonly free: readonly number[] }>(
  { free }: TaskCrewContext,
  changed: Changed,
): Changed {
  return { ...changed, free };
}

const leaseOf = (board: Board, place: number) => `lease ${taskAt(board, place).work.id}`;

/** The coordinator: see the head of this file. */
export const taskCrew = coordinator(
  setup({
    types: {} as {
      input: TaskCrewInput;
      context: TaskCrewContext;
      events: Heard;
      output: TaskBoardOutput;
      emitted: { readonly type: string };
    },
    actors: { member },
    guards: {
      allIsOver: ({ context: { isClosed, board } }) => isClosed && board.over === board.total,
      nobodyIsLeft: ({ context: { left, workers, board } }) =>
        left.length === workers.length && board.over < board.total,
      isFree: ({ context, event }) => {
        const place = senderOf(context, event);
        return place !== -1 && !context.free.includes(place) && !context.claims.some(({ worker }) => worker === place);
      },
      isHeld: ({ context, event }) => context.claims.some(({ task }) => task === event.task),
      holdsTask: ({ context, event }) => heldTask(context, event) !== undefined,
    },
    actions: {
      startWorkers: assign(({ context, spawn }) => {
        for (const worker of context.workers)
          spawnWork(spawn, worker.id, worker, { ...context.given, worker: worker.id });
        return {};
      }),
      noteClaim: assign(({ context, event }) => ({ free: [...context.free, senderOf(context, event)] })),
      giveOut: enqueueActions(({ context, enqueue }) => {
        let { board, free, claims } = context;
        for (let place = nextReady(board); place !== undefined && free.length > 0; place = nextReady(board)) {
          const [index, ...others] = free as readonly [number, ...number[]];
          const { id } = context.workers[index] as MemberInput;
          board = claimed(board, id);
          free = others;
          claims = [...claims, { worker: index, task: place }];
          const { work, attempts: attempt } = taskAt(board, place);
          const { id: task, ...own } = work;
          enqueue.sendTo(id, { type: 'task', task, attempt, work: own, results: resultsBefore(board, place) });
          if (context.leaseMs === null) continue;
          const lease = { type: 'xstate.after.lease', task: place } as Heard;
          enqueue.raise(lease, { id: leaseOf(board, place), delay: context.leaseMs });
        }
        enqueue.assign({ board, free, claims });
      }),
      noteDone: enqueueActions(({ context, event, enqueue }) => {
        const place = heldTask(context, event) as number;
        const board = finished(context.board, place, told(event).output ?? null);
        enqueue.cancel(leaseOf(board, place));
        enqueue.assign(over(context, { ...released(context, place), board }));
      }),
      noteFailed: enqueueActions(({ context, event, enqueue }) => {
        const place = heldTask(context, event) as number;
        const { message } = told(event);
        const error: PlainError = {
          name: 'Error',
          message: typeof message === 'string' ? message : 'the worker gave up',
        };
        enqueue.cancel(leaseOf(context.board, place));
        enqueue.assign(over(context, lost(context, place, error)));
      }),
      noteLost: enqueueActions(({ context, event, enqueue }) => {
        const { board, leaseMs } = context;
        const place = event.task as number;
        const { work, worker } = taskAt(board, place);
        const error = { name: 'LeaseLost', message: `worker \`${worker}\` did not renew its lease in ${leaseMs} ms` };
        enqueue.sendTo(worker as string, { type: 'lost', task: work.id });
        enqueue.assign(over(context, lost(context, place, error)));
      }),
      noteLeft: enqueueActions(({ context, event, enqueue }) => {
        const { actorId: id, type } = event;
        const index = context.workers.findIndex((worker) => worker.id === id);
        const claim = context.claims.find(({ worker }) => worker === index);
        const why = type.startsWith('xstate.error.')
          ? event.error
          : { name: 'WorkerEnded', message: `worker \`${id}\` ended` };
        const free = context.free.filter((place) => place !== index);
        enqueue.stopChild(id);
        if (claim !== undefined) enqueue.cancel(leaseOf(context.board, claim.task));
        const changed = claim === undefined ? {} : lost(context, claim.task, why);
        enqueue.assign({ ...changed, free, left: [...context.left, { id, error: why }] });
      }),
      renewLease: enqueueActions(({ context, event, enqueue }) => {
        const { leaseMs, board } = context;
        const place = heldTask(context, event) as number;
        if (leaseMs === null) return;
        const lease = { type: 'xstate.after.lease', task: place } as Heard;
        enqueue.cancel(leaseOf(board, place));
        enqueue.raise(lease, { id: leaseOf(board, place), delay: leaseMs });
      }),
      addTasks: enqueueActions(({ context, event, enqueue }) => {
        // `withTasks` refuses what is no list of tasks.
        const tasks = (event.tasks ??
          (event.body as { readonly tasks?: JsonValue } | null | undefined)?.tasks ??
          null) as unknown;
        try {
          enqueue.assign({ board: withTasks('task-crew', context.board, tasks as readonly BoardTask[]) });
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          const refused = { type: 'refused', from: event.from ?? 'outside', reason };
          enqueue(emit(refused));
        }
      }),
      markProgress: enqueueActions(({ context, enqueue }) => {
        const { board, checkpointEvery, reported } = context;
        if (checkpointEvery === null || board.over - reported < checkpointEvery) return;
        enqueue.assign({ reported: board.over });
        const { over: settled, total } = board;
        enqueue(checkpoint({ name: `over ${settled}`, reason: `every ${checkpointEvery}`, settled, total }));
      }),
      failForWorkers: assign(({ context: { board, left } }) => {
        throw membersFailed(
          `all ${left.length} workers have ended, and ${board.total - board.over} tasks are not over`,
          left,
        );
      }),
      close: assign({ isClosed: true }),
    },
  }).createMachine({
    id: 'task-crew',
    context: ({ input }) => contextOf(checkInput('task-crew', input)),
    initial: 'working',
    states: {
      working: {
        entry: 'startWorkers',
        always: [
          { guard: 'allIsOver', target: 'done' },
          { guard: 'nobodyIsLeft', actions: 'failForWorkers' },
        ],
        on: {
          'xstate.done.actor.*': { actions: ['noteLeft', 'giveOut', 'markProgress'] },
          'xstate.error.actor.*': { actions: ['noteLeft', 'giveOut', 'markProgress'] },
          'xstate.after.lease': { guard: 'isHeld', actions: ['noteLost', 'giveOut', 'markProgress'] },
          'claim': { guard: 'isFree', actions: ['noteClaim', 'giveOut'] },
          'complete': { guard: 'holdsTask', actions: ['noteDone', 'giveOut', 'markProgress'] },
          'fail': { guard: 'holdsTask', actions: ['noteFailed', 'giveOut', 'markProgress'] },
          'renew': { guard: 'holdsTask', actions: 'renewLease' },
          'add': { actions: ['addTasks', 'giveOut'] },
          'close': { actions: 'close' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => {
      const tasks = endsOf(context.board);
      const count = (status: string) => tasks.filter((task) => task.status === status).length;
      return { tasks, done: count('done'), failed: count('failed'), blocked: count('blocked') };
    },
  }),
);
