/** What a group's attempts need, and what is asked of them. */
import type { Outcome } from '../harness/port.ts';
import type { Mail } from './box.ts';
import type { BudgetPolicy } from './budget.ts';
import type { ActorKey } from './effect.ts';
import type { Push } from './entries.ts';
import type { GroupFold } from './fold.ts';
import type { Gates } from './gates.ts';
import type { GroupContext } from './group-context.ts';
import type { Post } from './post.ts';
import type { Want } from './system.ts';
import type { GroupWorktrees } from './worktrees.ts';

/** What `attemptsOf` needs. */
export interface AttemptsOptions {
  readonly context: GroupContext;
  readonly group: string;
  /** Attempts at once. */
  readonly concurrency: number;
  readonly push: Push;
  readonly fold: GroupFold;
  readonly post: Post;
  readonly worktrees: GroupWorktrees;
  readonly gates: Gates;
  readonly budget: BudgetPolicy | undefined;
}

/** The attempts of one group. */
export interface Attempts {
  /** The fold wants this member: makes its first attempt. */
  want(want: Want): void;
  /** The fold wants it no longer: ends its attempt. */
  drop(key: ActorKey, reason: string): void;
  /** After replay: `wants` are all members wanted now. Takes up, makes again, or gives up what an earlier host left. */
  reconcile(wants: Iterable<Want>): void;
  /** The budget's gate was answered. */
  answered(): void;
  /** Mail has come for a member that may wait for it. */
  called(key: ActorKey): void;
  /** Mail has come that is perhaps not to wait until it is read. */
  arrived(mail: Mail, key: ActorKey): void;
  /** An outside orchestrator's outcome; resolves when its output has been checked, and what it comes to is on its way to the journal. */
  settle(want: Want, outcome: Outcome): Promise<void>;
}
