/**
 * The file journal: one folder per run, `<dir>/runs/<run>/`, readable with `cat`, `jq` and `tail -f`.
 *
 *     journal.jsonl, journal-000002.jsonl …   the log (`segments.ts`, `line.ts`)
 *     lease/000003.json                       who may write (`lease.ts`)
 *     snapshots/group%3achecks-1200.json      caches (`snapshots.ts`)
 *     files/…                                 side files: harnesses' outputs
 *     torn/journal.jsonl.48213.4              what a repair cut off (`repair.ts`)
 *
 * Durability: an acknowledged append survives kill -9 and power loss, if the disk honours a flush.
 */
import { systemClock, type Clock } from '../clock.ts';
import { isTroupeError, TroupeError } from '../error.ts';
import { ioError } from './damage.ts';
import { nodeFileSystem, type FileSystem } from './fs.ts';
import { takeEpoch, type Epoch } from './lease.ts';
import { openLog } from './log.ts';
import { checkRunId, encodePath, isRunId } from './names.ts';
import type { Journal, JournalNotice, JournalStore, Lease } from './port.ts';
import { machineProcesses, type Processes } from './process-identity.ts';
import { readEntries } from './reader.ts';
import { scanSegment } from './repair.ts';
import { createSegment, listSegments, readHeader } from './segments.ts';
import { readSnapshot, writeSnapshot } from './snapshots.ts';
import type { Upcasts } from './line.ts';
import type { Writer } from './writer.ts';

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
  /** A lone append is flushed by a blocking call while recent flushes took less than this; 0: never, Infinity: always. Default 0.5 ms. */
  readonly blockBelowMs?: number;
  /** What is written into headers and snapshots as their writer. Default `troupe`. */
  readonly engine?: string;
  /** How entries of older versions are read. Default: those of this troupe. */
  readonly upcasts?: Upcasts;
}

