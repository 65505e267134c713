/** From a lease to a writer: the log's end is checked, mended or sealed, and opened. */
import type { Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import type { FileSystem } from './fs.ts';
import type { Epoch } from './lease.ts';
import type { JournalNotice } from './port.ts';
import { flushEnd, mendEnd, scanSegment } from './repair.ts';
import { createSegment, listSegments, type Listing, type Segment } from './segments.ts';
import { cursorAt, type Cursor } from './walk.ts';
import { createWriter, type LogEnd, type Writer } from './writer.ts';

/** What is needed to write a run's log. */
export interface LogOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly run: string;
  readonly folder: string;
  readonly epoch: Epoch;
  /** False when the lease's epoch was raised above the log's: the lease folder was lost, so nothing is known of old holders. */
  readonly isFirstTry: boolean;
  readonly engine: string;
  /** Differs between hosts. */
  readonly author: string;
  readonly notice: (notice: JournalNotice) => void;
  readonly entryBytesMax: number;
  readonly segmentBytesMax: number;
  readonly batchBytesMax: number;
  readonly blockBelowMs: number;
}

/** Throws what is wrong with a log, having counted what is intact before it. */
async function refuse(fs: FileSystem, listing: Listing): Promise<never> {
  let cursor: Cursor | undefined;
  for (const segment of listing.segments) ({ cursor } = await scanSegment(fs, segment, (cursor ??= cursorAt(segment))));
  await listing.trouble?.(cursor?.entries ?? 0);
  throw new TroupeError('RUN_UNKNOWN', 'The log has gone.');
}

/** Opens the log's end for writing. Resolves to a number instead when the epoch is too low for the log: the lowest that will do. */
export async function openLog(options: LogOptions): Promise<Writer | number> {
  const { fs, clock, run, folder, epoch, isFirstTry, engine, author, notice, batchBytesMax } = options;

  const open = async (segment: Segment, number: number, bytes: number): Promise<LogEnd> => ({
    segment: number,
    path: segment.path,
    file: await fs.open(segment.path, 'append'),
    bytes,
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
        const next = await open(created, number, created.headerBytes);
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
    const scan = await scanSegment(fs, last);
    const { cursor: seen, end } = scan;
    if (seen.epoch >= epoch.epoch) return seen.epoch + 1;
    if (!epoch.mustSeal && isFirstTry) {
      const mended = await mendEnd({ fs, folder, segment: last, epoch: epoch.epoch, notice }, scan);
      if (!epoch.wasClean) await flushEnd(fs, last, mended.end.bytes, batchBytesMax);
      return begin(mended.cursor, await open(last, number, mended.end.bytes));
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
    if (created !== undefined) return begin(seen, await open(created, number + 1, created.headerBytes));
  }
}
