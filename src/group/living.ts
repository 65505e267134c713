/** A wanted member while this host lives: what is under way of it. */
import type { Keeping } from './expected.ts';
import type { OpenMailbox } from './mailbox.ts';
import type { Reports } from './reports.ts';
import type { Want } from './system.ts';

/** A member that is wanted, and its next or present attempt. */
export interface Living extends Want {
  attempt: number;
  /**
   * `idle`: nothing is asked for; `held`: waits until its budgets have room; `dispatched`: the dispatcher has it; `sweeping`: what a lost attempt left is being ended;
   * `waiting`: backs off before the next attempt.
   */
  phase: 'dispatched' | 'held' | 'idle' | 'sweeping' | 'waiting';
  /** Calls off a pending retry. */
  cancelRetry: (() => void) | undefined;
  /** 1 while an attempt was allowed whose start is not recorded yet. */
  granted: 0 | 1;
  /** What is kept free in its budgets for the attempt that was allowed and has not ended. */
  keeping: Keeping | undefined;
  /** Of the attempt that the dispatcher has. */
  mailbox: OpenMailbox | undefined;
  readonly reports: Reports;
}

/** What entries call an attempt. */
export function attempted({ address, incarnation, attempt }: Living): {
  readonly member: string;
  readonly incarnation: number;
  readonly attempt: number;
} {
  return { member: address, incarnation, attempt };
}
