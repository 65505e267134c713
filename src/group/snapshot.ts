/** What the kernel knows of every actor's state, whatever its logic. */
import type { AnyActorRef } from 'xstate';

/** What all snapshots have; the rest is known to the actor's own logic. */
export interface AnySnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly output: unknown;
  readonly error: unknown;
}

/** An event that may carry actor refs; it becomes JSON where it leaves the group. */
export interface Heard {
  readonly type: string;
}

/** XState's action as its executor gets it. `params` may still change until the transition has returned. */
export interface Action {
  readonly type: string;
  readonly params: unknown;
  /** What would be done; of a name that nobody implemented, undefined. */
  readonly exec?: unknown;
}

/** What is known of an actor that was stopped. */
export const stoppedSnapshot: AnySnapshot = { status: 'stopped', output: undefined, error: undefined };

/** Refs of the children in a snapshot; none for all but machines. */
export function childrenOf(snapshot: AnySnapshot | undefined): readonly AnyActorRef[] {
  const { children } = (snapshot ?? stoppedSnapshot) as AnySnapshot & {
    children?: Record<string, AnyActorRef | undefined>;
  };
  return children === undefined ? [] : Object.values(children).filter((child) => child !== undefined);
}