/** A store of journals in a folder. Codes of `open`: BAD_INPUT, RUN_EXISTS, RUN_UNKNOWN, JOURNAL_IO. */
export function fileStore(options: FileStoreOptions): JournalStore {
  const { dir, fs = nodeFileSystem, clock = systemClock, processes = machineProcesses } = options;
  const { leaseTtlMs = 30_000, engine = 'troupe', upcasts = {} } = options;
  const {
    entryBytesMax = 8 * 1024 * 1024,
    segmentBytesMax = 64 * 1024 * 1024,
    batchBytesMax = 4 * 1024 * 1024,
    blockBelowMs = 0.5,
  } = options;
  const runs = `${dir}/runs`;

  const create = async (run: string, folder: string): Promise<void> => {
    const exists = new TroupeError('RUN_EXISTS', `Run \`${run}\` exists already in ${runs}.`, { run });
    const listing = await listSegments(fs, folder, run);
    if (listing.segments.length > 0 || listing.trouble !== undefined) throw exists;
    const made = await fs.mkdir(folder);
    // Whoever made the folders above, now their names are durable.
    await fs.syncDirectory(runs);
    await fs.syncDirectory(dir);
    if (made !== undefined && made.length <= dir.length) await fs.syncDirectory(`${dir}/..`).catch(() => undefined);
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

  const openJournal = (run: string, folder: string): Journal => {
    const found: JournalNotice[] = [];
    const sideFolders = new Map<string, Promise<unknown>>();
    let writer: Writer | undefined;
    let lease: Lease | undefined;
    let isTaking = false;
    let isClosed = false;

    const notice = (next: JournalNotice): void => {
      if (!found.some((other) => other.kind === next.kind && other.message === next.message)) found.push(next);
    };
    const checkOpen = (): void => {
      if (isClosed) throw new TroupeError('HOST_CLOSED', `The journal of run \`${run}\` is closed.`, { run });
    };

    const take = async (): Promise<{ readonly epoch: Epoch; readonly writer: Writer }> => {
      let epochMin = 1;
      for (;;) {
        const sealedEpoch = async (): Promise<number> =>
          (await listSegments(fs, folder, run)).segments.at(-1)?.header.epoch ?? 0;
        const epoch = await takeEpoch({ fs, clock, processes, run, folder, leaseTtlMs }, epochMin, sealedEpoch);
        try {
          const log = await openLog({
            fs,
            clock,
            run,
            folder,
            epoch,
            isFirstTry: epochMin === 1,
            engine,
            author: `${processes.self().pid}-${epoch.epoch}`,
            notice,
            entryBytesMax,
            segmentBytesMax,
            batchBytesMax,
            blockBelowMs,
          });
          if (typeof log === 'object') return { epoch, writer: log };
          epochMin = log;
          await epoch.release(false);
        } catch (error) {
          await epoch.release(false).catch(() => undefined);
          throw error;
        }
      }
    };

    const keepAlive = (epoch: Epoch): (() => void) => {
      let callOff = (): void => undefined;
      const arm = (): void => {
        callOff = clock.wakeAt(clock.now() + leaseTtlMs / 3, () => {
          // A heartbeat that fails is no harm by itself: the fence decides.
          void epoch.heartbeat().catch(() => undefined);
          arm();
        });
      };
      arm();
      return () => callOff();
    };

    const headOf = async (stream: string): Promise<number> => {
      if (writer !== undefined) return writer.durableSeq(stream);
      const last = (await listSegments(fs, folder, run)).segments.at(-1);
      return last === undefined ? 0 : ((await scanSegment(fs, last)).cursor.heads.get(stream) ?? 0);
    };

    return {
      run,
      async lease() {
        checkOpen();
        const failure = writer?.failure();
        if (failure !== undefined) throw failure;
        if (lease !== undefined || isTaking) {
          const { host, pid } = processes.self();
          throw new TroupeError(
            'RUN_BUSY',
            `Run \`${run}\` is held by this very journal (process ${pid} on ${host}).`,
            { run, host, pid },
          );
        }
        isTaking = true;
        try {
          const taken = await take();
          const { epoch } = taken;
          if (isClosed) {
            await taken.writer.close();
            await epoch.release(true);
            checkOpen();
          }
          writer = taken.writer;
          const stopHeartbeat = keepAlive(epoch);
          let released: Promise<void> | undefined;
          lease = {
            epoch: epoch.epoch,
            takenFrom: epoch.takenFrom,
            release() {
              released ??= (async () => {
                const mine = taken.writer;
                lease = undefined;
                stopHeartbeat();
                await mine.idle();
                try {
                  await mine.close();
                } finally {
                  await epoch.release(mine.failure() === undefined);
                  if (mine.failure() === undefined) writer = undefined;
                }
              })().catch((error: unknown) => {
                throw ioError(error, 'giving the run back', folder);
              });
              return released;
            },
          };
          return lease;
        } catch (error) {
          throw ioError(error, 'taking the run', folder);
        } finally {
          isTaking = false;
        }
      },
      append(stream, expectedSeq, epoch, events) {
        if (isClosed)
          return Promise.reject(new TroupeError('HOST_CLOSED', `The journal of run \`${run}\` is closed.`, { run }));
        if (writer === undefined || (lease?.epoch !== epoch && writer.failure() === undefined)) {
          return Promise.reject(
            new TroupeError('EPOCH_STALE', `Epoch ${epoch} of run \`${run}\` is not held here.`, {
              run,
              epoch,
              held: lease?.epoch,
            }),
          );
        }
        return writer.append(stream, expectedSeq, events);
      },
      async *read(stream, fromSeq = 1) {
        checkOpen();
        try {
          const end = writer?.durable();
          const listing = await listSegments(fs, folder, run);
          const segments = end === undefined ? listing.segments : listing.segments.slice(0, end.segment);
          yield* readEntries({
            fs,
            listing: { ...listing, segments },
            upcasts,
            stream,
            fromSeq,
            lastBytes: end?.bytes,
            notice,
          });
        } catch (error) {
          throw ioError(error, 'reading the log', folder);
        }
      },
      async saveSnapshot(snapshot) {
        if (isClosed || lease === undefined) return false;
        try {
          await writeSnapshot(fs, folder, snapshot, { engine, at: clock.now(), epoch: lease.epoch });
          return true;
        } catch {
          return false;
        }
      },
      async loadSnapshot(stream, maker) {
        checkOpen();
        try {
          return await readSnapshot(fs, folder, stream, maker, () => headOf(stream), notice);
        } catch (error) {
          throw ioError(error, 'loading a snapshot', folder);
        }
      },
      notices: () => [...found],
      async sideFile(name) {
        checkOpen();
        const path = [`${folder}/files`, ...encodePath(name)];
        const inside = path.slice(0, -1).join('/');
        try {
          // Once for all files of a folder: a group of a hundred asks a hundred times at one moment.
          const making = sideFolders.get(inside) ?? fs.mkdir(inside);
          sideFolders.set(inside, making);
          await making;
        } catch (error) {
          sideFolders.delete(inside);
          throw ioError(error, 'making a side file', folder);
        }
        return path.join('/');
      },
      async close() {
        if (isClosed) return;
        isClosed = true;
        await lease?.release();
      },
    };
  };

  return {
    async open(run, { create: isNew = false } = {}) {
      checkRunId(run);
      const folder = `${runs}/${run}`;
      try {
        if (isNew) await create(run, folder);
        else {
          const listing = await listSegments(fs, folder, run);
          if (listing.segments.length === 0 && listing.trouble === undefined)
            throw new TroupeError('RUN_UNKNOWN', `There is no run \`${run}\` in ${runs}.`, { run });
        }
      } catch (error) {
        throw ioError(error, isNew ? 'creating the run' : 'opening the run', folder);
      }
      return openJournal(run, folder);
    },
    async list() {
      let names: readonly string[];
      try {
        names = await fs.readdir(runs);
      } catch {
        return [];
      }
      const found: { readonly run: string; readonly at: number }[] = [];
      for (const run of names.filter(isRunId)) {
        try {
          found.push({ run, at: (await readHeader(fs, `${runs}/${run}`, run, 1, 0)).header.at });
        } catch (error) {
          // A damaged run is there all the same; a folder without a log is none.
          if (isTroupeError(error)) found.push({ run, at: 0 });
        }
      }
      return found.toSorted((a, b) => a.at - b.at || (a.run < b.run ? -1 : 1)).map(({ run }) => run);
    },
  };
}
