/** Who performs invocations when the command line drives a run. */
import { command } from '../harness/command.ts';
import type { Harnesses } from '../harness/port.ts';
import type { Worktrees } from '../harness/worktree/port.ts';
import type { DataFolder } from './data-folder.ts';
import { installedHarnesses } from './installed-agents.ts';
import { withCapabilities, type ConfiguredProcess } from './load-config.ts';

/** Harnesses of a process and its configuration, over the installed agents and the built-in ones; `cwd`: folder of commands that name none. */
export function harnessesWith(
  { harnesses, takesInstalled, capabilities }: Pick<ConfiguredProcess, 'capabilities' | 'harnesses' | 'takesInstalled'>,
  cwd: string,
): Harnesses {
  const all = { command: command({ cwd }), ...(takesInstalled ? installedHarnesses(cwd) : {}), ...harnesses };
  return withCapabilities(all, capabilities);
}

/** Harnesses where no process file can be asked. */
export function harnessesAlone(cwd: string): Harnesses {
  return harnessesWith({ harnesses: {}, takesInstalled: true, capabilities: {} }, cwd);
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
