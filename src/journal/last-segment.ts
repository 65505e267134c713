/** Reading a log's last segment when the run is taken: once, for the lease's check and for the first read after it. */
import { readChecked, type Checked } from './checked.ts';
import type { Upcasts } from './decode.ts';
import { readAll, withFile, type FileSystem, type OpenFile } from './fs.ts';
import { lazyReader } from './lazy.ts';
import { crcOf } from './line.ts';
import type { Entry, Outline } from './port.ts';
import { scanSegment, type Scan } from './repair.ts';
import type { Segment } from './segments.ts';
import { cursorAt, type WalkStart } from './walk.ts';

/** Larger segments are not kept in memory: they are checked piece by piece, and read again. */
const keptBytesMax = 16 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

/** A segment that was checked up to a place. */
export interface Kept {
  readonly segment: number;
  readonly end: WalkStart;
  /** Its bytes up to there; undefined when they are many. */
  readonly known: Known | undefined;
  /** What was made of all that stands before a place in it. */
  readonly outlined: { readonly from: WalkStart; readonly outline: Outline } | undefined;
}

/** Checked bytes of a segment, and what is known at their end. */
export interface Known {
  readonly content: Buffer;
  readonly end: WalkStart;
}

/** The last segment, checked to its end. */
export interface LastSegment {
  readonly scan: Scan;
  /** CRC-32 of the segment's bytes; undefined when it has something at its end to be mended. */
  readonly crc: number | undefined;
  readonly kept: Kept | undefined;
}

/** The entries of a checked segment's bytes; undefined where one cannot be read: whoever reads the segment line by line says which. */
export function entriesOf(content: Buffer, headerBytes: number, upcasts: Upcasts): readonly Entry[] | undefined {
  const text = content.toString('utf8', headerBytes);
  const read = lazyReader(upcasts);
  const entries: Entry[] = [];
  try {
    for (let start = 0, end = text.indexOf('\n'); end >= 0; start = end + 1, end = text.indexOf('\n', start))
      entries.push(read(text, start, end));
  } catch {
    return undefined;
  }
  return entries;
}

interface Bytes {
  readonly size: number;
  /** CRC-32 of the first `to` bytes, and of all. */
  readonly crcTo: number;
  readonly crc: number;
  readonly content: Buffer | undefined;
}

async function readBytes(open: OpenFile, to: number): Promise<Bytes> {
  const size = await open.size();
  if (size <= keptBytesMax) {
    const content = await readAll(open, 0, size);
    const crcTo = crcOf(content.subarray(0, to));
    return { size, crcTo, crc: to < size ? crcOf(content.subarray(to), crcTo) : crcTo, content };
  }
  let crc = 0;
  let crcTo = 0;
  for (let at = 0; at < size;) {
    if (at === to) crcTo = crc;
    const piece = await readAll(open, at, Math.min(pieceBytes, (at < to ? to : size) - at));
    if (piece.length === 0) break;
    crc = crcOf(piece, crc);
    at += piece.length;
  }
  return { size, crcTo: to >= size ? crc : crcTo, crc, content: undefined };
}

/** Where to begin: behind what the last holder had checked, if that is what it was. */
function startOf({ entries, epoch, heads, bytes }: Checked, { header }: Segment): WalkStart {
  return { bytes, lines: entries - header.entriesBefore + 1, cursor: { heads, entries, epoch } };
}

/** Checks the last segment. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT; system errors pass through. */
export async function readLastSegment(fs: FileSystem, folder: string, segment: Segment): Promise<LastSegment> {
  const { segment: number } = segment.header;
  const left = await readChecked(fs, folder);
  const isOfThis = left?.segment === number && left.bytes >= segment.headerBytes;
  const to = isOfThis ? left.bytes : 0;
  const { size, crcTo, crc, content } = await withFile(fs, segment.path, 'read', (open) => readBytes(open, to));
  const checked = isOfThis && to <= size && crcTo === left.crc ? left : undefined;
  const from = checked === undefined ? undefined : startOf(checked, segment);
  const scan = await scanSegment(fs, segment, cursorAt(segment, from), content, from);
  if (scan.end.tail !== undefined) return { scan, crc: undefined, kept: undefined };
  const outline = checked?.outline;
  const outlined = from === undefined || outline === undefined ? undefined : { from, outline };
  const { cursor } = scan;
  const end: WalkStart = { bytes: size, lines: scan.end.lines, cursor: { ...cursor, heads: new Map(cursor.heads) } };
  const known = content === undefined ? undefined : { content, end };
  return { scan, crc, kept: { segment: number, end, known, outlined } };
}
