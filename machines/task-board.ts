/**
 * Task board: a shared list of tasks with dependencies and priorities. Each free worker claims the next ready task, with a lease;
 * a lease that runs out is lost, and the task goes to the next free worker. Tasks may be added while it runs.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> working
 *   working --> working: xstate.done.actor.* / xstate.error.actor.* / after lease / renew / add / close
 *   working --> done: all is over
 *   done --> [*]
 * ```
 *
 * ```ts
 * const work = ctx.group('work', taskBoard, {
 *   workers: [{ id: 'claude', harness: 'claude' }, { id: 'gemini', harness: 'gemini' }],
 *   tasks: [
 *     { id: 'schema', prompt: 'Design the schema.', priority: 1 },
 *     { id: 'server', prompt: 'Write the server.', after: ['schema'] },
 *     { id: 'client', prompt: 'Write the client.', after: ['schema'] },
 *   ],
 *   leaseMs: 900_000,
 *   attempts: 2,
 * });
 * const { tasks, failed } = await work.output;
 * ```
 *
 * A claimed task is a member of the task's own id, a further attempt its next incarnation. It performs the worker's fields with the
 * task's over them; its `input` has `task`, `worker`, `attempt`, and `results`: `[{ id, output }]` of the tasks it comes after.
 *
 * Events, as messages from members (with the data in `body`) or from outside: `renew` from the task's member gives it a new
 * lease, `add` with `{ tasks: [...] }` adds tasks, `close` says that no more will come. An `add` that makes no sense is refused as a
 * whole, with the event `{ type: 'refused', from, reason }`, and the board goes on.
 */
import { assign, emit, enqueueActions, setup, type AnyActorRef } from 'xstate';
import { checkpoint, coordinator, member, type JsonValue } from 'troupe';
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
  type TaskEnd,
} from './board.ts';
import { lost, released, workersOf, workOf, type Claims } from './claims.ts';
import {
  checkInput,
  checkNames,
  checkSpawnable,
  handedOn,
  milliseconds,
  oneOf,
  spawnWork,
  wholeNumber,
  type Given,
  type MemberEnd,
  type MemberInput,
} from './member-input.ts';
import { isFrom } from './messages.ts';

/** Input of {@link taskBoard}. */
export interface TaskBoardInput {
  /** In the order in which they stand on the board; at most 10,000 with those that are added. */
  readonly tasks?: readonly BoardTask[];
  /** Who works: 1 to 256 workers, each with what its tasks have in common; or how many. */
  readonly workers: number | readonly MemberInput[];
  /** How long a worker may keep a task without renewing, ms >= 1; default no limit. */
  readonly leaseMs?: number;
  /** How often a task may be claimed in all: a whole number from 1 to 100; default 1. */
  readonly attempts?: number;
  /** A checkpoint after every so many tasks that are over: a whole number >= 1; default none. */
  readonly checkpointEvery?: number;
  /** `when-done` (default): it ends when all tasks are over. `when-told`: only after `close`, so that tasks may come later. */
  readonly ends?: 'when-done' | 'when-told';
  /** Put into each task's `input.previous`. */
  readonly previous?: JsonValue;
}

/** Output of {@link taskBoard}. */
export interface TaskBoardOutput {
  /** In the order in which they came onto the board. */
  readonly tasks: readonly TaskEnd[];
  readonly done: number;
  readonly failed: number;
  readonly blocked: number;
}

interface TaskBoardContext extends Claims {
  readonly given: Given;
  readonly workers: readonly MemberInput[];
  readonly leaseMs: number | null;
  readonly attemptsMax: number;
  readonly checkpointEvery: number | null;
  readonly isClosed: boolean;
  readonly board: Board;
  /** How many tasks were over at the last checkpoint. */
  readonly reported: number;
}

/** What it hears: ends of members, messages, and its own timer. */
interface Heard extends MemberEnd {
  readonly from?: string;
  readonly body?: JsonValue;
  readonly tasks?: JsonValue;
  /** Of a lease: the task. */
  readonly task?: number;
}

function contextOf({
  tasks = [],
  workers,
  leaseMs,
  attempts,
  checkpointEvery,
  ends,
  previous,
  self,
}: TaskBoardInput & { readonly self: AnyActorRef }): TaskBoardContext {
  const known = workersOf(workers);
  const board = withTasks('task-board', emptyBoard, tasks);
  checkNames('task-board', self, tasks);
  return {
    given: handedOn(previous),
    workers: known,
    leaseMs: milliseconds('task-board', 'leaseMs', leaseMs),
    attemptsMax: wholeNumber('task-board', 'attempts', attempts, { max: 100, otherwise: 1 }),
    checkpointEvery:
      checkpointEvery === undefined ? null : wholeNumber('task-board', 'checkpointEvery', checkpointEvery, {}),
    isClosed: oneOf('task-board', 'ends', ends, ['when-done', 'when-told']) === 'when-done',
    board,
    free: known.map((_, index) => index),
    claims: [],
    reported: 0,
  };
}

/** The tasks in an `add`: of a signal, or in the body of a message. */
function tasksIn({ tasks, body }: Heard): readonly BoardTask[] {
  const told = tasks ?? (body as { readonly tasks?: JsonValue } | null | undefined)?.tasks ?? null;
  // `withTasks` refuses what is no list of tasks.
  return told as unknown as readonly BoardTask[];
}

