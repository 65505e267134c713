/** What the journal says of members' worktrees. */
import type { KeepWorktree, Worktree } from '../harness/worktree/port.ts';
import type { Address } from './effect.ts';
import type { GroupEvents } from './entries.ts';

/** A member's own working copy. `open` until its member has ended. */
export interface WorktreeRecord extends Worktree {
  readonly member: Address;
  readonly incarnation: number;
  readonly attempt: number;
  /** Whose it is: a fork knows of its origin's. */
  readonly run: string;
  readonly keep: KeepWorktree;
  state: 'kept' | 'open' | 'removed';
  /** Why it was kept, or could be removed. */
  why: string;
}

/** Books a worktree, the last of its member's incarnation. */
export function noteOpened(worktrees: Map<string, WorktreeRecord>, data: GroupEvents['worktree.opened']): void {
  worktrees.set(`${data.member}#${data.incarnation}`, { ...data, state: 'open', why: '' });
}

/** Books what became of it. */
export function noteClosed(
  worktrees: Map<string, WorktreeRecord>,
  { member, incarnation, kept, why }: GroupEvents['worktree.closed'],
): void {
  const record = worktrees.get(`${member}#${incarnation}`);
  if (record === undefined) return;
  record.state = kept ? 'kept' : 'removed';
  record.why = why;
}
