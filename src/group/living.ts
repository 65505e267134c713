/** A wanted member while this host lives: what is under way of it. */
import type { Invocation, Progress } from '../harness/port.ts';
import type { ActorKey } from './effect.ts';
import type { GroupEvents, GroupEventType } from './entries.ts';
import type { OpenMailbox } from './mailbox.ts';

/** A member that is wanted: what the fold says. */
export interface Want extends ActorKey {
  readonly input: Invocation;
}

/** Writes an event of the group's stream; calls back when it is durable and folded, or when it never will be. */
export type Push = <Type extends GroupEventType>(
  type: Type,
  data: GroupEvents[Type],
  applied?: () => void,
  lost?: () => void,
) => void;

/** A member that is wanted, and its next or present attempt. */
export interface Living extends Want {
  attempt: number;
  /**
   * `idle`: nothing is asked for; `dispatched`: the dispatcher has it; `sweeping`: what a lost attempt left is being ended;
   * `waiting`: backs off before the next attempt.
   */
  phase: 'dispatched' | 'idle' | 'sweeping' | 'waiting';
  /** Calls off a pending retry. */
  cancelRetry: (() => void) | undefined;
  /** 1 while an attempt was allowed whose start is not recorded yet. */
  granted: 0 | 1;
  /** Of the attempt that the dispatcher has. */
  mailbox: OpenMailbox | undefined;
  progress: { last: number; waiting: Progress | undefined; cancel: (() => void) | undefined };
}

/** What entries call an attempt. */
export function attempted({ address, incarnation, attempt }: Living): {
  readonly member: string;
  readonly incarnation: number;
  readonly attempt: number;
} {
  return { member: address, incarnation, attempt };
}

/** Key of a member's incarnation in this host's tables. */
export const livingKey = ({ address, incarnation }: ActorKey) => `${address}#${incarnation}`;