function outputOf({ board }: TaskBoardContext): TaskBoardOutput {
  const tasks = endsOf(board);
  const count = (status: TaskEnd['status']) => tasks.filter((task) => task.status === status).length;
  return { tasks, done: count('done'), failed: count('failed'), blocked: count('blocked') };
}

const leaseOf = (id: string) => `lease ${id}`;

/** The coordinator: see the head of this file. */
export const taskBoard = coordinator(
  setup({
    types: {} as {
      input: TaskBoardInput;
      context: TaskBoardContext;
      events: Heard;
      output: TaskBoardOutput;
      emitted: { readonly type: string };
    },
    actors: { member },
    guards: {
      allIsOver: ({ context: { isClosed, board } }) => isClosed && board.over === board.total,
      isHeld: ({ context, event }) => context.claims.some(({ task }) => task === event.task),
    },
    actions: {
      giveOut: enqueueActions(({ context, enqueue }) => {
        let { board, free, claims } = context;
        const given: { readonly worker: MemberInput; readonly place: number }[] = [];
        for (let place = nextReady(board); place !== undefined && free.length > 0; place = nextReady(board)) {
          const [index, ...others] = free as readonly [number, ...number[]];
          const worker = context.workers[index] as MemberInput;
          board = claimed(board, worker.id);
          free = others;
          claims = [...claims, { worker: index, task: place }];
          given.push({ worker, place });
        }
        if (given.length === 0) return;
        const after = board;
        const changed = { board, free, claims };
        enqueue.assign(({ spawn }) => {
          for (const { worker, place } of given) {
            const { work, attempts } = taskAt(after, place);
            // Results are JSON all through.
            const results = resultsBefore(after, place) as unknown as JsonValue;
            spawnWork(spawn, work.id, workOf(worker, work), {
              ...context.given,
              task: work.id,
              worker: worker.id,
              attempt: attempts,
              results,
            });
          }
          return changed;
        });
        if (context.leaseMs === null) return;
        for (const { place } of given) {
          const { work } = taskAt(after, place);
          enqueue.raise({ type: 'xstate.after.lease', task: place } as Heard, {
            id: leaseOf(work.id),
            delay: context.leaseMs,
          });
        }
      }),
      noteDone: enqueueActions(({ context, event, enqueue }) => {
        const place = placeOf(context.board, event.actorId) as number;
        enqueue.cancel(leaseOf(event.actorId));
        enqueue.stopChild(event.actorId);
        enqueue.assign({ ...released(context, place), board: finished(context.board, place, event.output) });
      }),
      noteFailed: enqueueActions(({ context, event, enqueue }) => {
        enqueue.cancel(leaseOf(event.actorId));
        enqueue.stopChild(event.actorId);
        enqueue.assign(lost(context, placeOf(context.board, event.actorId) as number, event.error));
      }),
      noteLost: enqueueActions(({ context, event, enqueue }) => {
        const place = event.task as number;
        const { work, worker } = taskAt(context.board, place);
        enqueue.stopChild(work.id);
        enqueue.assign(
          lost(context, place, {
            name: 'LeaseLost',
            message: `worker \`${worker}\` did not renew its lease in ${context.leaseMs} ms`,
          }),
        );
      }),
      renewLease: enqueueActions(({ context, event, enqueue }) => {
        const { leaseMs, claims, board } = context;
        const claim = claims.find(({ task }) => isFrom(taskAt(board, task).work.id, event));
        if (claim === undefined || leaseMs === null) return;
        const { work } = taskAt(board, claim.task);
        enqueue.cancel(leaseOf(work.id));
        enqueue.raise({ type: 'xstate.after.lease', task: claim.task } as Heard, {
          id: leaseOf(work.id),
          delay: leaseMs,
        });
      }),
      addTasks: enqueueActions(({ context, event, enqueue, self }) => {
        try {
          const board = withTasks('task-board', context.board, tasksIn(event));
          checkSpawnable('task-board', self, tasksIn(event));
          enqueue.assign({ board });
        } catch (error) {
          const refused = {
            type: 'refused',
            from: event.from ?? 'outside',
            reason: error instanceof Error ? error.message : String(error),
          };
          enqueue(emit(refused));
        }
      }),
      markProgress: enqueueActions(({ context, enqueue }) => {
        const { board, checkpointEvery, reported } = context;
        if (checkpointEvery === null || board.over - reported < checkpointEvery) return;
        enqueue.assign({ reported: board.over });
        enqueue(
          checkpoint({
            name: `over ${board.over}`,
            reason: `every ${checkpointEvery}`,
            settled: board.over,
            total: board.total,
          }),
        );
      }),
      close: assign({ isClosed: true }),
    },
  }).createMachine({
    id: 'task-board',
    context: ({ input, self }) => contextOf({ ...checkInput('task-board', input), self }),
    initial: 'working',
    states: {
      working: {
        entry: 'giveOut',
        always: { guard: 'allIsOver', target: 'done' },
        on: {
          'xstate.done.actor.*': { actions: ['noteDone', 'giveOut', 'markProgress'] },
          'xstate.error.actor.*': { actions: ['noteFailed', 'giveOut', 'markProgress'] },
          'xstate.after.lease': { guard: 'isHeld', actions: ['noteLost', 'giveOut', 'markProgress'] },
          'renew': { actions: 'renewLease' },
          'add': { actions: ['addTasks', 'giveOut'] },
          'close': { actions: 'close' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => outputOf(context),
  }),
);
