/** Reading a log's last segment when the run is taken: once, for the lease's check and for the first read after it. */
import { readChecked } from './checked.ts';
import type { Upcasts } from './decode.ts';
import { readAll, withFile, type FileSystem } from './fs.ts';
import { lazyReader } from './lazy.ts';
import { crcOf } from './line.ts';
import type { Entry } from './port.ts';
import { scanSegment, type Scan } from './repair.ts';
import type { Segment } from './segments.ts';
import { cursorAt, type Cursor } from './walk.ts';

/** Larger segments are not kept in memory: they are checked piece by piece, and read again. */
const keptBytesMax = 16 * 1024 * 1024;

/** Checked entries of a segment up to a byte. */
export interface Kept {
  readonly segment: number;
  readonly bytes: number;
  readonly entries: readonly Entry[];
}

/** The last segment, checked to its end. */
export interface LastSegment {
  readonly scan: Scan;
  /** CRC-32 of the segment's bytes; undefined when it is large, or has something at its end to be mended. */
  readonly crc: number | undefined;
  readonly kept: Kept | undefined;
}

/** The entries of a segment that is known to be intact; undefined where one cannot be read: whoever reads the segment line by line says which. */
function entriesOf(bytes: Buffer, segment: Segment, upcasts: Upcasts, cursor: Cursor): readonly Entry[] | undefined {
  const text = bytes.toString('utf8', segment.headerBytes);
  const read = lazyReader(upcasts);
  const entries: Entry[] = [];
  try {
    for (let start = 0, end = text.indexOf('\n'); end >= 0; start = end + 1, end = text.indexOf('\n', start)) {
      const entry = read(text, start, end);
      entries.push(entry);
      cursor.heads.set(entry.stream, entry.seq);
      cursor.epoch = entry.epoch;
    }
  } catch {
    return undefined;
  }
  cursor.entries += entries.length;
  return entries;
}

/** Checks the last segment. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT; system errors pass through. */
export async function readLastSegment(
  fs: FileSystem,
  folder: string,
  segment: Segment,
  upcasts: Upcasts,
): Promise<LastSegment> {
  const { segment: number } = segment.header;
  const bytes = await withFile(fs, segment.path, 'read', async (open) => {
    const size = await open.size();
    return size > keptBytesMax ? undefined : readAll(open, 0, size);
  });
  if (bytes === undefined) return { scan: await scanSegment(fs, segment), crc: undefined, kept: undefined };
  const crc = crcOf(bytes);
  const checked = await readChecked(fs, folder);
  const isChecked = checked?.segment === number && checked.bytes === bytes.length && checked.crc === crc;
  if (isChecked) {
    const cursor = cursorAt(segment);
    const entries = entriesOf(bytes, segment, upcasts, cursor);
    if (entries !== undefined) {
      const end = { bytes: bytes.length, lines: entries.length + 1, tail: undefined };
      return { scan: { cursor, end }, crc, kept: { segment: number, bytes: bytes.length, entries } };
    }
  }
  const scan = await scanSegment(fs, segment, cursorAt(segment), bytes);
  if (scan.end.tail !== undefined) return { scan, crc: undefined, kept: undefined };
  const entries = entriesOf(bytes, segment, upcasts, cursorAt(segment));
  return { scan, crc, kept: entries === undefined ? undefined : { segment: number, bytes: bytes.length, entries } };
}
