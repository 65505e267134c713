/** Who performs invocations when the command line drives a run. */
import { command } from '../harness/command.ts';
import type { Harnesses } from '../harness/port.ts';
import type { Worktrees } from '../harness/worktree/port.ts';
import type { DataFolder } from './data-folder.ts';

/** Harnesses of a process file, over the built-in ones; `cwd`: folder of commands that name none. */
export function harnessesWith(own: Harnesses, cwd: string): Harnesses {
  return { command: command({ cwd }), ...own };
}

/** Worktrees in the data folder; git's part is loaded when the first one is asked for. */
export function worktreesIn({ worktrees: folder }: DataFolder, cwd: string): Worktrees {
  let made: Promise<Worktrees> | undefined;
  const loaded = () => {
    made ??= import('../harness/worktree/git-worktrees.ts').then(({ gitWorktrees }) => gitWorktrees({ folder, cwd }));
    return made;
  };
  return {
    open: async (of) => (await loaded()).open(of),
    close: async (worktree, keep) => (await loaded()).close(worktree, keep),
  };
}
