/**
 * Supervisor: keeps children running, as in Erlang. A child that ends is restarted, alone or with others, as its next incarnation;
 * when restarts come too fast the supervisor gives up and the group fails. It ends when nobody is left to run, or on the event `stop` from
 * outside.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> supervising
 *   supervising --> supervising: xstate.done.actor.* / xstate.error.actor.* / after window
 *   supervising --> done: nobody is left / stop [is from outside]
 *   done --> [*]
 * ```
 *
 * ```ts
 * const crew = ctx.group('crew', supervisor, {
 *   children: [
 *     { id: 'server', command: ['npm', 'run', 'dev'], restart: 'permanent' },
 *     { id: 'tests', command: ['npm', 'test'], restart: 'transient' },
 *   ],
 *   strategy: 'rest-for-one',
 *   intensity: { restarts: 3, withinMs: 60_000 },
 * });
 * await crew.send({ type: 'stop' });
 * const { children } = await crew.output;
 * ```
 *
 * A child's `input` has `restarts`: how often it was restarted before. As in Erlang a temporary child that a sibling's restart takes
 * down is not started again; other than there, a transient child that succeeded is done and is not run again.
 */
import { enqueueActions, setup } from 'xstate';
import { checkpoint, coordinator, member, type JsonValue, type PlainError } from 'troupe';
import {
  badInput,
  checkInput,
  checkMembers,
  concurrencyMax,
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
import { isFromOutside } from './messages.ts';

/** One child. */
export type SupervisedChild = MemberInput & {
  /** `permanent` (default): restarted however it ends. `transient`: restarted when it fails. `temporary`: never. */
  readonly restart?: 'permanent' | 'transient' | 'temporary';
};

/** Input of {@link supervisor}. */
export interface SupervisorInput {
  /** In the order in which they start; 1 to 256. They are stopped in reverse order. */
  readonly children: readonly SupervisedChild[];
  /** Who is restarted with a child: nobody else (`one-for-one`, default), all others, or those that started after it. */
  readonly strategy?: 'one-for-one' | 'one-for-all' | 'rest-for-one';
  /**
   * More than `restarts` (a whole number from 0 to 1,000; default 3) within `withinMs` (ms >= 1; default 60,000) and the supervisor
   * gives up: all children are stopped and the group fails. A restart of several children together counts once.
   */
  readonly intensity?: { readonly restarts?: number; readonly withinMs?: number };
  /** Put into each child's `input.previous`. */
  readonly previous?: JsonValue;
}

/** How a child stands. */
export interface ChildEnd {
  readonly id: string;
  readonly status: 'running' | 'succeeded' | 'failed' | 'stopped';
  /** How often it was restarted. */
  readonly restarts: number;
  /** Of its last success. */
  readonly output?: JsonValue;
  /** Of its last failure. */
  readonly error?: PlainError;
}

/** Output of {@link supervisor}. */
export interface SupervisorOutput {
  /** In the order of the input. `stopped`: it was running when the supervisor was stopped, or a sibling took it down. */
  readonly children: readonly ChildEnd[];
  /** Restarts in all. */
  readonly restarts: number;
}

interface SupervisorContext {
  readonly given: Given;
  readonly children: readonly SupervisedChild[];
  readonly strategy: 'one-for-one' | 'one-for-all' | 'rest-for-one';
  readonly restartsMax: number;
  readonly withinMs: number;
  readonly ends: readonly ChildEnd[];
  readonly restarts: number;
  /** Restarts that are younger than the window. */
  readonly recent: number;
}

function contextOf({ children, strategy, intensity = {}, previous }: SupervisorInput): SupervisorContext {
  checkMembers('supervisor', children, { name: 'children', max: concurrencyMax, isGiven: true });
  for (const { id, restart } of children)
    oneOf('supervisor', `children.${id}.restart`, restart, ['permanent', 'transient', 'temporary']);
  if (typeof intensity !== 'object' || intensity === null)
    throw badInput('supervisor', 'expected `intensity` to be {restarts, withinMs}');
  return {
    given: handedOn(previous),
    children,
    strategy: oneOf('supervisor', 'strategy', strategy, ['one-for-one', 'one-for-all', 'rest-for-one']),
    restartsMax: wholeNumber('supervisor', 'intensity.restarts', intensity.restarts, {
      min: 0,
      max: 1_000,
      otherwise: 3,
    }),
    withinMs: milliseconds('supervisor', 'intensity.withinMs', intensity.withinMs) ?? 60_000,
    ends: children.map(({ id }) => ({ id, status: 'running', restarts: 0 })),
    restarts: 0,
    recent: 0,
  };
}

/** What a child's end means for it and for its siblings, by place. */
interface Consequence {
  /** Running siblings that are taken down, the last first. */
  readonly stopped: readonly number[];
  /** Who is started again, in order. */
  readonly started: readonly number[];
}

function consequenceOf(
  { children, strategy, ends }: SupervisorContext,
  place: number,
  hasFailed: boolean,
): Consequence {
  const { restart = 'permanent' } = children[place] as SupervisedChild;
  if (restart === 'temporary' || (restart === 'transient' && !hasFailed)) return { stopped: [], started: [] };
  const from = strategy === 'one-for-one' ? children.length : strategy === 'one-for-all' ? 0 : place + 1;
  const others = ends.flatMap(({ status }, index) =>
    index !== place && index >= from && status === 'running' ? [index] : [],
  );
  const again = others.filter((index) => children[index]?.restart !== 'temporary');
  return { stopped: others.toReversed(), started: [...again, place].toSorted((a, b) => a - b) };
}

/** How the children stand after that. */
function endsAfter({ ends }: SupervisorContext, { stopped, started }: Consequence): readonly ChildEnd[] {
  const isStopped = new Set(stopped);
  const isStarted = new Set(started);
  return ends.map((end, index): ChildEnd => {
    if (isStarted.has(index)) return { ...end, status: 'running', restarts: end.restarts + 1 };
    return isStopped.has(index) ? { ...end, status: 'stopped' } : end;
  });
}

/** The coordinator: see the head of this file. */
export const supervisor = coordinator(
  setup({
    types: {} as {
      input: SupervisorInput;
      context: SupervisorContext;
      events: MemberEnd & { readonly from?: string };
      output: SupervisorOutput;
    },
    actors: { member },
    guards: {
      nobodyIsLeft: ({ context }) => context.ends.every(({ status }) => status !== 'running'),
      isFromOutside: ({ event }) => isFromOutside(event),
    },
    actions: {
      startAll: enqueueActions(({ context, enqueue }) => {
        enqueue.assign(({ spawn }) => {
          for (const child of context.children) startChild(spawn, child, { ...context.given, restarts: 0 });
          return {};
        });
      }),
      takeNote: enqueueActions(({ context, event, enqueue }) => {
        const hasFailed = event.type.startsWith('xstate.error.');
        const { actorId: id, output, error } = event;
        enqueue.assign({
          ends: context.ends.map((end): ChildEnd =>
            end.id !== id
              ? end
              : hasFailed
                ? { ...end, status: 'failed', error }
                : { ...end, status: 'succeeded', output },
          ),
        });
        enqueue.stopChild(id);
      }),
      restart: enqueueActions(({ context, event, enqueue }) => {
        const { children, restartsMax, withinMs, recent, given } = context;
        const { actorId: id, error } = event;
        const hasFailed = event.type.startsWith('xstate.error.');
        const consequence = consequenceOf(
          context,
          children.findIndex((child) => child.id === id),
          hasFailed,
        );
        if (consequence.started.length === 0) return;
        if (recent === restartsMax) {
          const last = hasFailed ? error : { name: 'Error', message: 'it ended, and is permanent' };
          const cause = memberFailed({ id, error: last });
          throw Object.assign(cause, {
            message: `${recent + 1} restarts within ${withinMs} ms, and ${restartsMax} are allowed: ${cause.message}`,
          });
        }
        const ends = endsAfter(context, consequence);
        const restarts = context.restarts + 1;
        for (const place of consequence.stopped) enqueue.stopChild(children[place]?.id as string);
        enqueue.assign(({ spawn }) => {
          for (const place of consequence.started)
            startChild(spawn, children[place] as SupervisedChild, { ...given, restarts: ends[place]?.restarts ?? 0 });
          return { ends, restarts, recent: recent + 1 };
        });
        enqueue.raise({ type: 'xstate.after.window' } as MemberEnd, { id: `window-${restarts}`, delay: withinMs });
        enqueue(
          checkpoint({
            name: `restart ${restarts}`,
            reason: `${id} ${hasFailed ? 'failed' : 'ended'}`,
            settled: restarts,
            total: restarts,
          }),
        );
      }),
      forgetRestart: enqueueActions(({ context, enqueue }) => {
        enqueue.assign({ recent: context.recent - 1 });
      }),
      stopAll: enqueueActions(({ context, enqueue }) => {
        for (const { id, status } of context.ends.toReversed()) if (status === 'running') enqueue.stopChild(id);
        enqueue.assign({
          ends: context.ends.map((end): ChildEnd => (end.status === 'running' ? { ...end, status: 'stopped' } : end)),
        });
      }),
    },
  }).createMachine({
    id: 'supervisor',
    context: ({ input }) => contextOf(checkInput('supervisor', input)),
    initial: 'supervising',
    states: {
      supervising: {
        entry: 'startAll',
        always: { guard: 'nobodyIsLeft', target: 'done' },
        on: {
          'xstate.done.actor.*': { actions: ['takeNote', 'restart'] },
          'xstate.error.actor.*': { actions: ['takeNote', 'restart'] },
          'xstate.after.window': { actions: 'forgetRestart' },
          'stop': { guard: 'isFromOutside', target: 'done', actions: 'stopAll' },
        },
      },
      done: { type: 'final' },
    },
    output: ({ context: { ends, restarts } }) => ({ children: ends, restarts }),
  }),
);

function startChild(
  spawn: Parameters<typeof spawnWork>[0],
  { restart: _restart, ...child }: SupervisedChild,
  given: Given,
): void {
  spawnWork(spawn, child.id, child as MemberInput, given);
}
