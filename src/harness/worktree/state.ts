/** What stands in a worktree that would be lost with it. */
import { existsSync } from 'node:fs';
import { git, gitOrNone } from './git.ts';
import type { Worktree } from './port.ts';

/** A worktree as it is now. */
export interface WorktreeState {
  /** Its folder is there, and git's. */
  readonly isThere: boolean;
  /** Files that are changed, staged or new. What git ignores does not count. */
  readonly uncommitted: number;
  /** Commits on its branch beyond the one it began with. */
  readonly commits: number;
  /** The branch's last commit; undefined when the branch is gone. */
  readonly tip: string | undefined;
  /** Its HEAD has been put where the branch does not hold what it did: what is there instead. */
  readonly elsewhere: string | undefined;
}

/** Looks. Rejects with a `GitError` where git cannot tell. */
export async function stateOf({ path, branch, base, repository }: Worktree): Promise<WorktreeState> {
  const tip = await gitOrNone(repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`);
  const commits = tip === undefined ? 0 : Number(await git(repository, 'rev-list', '--count', `${base}..${tip}`));
  const isThere = existsSync(path) && (await gitOrNone(path, 'rev-parse', '--is-inside-work-tree')) === 'true';
  if (!isThere) return { isThere, uncommitted: 0, commits, tip, elsewhere: undefined };
  const status = await git(path, 'status', '--porcelain', '--untracked-files=all');
  const uncommitted = status === '' ? 0 : status.split('\n').length;
  return { isThere, uncommitted, commits, tip, elsewhere: await elsewhereOf(path, branch, tip) };
}

async function elsewhereOf(path: string, branch: string, tip: string | undefined): Promise<string | undefined> {
  const head = await gitOrNone(path, 'symbolic-ref', '--quiet', '--short', 'HEAD');
  if (head === branch) return undefined;
  if (head !== undefined) return `branch ${head} is checked out there`;
  const commit = await gitOrNone(path, 'rev-parse', '--verify', '--quiet', 'HEAD');
  if (commit !== undefined && tip !== undefined) {
    const isHeld = (await gitOrNone(path, 'merge-base', '--is-ancestor', commit, tip)) !== undefined;
    if (isHeld) return undefined;
  }
  return 'a commit that is on no branch is checked out there';
}
