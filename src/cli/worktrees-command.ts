/** `troupe worktrees`. */
import { relative } from 'node:path';
import { dataFolder } from './data-folder.ts';
import { quoted } from './quoted.ts';
import { exitCodes } from './exit-codes.ts';
import { knownRun } from './known-run.ts';
import { print, styleFor } from './terminal.ts';
import { column, count, widthOf } from './text.ts';
import { worktreesIn, type WorktreeRow } from './worktrees.ts';

/** Options of `troupe worktrees`. */
export interface WorktreesCommandOptions {
  readonly data?: string;
  readonly json?: boolean;
}

/** Tells where members' worktrees are, and what is in them. Returns the exit code. Codes: RUN_UNKNOWN. */
export async function worktreesCommand(
  run: string | undefined,
  { data: given, json = false }: WorktreesCommandOptions,
): Promise<number> {
  const data = dataFolder(given);
  if (run !== undefined) await knownRun(data.store, run);
  const rows = await worktreesIn(data, run);
  if (json) {
    print(JSON.stringify({ worktrees: rows }));
    return exitCodes.ok;
  }
  const style = styleFor(process.stdout);
  if (rows.length === 0) print('no worktrees; a member gets one with `isolation: "worktree"` in its invocation');
  const wide = (texts: readonly string[]) => Math.min(40, Math.max(...texts.map(widthOf)));
  const whose = ({ run: id, group, member }: WorktreeRow) => `${id} ${group}/${member}`;
  const whoseWidth = wide(rows.map(whose));
  const paints = { kept: style.yellow, open: style.cyan, unknown: style.dim };
  for (const row of rows) {
    print(`${column(whose(row), whoseWidth)}  ${paints[row.state](column(row.state, 7))}  ${standing(row)}`);
    print(
      style.dim(`  ${relative(process.cwd(), row.path) || '.'}${row.branch === undefined ? '' : `  ${row.branch}`}`),
    );
  }
  const kept = rows.find((row) => row.state === 'kept' && row.repository !== undefined);
  if (kept?.repository !== undefined) {
    const { repository, path, branch = '' } = kept;
    print(
      `when you have what you want of one:\n  git -C ${quoted(repository)} worktree remove ${quoted(path)} && git -C ${quoted(repository)} branch -D ${quoted(branch)}`,
    );
  }
  return exitCodes.ok;
}

function standing({ state, why, uncommitted, commits }: WorktreeRow): string {
  if (state === 'unknown') return 'no journal tells of it';
  if (uncommitted === undefined) return 'its folder is gone';
  const what = `${count(uncommitted, 'uncommitted change')}, ${count(commits ?? 0, 'commit')}`;
  return why === undefined ? what : `${what} (kept: ${why})`;
}
