/**
 * The data folder: where runs are kept, `.troupe` unless --data or TROUPE_DATA says otherwise. Process files, and folders of commands,
 * are recorded relative to the folder that holds it, so that a project can be moved; what is elsewhere is recorded as an absolute path.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { TroupeError } from '../error.ts';
import { fileStore } from '../journal/file.ts';
import type { JournalStore } from '../journal/port.ts';
import { quoted } from './quoted.ts';

/** A data folder and the store in it. */
export interface DataFolder {
  readonly store: JournalStore;
  /** Absolute. */
  readonly path: string;
  /** What a command line must add to mean this folder: ` --data x`, or nothing. */
  readonly flag: string;
  /** Makes `.troupe` when it is not there yet, and keeps it out of git's sight; a folder that was named is its owner's to ignore. */
  make(): void;
  /** Where worktrees of members are. */
  readonly worktrees: string;
  /** Where letters to the host of a run wait. */
  requests(run: string): string;
  /** Where a run's log and lease are. */
  run(run: string): string;
  /** The path of a process file, or of a folder, as it is recorded. */
  recorded(path: string): string;
  /** Where what was recorded is now; absolute. */
  found(recorded: string): string;
}

/** The data folder that --data, TROUPE_DATA or the default names. Codes: BAD_INPUT for a name that is empty. */
export function dataFolder(given: string | undefined): DataFolder {
  if (given === '')
    throw new TroupeError(
      'BAD_INPUT',
      'expected --data to be the path of a folder, got an empty text; leave it out for .troupe.',
    );
  const named = given ?? (process.env['TROUPE_DATA'] || undefined);
  const path = resolve(named ?? '.troupe');
  const base = dirname(path);
  const run = (id: string) => join(path, 'runs', id);
  return {
    store: fileStore({ dir: path }),
    path,
    make() {
      if (named !== undefined) return;
      try {
        mkdirSync(path);
        writeFileSync(join(path, '.gitignore'), '*\n');
      } catch {
        // It is there; or what stands in the way is told when the run is written.
      }
    },
    worktrees: join(path, 'worktrees'),
    flag: given === undefined ? '' : ` --data ${quoted(given)}`,
    run,
    requests: (id) => join(run(id), 'requests'),
    recorded(whole) {
      const inside = relative(base, whole);
      const isOutside = isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`);
      return isOutside ? whole : inside.split(sep).join('/') || '.';
    },
    found: (recorded) => resolve(base, recorded),
  };
}
