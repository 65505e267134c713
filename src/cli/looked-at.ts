/** What `log` and `inspect` look at: a run of a data folder, or a run directory of babysitter. */
import { join } from 'node:path';
import { journalOfRunDir } from '../babysitter/as-journal.ts';
import { namesIn } from '../babysitter/run/listing.ts';
import { isRunDir } from '../babysitter/run/read-run.ts';
import type { Journal } from '../journal/port.ts';
import type { DataFolder } from './data-folder.ts';
import { logSize } from './log-size.ts';

/** A journal to be looked at. */
export interface LookedAt {
  readonly journal: Journal;
  /** Changes when there may be more to read. */
  sizeOf(): Promise<string>;
  /** False for a run directory of babysitter: it has no process file of ours. */
  readonly isOurs: boolean;
}

/** Opens it. Codes: RUN_UNKNOWN, JOURNAL_FORMAT, JOURNAL_CORRUPT, JOURNAL_IO. */
export async function lookAt(data: DataFolder, run: string): Promise<LookedAt> {
  if (/[/\\]/.test(run) && isRunDir(run)) {
    const sizeOf = () => Promise.resolve(String(namesIn(join(run, 'journal')).length));
    return { journal: journalOfRunDir(run), sizeOf, isOurs: false };
  }
  return { journal: await data.store.open(run), sizeOf: () => logSize(data.run(run)), isOurs: true };
}
