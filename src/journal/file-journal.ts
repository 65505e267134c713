/** One run's journal in its folder: the port over the log, the lease, the snapshots and the side files. */
import { isTroupeError, TroupeError } from '../error.ts';
import { ioError, staleEpoch } from './damage.ts';
import { writeChecked } from './checked.ts';
import type { Kept } from './last-segment.ts';
import { plainEntry } from './lazy.ts';
import type { Epoch } from './lease.ts';
import { takeLog, type LogSettings } from './log.ts';
import { encodePath } from './names.ts';
import type { Entry, Journal, JournalNotice, Lease, Origin } from './port.ts';
import { readEntries } from './reader.ts';
import { scanSegment } from './repair.ts';
import { listSegments, segmentFile } from './segments.ts';
import { readSnapshot, writeSnapshot } from './snapshots.ts';
import { unshare } from './tree.ts';
import type { WalkStart } from './walk.ts';
import type { Writer } from './writer.ts';

/** An outline is worth more than to know that so few bytes behind it are sound. */
const outlinedNearBytes = 1024 * 1024;

/** The journal of the run whose folder this is. It may be read at once, and written when leased. */
export function openFileJournal(
  settings: LogSettings,
  run: string,
  folder: string,
  origin: Origin | undefined,
): Journal {
  const { fs, clock, processes, leaseTtlMs, engine, upcasts } = settings;
  const found: JournalNotice[] = [];
  const sideFolders = new Map<string, Promise<unknown>>();
  let writer: Writer | undefined;
  let lease: Lease | undefined;
  /** What was read to take the run: the first read need not do that again. */
  let kept: Kept | undefined;
  /** The outline that is being written, and where the one that is kept ends. */
  let keeping = Promise.resolve();
  let outlinedTo = { segment: 0, bytes: Number.NEGATIVE_INFINITY };
  let isTaking = false;
  let isClosed = false;

  const notice = (next: JournalNotice): void => {
    if (!found.some((other) => other.kind === next.kind && other.message === next.message)) found.push(next);
  };
  const checkOpen = (): void => {
    if (isClosed) throw new TroupeError('HOST_CLOSED', `The journal of run \`${run}\` is closed.`, { run });
  };

  /** Throws JOURNAL_CORRUPT when what was acknowledged is there no more: a file that was removed, replaced or cut takes what is written to it. */
  const checkThere = async (epoch: Epoch, of: Writer): Promise<void> => {
    const { segment, bytes } = of.durable();
    const file = segmentFile(segment);
    const path = `${folder}/${file}`;
    const there = fs.exists(path) ? (await fs.stat(path)).bytes : 0;
    if (there >= bytes || epoch.isHeld() !== 'held') return;
    throw new TroupeError(
      'JOURNAL_CORRUPT',
      `${file}: expected the ${bytes} bytes that were written, found ${there}; somebody else removed, replaced or cut it while the run was driven.`,
      { file, path, expected: bytes, found: there },
    );
  };

  /** Heartbeats; `lost` when one finds that another host has taken the run, or that the log has gone. */
  const keepAlive = (epoch: Epoch, of: Writer, lost: (error: TroupeError) => void): (() => void) => {
    let callOff = (): void => undefined;
    const arm = (): void => {
      callOff = clock.wakeAt(clock.now() + leaseTtlMs / 3, () => {
        // A heartbeat that fails is no harm by itself: the fence decides.
        void epoch.heartbeat().catch(() => undefined);
        // Whoever took the run has read by now what it wanted to.
        kept = undefined;
        if (epoch.isHeld() === 'stale') return lost(staleEpoch(run, epoch.epoch));
        arm();
        // That the disk cannot be asked now is no harm either.
        checkThere(epoch, of).catch((error: unknown) => {
          if (!isTroupeError(error)) return;
          callOff();
          lost(error);
        });
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

  /** What stands behind a place in the segment that was the last one when the run was taken, as of then. */
  async function* readBehind(from: WalkStart, { segment, end: { bytes } }: Kept): AsyncIterable<readonly Entry[]> {
    checkOpen();
    if (bytes === from.bytes) return;
    try {
      const listing = await listSegments(fs, folder, run);
      yield* readEntries({
        fs,
        listing: { ...listing, segments: listing.segments.slice(0, segment) },
        upcasts,
        stream: undefined,
        fromSeq: 1,
        lastBytes: bytes,
        known: undefined,
        from,
        isLazy: true,
        notice,
      });
    } catch (error) {
      throw ioError(error, 'reading the log', folder);
    }
  }

  return {
    run,
    origin,
    async lease() {
      checkOpen();
      const failure = writer?.failure();
      if (failure !== undefined) throw failure;
      if (lease !== undefined || isTaking) {
        const { host, pid } = processes.self();
        throw new TroupeError('RUN_BUSY', `Run \`${run}\` is held by this very journal (process ${pid} on ${host}).`, {
          run,
          host,
          pid,
        });
      }
      isTaking = true;
      try {
        const taken = await takeLog({ ...settings, run, folder, notice });
        const { epoch } = taken;
        if (isClosed) {
          await taken.writer.close();
          await epoch.release(true);
          checkOpen();
        }
        writer = taken.writer;
        kept = taken.kept;
        outlinedTo = { segment: kept?.segment ?? 0, bytes: kept?.outlined?.from.bytes ?? Number.NEGATIVE_INFINITY };
        let tellLost = (_error: TroupeError): void => undefined;
        const stopHeartbeat = keepAlive(epoch, taken.writer, (error) => tellLost(error));
        let released: Promise<void> | undefined;
        lease = {
          epoch: epoch.epoch,
          takenFrom: epoch.takenFrom,
          onLost(callback) {
            tellLost = callback;
          },
          release() {
            released ??= (async () => {
              const mine = taken.writer;
              lease = undefined;
              stopHeartbeat();
              try {
                await mine.close();
                if (mine.failure() === undefined) await checkThere(epoch, mine);
                const { crc, ...end } = mine.durable();
                const isNear = end.segment === outlinedTo.segment && end.bytes - outlinedTo.bytes < outlinedNearBytes;
                if (mine.failure() === undefined && crc !== undefined && !isNear) {
                  const place = { ...end, crc, epoch: epoch.epoch, heads: mine.heads(), outline: undefined };
                  keeping = keeping.then(() => writeChecked(fs, folder, place));
                }
                await keeping;
              } finally {
                await epoch.release(mine.failure() === undefined);
                // Somebody may have asked for the lease again meanwhile, here.
                if (mine.failure() === undefined && writer === mine) writer = undefined;
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
    async *read(stream, fromSeq = 1, { isLazy = false } = {}) {
      checkOpen();
      try {
        const end = writer?.durable();
        const listing = await listSegments(fs, folder, run);
        const segments = end === undefined ? listing.segments : listing.segments.slice(0, end.segment);
        const known = kept?.segment === end?.segment ? kept?.known : undefined;
        kept = undefined;
        const batches = readEntries({
          fs,
          listing: { ...listing, segments },
          upcasts,
          stream,
          fromSeq,
          lastBytes: end?.bytes,
          known,
          from: undefined,
          isLazy,
          notice,
        });
        for await (const entries of batches) yield isLazy ? entries : entries.map(plainEntry);
      } catch (error) {
        throw ioError(error, 'reading the log', folder);
      }
    },
    outline(maker) {
      const segment = kept;
      const outlined = segment?.outlined;
      if (segment === undefined || outlined?.outline.maker !== maker) return undefined;
      const { from, outline } = outlined;
      const { entries, heads } = from.cursor;
      return { data: outline.data, entries, heads, rest: () => readBehind(from, segment) };
    },
    keepOutline(entries, make) {
      if (writer === undefined || lease === undefined) return;
      const { crc, ...end } = writer.durable();
      const outline = end.entries === entries && crc !== undefined ? make() : undefined;
      if (outline === undefined || crc === undefined) return;
      const place = { ...end, crc, epoch: lease.epoch, heads: writer.heads(), outline };
      outlinedTo = end;
      keeping = keeping.then(() => writeChecked(fs, folder, place));
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
        if (origin !== undefined) await unshare(fs, path.join('/'));
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
}
