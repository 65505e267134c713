/**
 * XState touch point: machines, states and actions as they are at run time (5.33). XState's own types leave most of it out, so the shapes
 * that the shorter way reads are said here once.
 */
import type { AnyActorLogic, AnyActorRef, AnyActorScope } from 'xstate';
import type { AnySnapshot, Heard } from './snapshot.ts';

/** A machine. */
export interface Machine {
  readonly id: string;
  readonly root: Node;
  readonly config: { readonly context?: unknown };
  readonly options: { readonly maxIterations: number };
  readonly implementations: {
    readonly actions: Readonly<Record<string, Builtin | undefined>>;
    readonly guards: Readonly<Record<string, Guard | undefined>>;
    readonly actors: Readonly<Record<string, AnyActorLogic | undefined>>;
  };
}
/** A state of the chart. */
export interface Node {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly order: number;
  readonly parent: Node | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly config: { readonly initial?: unknown };
  readonly initial: Transition;
  readonly entry: readonly AnyAction[];
  readonly exit: readonly AnyAction[];
  readonly invoke: readonly { readonly id: string; readonly src: string; readonly onSnapshot?: unknown }[];
  readonly always: readonly Transition[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  readonly tags: readonly string[];
  readonly output: unknown;
}
/** A transition as XState formats it; several event types may share one. */
export interface Transition {
  readonly guard: Guard | undefined;
  readonly actions: readonly AnyAction[];
  readonly source: Node;
  readonly target: readonly Node[] | undefined;
  readonly reenter: boolean;
}
/** What actions get. */
export interface Arguments {
  readonly context: object;
  readonly event: Heard;
  readonly self: AnyActorRef;
  readonly system: unknown;
}
/** A name, a name with parameters, or a function that may be one of XState's own. */
export type AnyAction = string | { readonly type: string; readonly params?: unknown } | Builtin;
/** A function of XState's own that carries its parameters, or one of the author's. */
export interface Builtin {
  (args: Arguments, params: unknown): void;
  readonly type: string;
  readonly assignment?: unknown;
  /** Of stopChild: which one. */
  readonly actorRef?: unknown;
  resolve?(
    scope: AnyActorScope,
    snapshot: State,
    args: Arguments,
    params: unknown,
    action: Builtin,
    extra: object,
  ): readonly [State, unknown, readonly AnyAction[] | undefined];
  readonly execute?: unknown;
  retryResolve?(scope: AnyActorScope, snapshot: State, params: unknown): void;
}
/** A name, a name with parameters, or a function. */
export type Guard = string | { readonly type: string; readonly params?: unknown } | GuardFunction;
/** XState's own guards have `check`. */
export interface GuardFunction {
  (args: { readonly context: object; readonly event: Heard }, params: unknown): boolean;
  check?(snapshot: State, args: object, guard: GuardFunction): boolean;
}
/** A machine's snapshot. */
export interface State extends AnySnapshot {
  readonly machine: Machine;
  readonly context: object;
  readonly _nodes: readonly Node[];
  readonly value: unknown;
  readonly tags: ReadonlySet<string>;
  readonly children: Readonly<Record<string, AnyActorRef>>;
  readonly historyValue: unknown;
  readonly matches: unknown;
  readonly hasTag: unknown;
  readonly can: unknown;
  readonly getMeta: unknown;
  readonly toJSON: unknown;
}
/** A machine that runs without XState's detours; `microstep` is called once per microstep that XState would tell of. */
export interface Fast {
  /** The first snapshot, as XState's getInitialSnapshot gives it. */
  start(scope: AnyActorScope, input: unknown, microstep: () => void): AnySnapshot;
  /** The next snapshot. Undefined: ask XState. */
  next(snapshot: AnySnapshot, event: Heard, scope: AnyActorScope, microstep: () => void): AnySnapshot | undefined;
}
