/** Folders of members' own: a working copy and a branch each, so that nobody writes into another's files. */

/** What becomes of a worktree when its member has ended. */
export type KeepWorktree = 'always' | 'changed' | 'never';

/** A working copy of a member's own. */
export interface Worktree {
  /** Absolute. */
  readonly path: string;
  readonly branch: string;
  /** Commit that it began with. */
  readonly base: string;
  /** Top of the working copy it was made from; absolute. */
  readonly repository: string;
}

/** For whom a worktree is. */
export interface WorktreeOf {
  readonly run: string;
  readonly group: string;
  /** Address of the member. */
  readonly member: string;
  readonly incarnation: number;
  /** Folder that the member would work in otherwise. Default: the host's. */
  readonly cwd?: string | undefined;
  /** Commit, branch or tag to begin with. Default: what is checked out there. */
  readonly base?: string | undefined;
}

/** What became of one. */
export interface WorktreeEnd {
  /** False: the working copy is gone, and so is the branch if it had nothing of its own. */
  readonly kept: boolean;
  /** One phrase. */
  readonly why: string;
}

/** Makes and removes worktrees. */
export interface Worktrees {
  /**
   * The worktree of this member: made now, or found by its name, however its making was interrupted; `cwd` is the folder in it that corresponds to
   * the member's. Codes: BAD_INPUT where there is no git repository, no commit, or no such base.
   */
  open(of: WorktreeOf): Promise<{ readonly worktree: Worktree; readonly cwd: string }>;
  /**
   * The member has ended. What is not committed is never removed; commits stay on their branch. `changed` (the default policy) keeps the
   * worktree where there are commits beyond its base; `never` keeps only their branch.
   */
  close(worktree: Worktree, keep: KeepWorktree): Promise<WorktreeEnd>;
}
