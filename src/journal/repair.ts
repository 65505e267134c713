/**
 * Mending a log's end after a crash: the only place where bytes of a log are changed. It is done under the lease, and only when nobody
 * else can be writing. What is cut off is kept in `<run>/torn/`.
 */
import { readAll, withFile, writeAll, type FileSystem } from './fs.ts';
import { factsReader } from './decode.ts';
import type { JournalNotice } from './port.ts';
import type { Segment } from './segments.ts';
import { cursorAt, walkSegment, type Cursor, type SegmentEnd, type WalkStart } from './walk.ts';

/** The last segment, checked to its end. */
export interface Scan {
  readonly cursor: Cursor;
  readonly end: SegmentEnd;
}

/** Checks a segment, or `content` read of it before, or what is behind `from`, without parsing its data. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT; system errors pass through. */
export async function scanSegment(
  fs: FileSystem,
  segment: Segment,
  cursor: Cursor = cursorAt(segment),
  content?: Buffer,
  from?: WalkStart,
): Promise<Scan> {
  const walk = walkSegment(fs, segment, cursor, factsReader(), undefined, content, from);
  for (;;) {
    const step = await walk.next();
    if (step.done === true) return { cursor, end: step.value };
  }
}

async function cutTail(fs: FileSystem, folder: string, segment: Segment, from: number, epoch: number): Promise<string> {
  const torn = `${folder}/torn`;
  if ((await fs.mkdir(torn)) !== undefined) await fs.syncDirectory(folder);
  const name = `${segment.file}.${from}.${epoch}`;
  await withFile(fs, segment.path, 'change', async (open) => {
    const bytes = await readAll(open, from, (await open.size()) - from);
    await withFile(fs, `${torn}/${name}`, 'replace', async (kept) => {
      await writeAll(kept, bytes, 0);
      await kept.datasync();
    });
    await fs.syncDirectory(torn);
    await open.truncate(from);
    await open.datasync();
  });
  return `torn/${name}`;
}

/** Which log's end is mended, by whom. */
export interface MendOptions {
  readonly fs: FileSystem;
  readonly folder: string;
  readonly segment: Segment;
  readonly epoch: number;
  readonly notice: (notice: JournalNotice) => void;
}

/** Gives the last segment, scanned before, a whole end and checks it. A last line that lacks only its newline is kept; an unfinished append is cut off. */
export async function mendEnd({ fs, folder, segment, epoch, notice }: MendOptions, first: Scan): Promise<Scan> {
  for (let scan = first; ; scan = await scanSegment(fs, segment)) {
    const { bytes, lines, tail } = scan.end;
    if (tail === undefined) return scan;
    if (tail.isWholeLine) {
      await withFile(fs, segment.path, 'change', async (open) => {
        await writeAll(open, Buffer.from('\n'), bytes + tail.bytes);
        await open.datasync();
      });
      continue;
    }
    const kept = await cutTail(fs, folder, segment, bytes, epoch);
    notice({
      kind: 'torn-tail',
      file: segment.file,
      line: lines + 1,
      byte: bytes,
      bytes: tail.bytes,
      message: `${segment.file} line ${lines + 1}: ${tail.bytes} bytes of an append that was never acknowledged were cut off at byte ${bytes}; they are kept in ${kept}.`,
    });
  }
}

/**
 * Makes a log's end durable again, whatever became of the flush before it: a system that failed to flush may show bytes from
 * memory as if they were on disk, so the last `window` bytes are written once more, just as they are, and flushed.
 */
export async function flushEnd(fs: FileSystem, segment: Segment, bytes: number, window: number): Promise<void> {
  await withFile(fs, segment.path, 'change', async (open) => {
    const from = Math.max(0, bytes - window);
    await writeAll(open, await readAll(open, from, bytes - from), from);
    await open.datasync();
  });
}
