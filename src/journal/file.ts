/**
 * The file journal: one folder per run, `<dir>/runs/<run>/`, readable with `cat`, `jq` and `tail -f`.
 *
 *     journal.jsonl, journal-000002.jsonl …   the log (`segments.ts`, `line.ts`)
 *     lease/000003.json                       who may write (`lease.ts`)
 *     lease/checked.json                      what the last holder had checked: a cache (`checked.ts`)
 *     snapshots/group%3achecks-1200.json      caches (`snapshots.ts`)
 *     files/…                                 side files: harnesses' outputs
 *     torn/journal.jsonl.48213.4              what a repair cut off (`repair.ts`)
 *
 * Durability: an acknowledged append survives kill -9 and power loss, if the disk honours a flush.
 */
import { systemClock, type Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { ioError } from './damage.ts';
import type { Upcasts } from './decode.ts';
import { openFileJournal } from './file-journal.ts';
import { hasCode, nodeFileSystem, type FileSystem } from './fs.ts';
import { checkRunId, isRunId } from './names.ts';
import type { JournalStore, Origin } from './port.ts';
import { machineProcesses, type Processes } from './process-identity.ts';
import { createSegment, listSegments, readHeader } from './segments.ts';
import { syncAbove } from './tree.ts';
import { wholeRuns } from './whole-runs.ts';

/** How a folder becomes a store of journals. Only `dir` is needed. */
export interface FileStoreOptions {
  /** The data folder; runs are in `<dir>/runs`. It is created when the first run is. */
  readonly dir: string;
  /** The file system. Default: the machine's. */
  readonly fs?: FileSystem;
  /** For the times written into headers and leases, and for heartbeats. Default: the machine's. */
  readonly clock?: Clock;
  /** Who we are and who lives, for leases. Default: the machine's processes; tests give others. */
  readonly processes?: Processes;
  /** Longest line, in bytes with its newline; a longer one is ENTRY_TOO_LARGE. Default 8 MiB. */
  readonly entryBytesMax?: number;
  /** A segment that has reached this is closed before the next flush. Default 64 MiB. */
  readonly segmentBytesMax?: number;
  /** A batch that has reached this is closed; the next append begins another flush. Default 4 MiB. */
  readonly batchBytesMax?: number;
  /** A holder on another machine is given up when it has shown no sign of life for so long; it shows one three times as often. Default 30,000 ms. */
  readonly leaseTtlMs?: number;
  /** A lone append is flushed by a blocking call while recent flushes took less than this; 0: never, Infinity: always. Default 2 ms. */
  readonly blockBelowMs?: number;
  /** What is written into headers and snapshots as their writer. Default `troupe`. */
  readonly engine?: string;
  /** How entries of older versions are read. Default: those of this troupe. */
  readonly upcasts?: Upcasts;
}

const mebibyte = 1024 * 1024;

const defaults = {
  fs: nodeFileSystem,
  clock: systemClock,
  processes: machineProcesses,
  entryBytesMax: 8 * mebibyte,
  segmentBytesMax: 64 * mebibyte,
  batchBytesMax: 4 * mebibyte,
  leaseTtlMs: 30_000,
  blockBelowMs: 2,
  engine: 'troupe',
  upcasts: {},
};

/** A store that can do all that stores can. */
export type FileStore = Required<JournalStore>;

/** A store of journals in a folder. Codes: BAD_INPUT without one; of `open`: BAD_INPUT, RUN_EXISTS, RUN_UNKNOWN, JOURNAL_IO. */
export function fileStore(options: FileStoreOptions): FileStore {
  const { dir, ...given } = options;
  // In JavaScript a name that is none would be a folder called `undefined`.
  if (typeof dir !== 'string' || dir === '')
    throw new TroupeError(
      'BAD_INPUT',
      `fileStore: expected \`dir\` to be the path of a folder, got ${JSON.stringify(dir)}.`,
    );
  const settings = { ...defaults, ...given };
  const { fs, clock, processes, engine } = settings;
  const runs = `${dir}/runs`;

  const create = async (run: string, folder: string): Promise<void> => {
    const exists = new TroupeError('RUN_EXISTS', `Run \`${run}\` exists already in ${runs}.`, { run });
    const listing = await listSegments(fs, folder, run);
    if (listing.segments.length > 0 || listing.trouble !== undefined) throw exists;
    const made = await fs.mkdir(folder);
    // Whoever made the folders above, now their names are durable.
    await fs.syncDirectory(runs);
    await fs.syncDirectory(dir);
    if (made !== undefined) await syncAbove(fs, dir, made);
    const { pid, startedAt } = processes.self();
    const header = {
      run,
      segment: 1,
      engine,
      at: clock.now(),
      epoch: 0,
      previousBytes: 0,
      entriesBefore: 0,
      heads: new Map(),
    };
    if ((await createSegment(fs, folder, header, `${pid}-${startedAt}`)) === undefined) throw exists;
  };

  /** Whether this is why a run's first header cannot be read. */
  const isWithoutLog = async (error: unknown, run: string): Promise<boolean> => {
    if (hasCode(error, 'ENOTDIR')) return true;
    if (!hasCode(error, 'ENOENT')) return false;
    // Of a log whose first segment is lost, others are there.
    const listing = await listSegments(fs, `${runs}/${run}`, run).catch(() => undefined);
    return listing?.segments.length === 0 && listing.trouble === undefined;
  };

  return {
    async open(run, { create: isNew = false } = {}) {
      checkRunId(run);
      const folder = `${runs}/${run}`;
      let origin: Origin | undefined;
      try {
        if (isNew) await create(run, folder);
        else {
          const listing = await listSegments(fs, folder, run);
          origin = listing.segments[0]?.header.origin;
          if (listing.segments.length === 0 && listing.trouble === undefined)
            throw new TroupeError('RUN_UNKNOWN', `There is no run \`${run}\` in ${runs}.`, { run });
        }
      } catch (error) {
        throw ioError(error, isNew ? 'creating the run' : 'opening the run', folder);
      }
      return openFileJournal(settings, run, folder, origin);
    },
    async list() {
      let names: readonly string[];
      try {
        names = await fs.readdir(runs);
      } catch (error) {
        // No run has been made here yet.
        if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
        throw ioError(error, 'listing the runs', runs);
      }
      const found: { readonly run: string; readonly at: number }[] = [];
      for (const run of names.filter(isRunId)) {
        try {
          found.push({ run, at: (await readHeader(fs, `${runs}/${run}`, run, 1, 0)).header.at });
        } catch (error) {
          // One that is damaged, or cannot be read, is there all the same; a folder without a log is none.
          if (!(await isWithoutLog(error, run))) found.push({ run, at: 0 });
        }
      }
      return found.toSorted((a, b) => a.at - b.at || (a.run < b.run ? -1 : 1)).map(({ run }) => run);
    },
    ...wholeRuns({ fs, dir, clock, processes, engine, leaseTtlMs: settings.leaseTtlMs }),
  };
}
