/** From a lease to a writer: the log's end is checked, mended or sealed, and opened. */
import type { Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import type { FileSystem } from './fs.ts';
import { takeEpoch, type Epoch } from './lease.ts';
import { crcOf } from './line.ts';
import type { JournalNotice } from './port.ts';
import type { Processes } from './process-identity.ts';
import type { Upcasts } from './decode.ts';
import { readLastSegment, type Kept } from './last-segment.ts';
import { flushEnd, mendEnd, scanSegment } from './repair.ts';
import { createSegment, encodeHeader, listSegments, type Listing, type Segment } from './segments.ts';
import { cursorAt, type Cursor } from './walk.ts';
import { createWriter, type LogEnd, type Writer } from './writer.ts';

/** How logs are written, the same for all runs of a store. */
export interface LogSettings {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly leaseTtlMs: number;
  readonly engine: string;
  readonly entryBytesMax: number;
  readonly segmentBytesMax: number;
  readonly batchBytesMax: number;
  readonly blockBelowMs: number;
  readonly upcasts: Upcasts;
}

/** Which log is written. */
export interface LogOptions extends LogSettings {
  readonly run: string;
  readonly folder: string;
  readonly notice: (notice: JournalNotice) => void;
}

/** A log held and open for writing. */
export interface HeldLog {
  readonly epoch: Epoch;
  readonly writer: Writer;
  /** The log's end as it was read and checked; undefined when it is to be read again. */
  readonly kept: Kept | undefined;
}

/** Takes the run's next epoch and opens its log. Codes: RUN_BUSY, JOURNAL_CORRUPT, JOURNAL_FORMAT; system errors pass through. */
export async function takeLog(options: LogOptions): Promise<HeldLog> {
  const { fs, folder, run } = options;
  const sealedEpoch = async (): Promise<number> =>
    (await listSegments(fs, folder, run)).segments.at(-1)?.header.epoch ?? 0;
  let epochMin = 1;
  for (;;) {
    const epoch = await takeEpoch(options, epochMin, sealedEpoch);
    try {
      // Was the epoch raised, then the lease folder was lost: nothing is known of old holders.
      const log = await openLog(options, epoch, epoch.mustSeal || epochMin > 1);
      if (typeof log === 'object') return { epoch, ...log };
      epochMin = log;
      await epoch.release(false);
    } catch (error) {
      await epoch.release(false).catch(() => undefined);
      throw error;
    }
  }
}

/** Throws what is wrong with a log, having counted what is intact before it. */
async function refuse(fs: FileSystem, listing: Listing): Promise<never> {
  let cursor: Cursor | undefined;
  for (const segment of listing.segments) ({ cursor } = await scanSegment(fs, segment, (cursor ??= cursorAt(segment))));
  await listing.trouble?.(cursor?.entries ?? 0);
  throw new TroupeError('RUN_UNKNOWN', 'The log has gone.');
}

/** Opens the log's end for writing. Resolves to a number instead when the epoch is too low for the log: the lowest that will do. */
async function openLog(options: LogOptions, epoch: Epoch, mustSeal: boolean): Promise<Omit<HeldLog, 'epoch'> | number> {
  const { fs, clock, run, folder, processes, engine, notice, batchBytesMax } = options;
  /** Differs between hosts. */
  const author = `${processes.self().pid}-${epoch.epoch}`;

  const open = async (segment: Segment, number: number, bytes: number, crc?: number): Promise<LogEnd> => ({
    segment: number,
    path: segment.path,
    file: await fs.open(segment.path, 'append'),
    bytes,
    crc,
  });

  const begin = (cursor: Cursor, place: LogEnd): Writer =>
    createWriter({
      ...options,
      epoch: epoch.epoch,
      isHeld: () => epoch.isHeld(),
      heads: cursor.heads,
      entries: cursor.entries,
      place,
      async rollOver(now) {
        const number = now.segment + 1;
        const header = {
          run,
          segment: number,
          engine,
          at: clock.now(),
          epoch: epoch.epoch,
          previousBytes: now.bytes,
          entriesBefore: now.entries,
          heads: now.heads,
        };
        const created = await createSegment(fs, folder, header, author);
        if (created === undefined)
          throw new TroupeError(
            'EPOCH_STALE',
            `Epoch ${epoch.epoch} of run \`${run}\` is over: another host has begun segment ${number}.`,
            { run, epoch: epoch.epoch },
          );
        const next = await open(created, number, created.headerBytes, crcOf(encodeHeader(created.header)));
        await place.file.close().catch(() => undefined);
        place = next;
        return next;
      },
    });

  for (;;) {
    const listing = await listSegments(fs, folder, run);
    const last = listing.segments.at(-1);
    if (listing.trouble !== undefined || last === undefined) return refuse(fs, listing);
    const number = last.header.segment;
    const { scan, crc, kept } = await readLastSegment(fs, folder, last);
    const { cursor: seen, end } = scan;
    if (seen.epoch >= epoch.epoch) return seen.epoch + 1;
    if (!mustSeal) {
      const mended = await mendEnd({ fs, folder, segment: last, epoch: epoch.epoch, notice }, scan);
      if (!epoch.wasClean) {
        // Whoever made the last segment may have died before its name was durable, and our appends are going to lie in it.
        await fs.syncDirectory(folder);
        await flushEnd(fs, last, mended.end.bytes, batchBytesMax);
      }
      return { writer: begin(mended.cursor, await open(last, number, mended.end.bytes, crc)), kept };
    }
    if (end.tail !== undefined) {
      notice({
        kind: 'stale-writes',
        file: last.file,
        line: end.lines + 1,
        byte: end.bytes,
        bytes: end.tail.bytes,
        message: `${last.file}: ${end.tail.bytes} bytes after byte ${end.bytes} do not count: an old holder of the run may still be writing there.`,
      });
    }
    await flushEnd(fs, last, end.bytes, batchBytesMax);
    const header = {
      run,
      segment: number + 1,
      engine,
      at: clock.now(),
      epoch: epoch.epoch,
      previousBytes: end.bytes,
      entriesBefore: seen.entries,
      heads: seen.heads,
    };
    const created = await createSegment(fs, folder, header, author);
    // Undefined: the old holder has just begun this segment itself; then what it wrote there is read, and that one is sealed.
    if (created !== undefined)
      return {
        writer: begin(seen, await open(created, number + 1, created.headerBytes, crcOf(encodeHeader(created.header)))),
        kept: undefined,
      };
  }
}
