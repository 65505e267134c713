/** Worktrees of this data folder: those that runs made, and those that are left of runs that are gone. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stateOf } from '../harness/worktree/state.ts';
import type { Worktree } from '../harness/worktree/port.ts';
import type { RunView } from '../process/run-view.ts';
import type { DataFolder } from './data-folder.ts';
import { runsNewestFirst } from './runs.ts';

/** One worktree, as its journal and git tell. */
export interface WorktreeRow {
  readonly run: string;
  readonly group: string;
  readonly member: string;
  readonly path: string;
  /** Absent for a folder of which no journal tells. */
  readonly branch?: string;
  readonly repository?: string;
  /** `open`: its member has not ended; `unknown`: no journal tells of it. */
  readonly state: 'kept' | 'open' | 'unknown';
  /** Why it was kept. */
  readonly why?: string;
  /** Changed, staged and new files that are not committed; absent when its folder is gone. */
  readonly uncommitted?: number;
  /** Commits beyond its base. */
  readonly commits?: number;
}

/** Those of one run, or of all. Those that were removed are not among them. */
export async function worktreesIn(data: DataFolder, run: string | undefined): Promise<readonly WorktreeRow[]> {
  const rows: WorktreeRow[] = [];
  const known = new Set<string>();
  for await (const one of runsNewestFirst(data)) {
    if (!('view' in one)) continue;
    for (const row of recordedIn(one.view)) {
      known.add(row.path);
      if (row.state !== 'removed' && (run === undefined || run === one.id)) rows.push(await looked(row));
    }
  }
  for (const folder of await foldersIn(data.worktrees)) {
    const isMeant = run === undefined || folder.run === run;
    if (isMeant && !known.has(folder.path)) rows.push({ ...folder, state: 'unknown' });
  }
  return rows;
}

type Recorded = Omit<WorktreeRow, 'state'> & Worktree & { readonly state: 'kept' | 'open' | 'removed' };

function recordedIn({ id, groups }: RunView): readonly Recorded[] {
  return [...groups.values()].flatMap((ledger) =>
    [...ledger.worktrees.values()]
      // What a fork knows of its origin is the origin's.
      .filter((one) => one.run === id)
      .map(({ member, path, branch, base, repository, state, why }) => ({
        run: id,
        group: ledger.name,
        member,
        path,
        branch,
        base,
        repository,
        state,
        why,
      })),
  );
}

async function looked({ base, ...row }: Recorded): Promise<WorktreeRow> {
  const { path, branch, repository, why } = row;
  const shown = { ...row, state: row.state === 'open' ? 'open' : 'kept', ...(why === '' ? {} : { why }) } as const;
  if (!existsSync(repository)) return shown;
  const { isThere, uncommitted, commits } = await stateOf({ path, branch, base, repository });
  return { ...shown, ...(isThere ? { uncommitted } : {}), commits };
}

/** Folders that stand where worktrees do. */
async function foldersIn(top: string): Promise<readonly Pick<WorktreeRow, 'group' | 'member' | 'path' | 'run'>[]> {
  const names = async (folder: string) => (await readdir(folder).catch(() => [] as string[])).toSorted();
  const found: Pick<WorktreeRow, 'group' | 'member' | 'path' | 'run'>[] = [];
  for (const run of await names(top))
    for (const group of await names(join(top, run)))
      for (const member of await names(join(top, run, group)))
        found.push({ run, group, member, path: join(top, run, group, member) });
  return found;
}
