/** What the file store does with runs as wholes: copied, put away, removed. Every failure has a code. */
import type { Clock } from '../clock.ts';
import { archiveRun, removeRun, restoreRun } from './archive.ts';
import { ioError } from './damage.ts';
import { forkLog } from './fork.ts';
import type { JournalStore } from './port.ts';
import { clearLeftovers, type RunsPlace } from './run-folder.ts';

/** What is needed for it. */
export interface WholeRunsOptions extends RunsPlace {
  readonly clock: Clock;
  readonly leaseTtlMs: number;
  readonly engine: string;
}

async function coded<Result>(doing: string, path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw ioError(error, doing, path);
  }
}

/** That part of a store. */
export function wholeRuns(place: WholeRunsOptions): Required<Omit<JournalStore, 'list' | 'open'>> {
  const folderOf = (run: string) => `${place.dir}/runs/${run}`;
  return {
    fork: (from, { at, as }) =>
      coded('forking the run', folderOf(from), async () => {
        await clearLeftovers(place);
        return await forkLog({ ...place, from, as, at });
      }),
    remove: (run) => coded('removing the run', folderOf(run), () => removeRun(place, run)),
    archive: (run, file, options) => coded('archiving the run', file, () => archiveRun(place, run, file, options)),
    restore: (file) => coded('restoring a run', file, () => restoreRun(place, file)),
  };
}
