/**
 * Segments: the files of one run's log, `journal.jsonl`, `journal-000002.jsonl` … . Each begins with a header line; each but the
 * last is sealed: its end stands in its successor's header (`previousBytes`), and bytes after that end do not count.
 * A segment gets its name by `link` when its header is durable, so a name always has a whole header, and two hosts
 * can never both make the same one.
 */
import { TroupeError } from '../error.ts';
import { corrupt, type Place } from './damage.ts';
import { hasCode, readAll, withFile, writeAll, type FileSystem } from './fs.ts';
import { encodeObject, lineDamage, nextNewline, parseObject } from './line.ts';
import type { Origin } from './port.ts';

/** Version of the files' form. A header with a newer one is JOURNAL_FORMAT. */
export const journalFormat = 1;

/** First line of a segment. */
export interface SegmentHeader {
  /** Of the first segment of a fork: what it was copied from. */
  readonly origin?: Origin | undefined;
  readonly run: string;
  /** 1-based. */
  readonly segment: number;
  /** What wrote it. */
  readonly engine: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  /** Fencing number of the host that began it; 0 for the first segment. */
  readonly epoch: number;
  /** Where the previous segment ends; 0 for the first. */
  readonly previousBytes: number;
  /** Entries in all segments before. */
  readonly entriesBefore: number;
  /** Last seq of every stream in the segments before. */
  readonly heads: ReadonlyMap<string, number>;
}

/** A segment as found. */
export interface Segment {
  readonly file: string;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Bytes of the header line, its newline included. */
  readonly headerBytes: number;
  /** Where it ends: given by its successor; undefined for the last one, which may grow. */
  readonly sealedBytes: number | undefined;
}

/** A segment's file name. */
export function segmentFile(segment: number): string {
  return segment === 1 ? 'journal.jsonl' : `journal-${String(segment).padStart(6, '0')}.jsonl`;
}

function segmentNumber(file: string): number | undefined {
  if (file === 'journal.jsonl') return 1;
  const digits = /^journal-(\d{6,})\.jsonl$/.exec(file)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** True for what can be the last seq of every stream. */
export function isHeads(value: unknown): value is Readonly<Record<string, number>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((seq) => Number.isSafeInteger(seq));
}

/** A header without an origin, or with one that is none of ours, is that of a run that began by itself. */
function originOf(value: unknown): Origin | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { from, at } = value as Partial<Origin>;
  return typeof from === 'string' && typeof at === 'number' ? { from, at } : undefined;
}

function parseHeader(text: string, place: Place, run: string, segment: number): SegmentHeader {
  let raw: Readonly<Record<string, unknown>>;
  try {
    raw = parseObject(text);
  } catch (error) {
    throw corrupt(place, 'the header is not JSON', error);
  }
  if (raw['troupe'] !== 'journal') throw corrupt(place, 'the header is not that of a journal');
  const format = raw['format'];
  if (typeof format === 'number' && format > journalFormat) {
    throw new TroupeError(
      'JOURNAL_FORMAT',
      `${place.file} has format ${format}; this troupe reads up to ${journalFormat}.`,
      { ...place, format },
    );
  }
  const { engine, at, epoch, previousBytes = 0, entriesBefore = 0, heads = {} } = raw;
  if (raw['run'] !== run)
    throw corrupt(place, `the header names run \`${String(raw['run'])}\`, but this is \`${run}\``);
  if (raw['segment'] !== segment)
    throw corrupt(place, `the header names segment ${String(raw['segment'])}, but this is ${segment}`);
  if (
    typeof format !== 'number' ||
    typeof engine !== 'string' ||
    typeof at !== 'number' ||
    typeof epoch !== 'number' ||
    typeof previousBytes !== 'number' ||
    typeof entriesBefore !== 'number' ||
    !isHeads(heads)
  ) {
    throw corrupt(place, 'the header lacks a member');
  }
  return {
    run,
    segment,
    engine,
    at,
    epoch,
    previousBytes,
    entriesBefore,
    heads: new Map(Object.entries(heads)),
    origin: originOf(raw['origin']),
  };
}

/** A segment's header alone. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT; system errors pass through. */
export async function readHeader(
  fs: FileSystem,
  folder: string,
  run: string,
  segment: number,
  intact: number,
): Promise<Omit<Segment, 'sealedBytes'>> {
  const file = segmentFile(segment);
  const path = `${folder}/${file}`;
  const place: Place = { file, path, line: 1, byte: 0, intact };
  const line = await withFile(fs, path, 'read', async (open) => {
    const size = await open.size();
    for (let length = 4096; ; length *= 16) {
      const bytes = await readAll(open, 0, Math.min(length, size));
      const end = nextNewline(bytes, 0);
      if (end >= 0) return bytes.subarray(0, end);
      if (bytes.length >= size)
        throw corrupt(place, size === 0 ? 'the file is empty: it has no header' : 'the header has no end');
    }
  });
  const damage = lineDamage(line, 0, line.length);
  if (damage !== undefined) throw corrupt(place, `the header is damaged: ${damage}`);
  return { file, path, header: parseHeader(line.toString('utf8'), place, run, segment), headerBytes: line.length + 1 };
}

/** What was found: the segments that can be used, and the trouble behind them if there is any. */
export interface Listing {
  readonly segments: readonly Segment[];
  /** Throws what is wrong after the last usable segment (JOURNAL_CORRUPT, JOURNAL_FORMAT), told how many entries before it are intact. */
  readonly trouble: ((intact: number) => Promise<never>) | undefined;
}

/** All segments of a run, in order; none when there is no journal. System errors other than a missing folder pass through. */
export async function listSegments(fs: FileSystem, folder: string, run: string): Promise<Listing> {
  let names: readonly string[];
  try {
    names = await fs.readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return { segments: [], trouble: undefined };
    throw error;
  }
  const numbers = new Set(names.map(segmentNumber));
  const count = Math.max(0, ...names.map((name) => segmentNumber(name) ?? 0));
  const found: Omit<Segment, 'sealedBytes'>[] = [];
  let trouble: Listing['trouble'];
  for (let segment = 1; segment <= count && trouble === undefined; segment++) {
    const file = segmentFile(segment);
    if (!numbers.has(segment)) {
      trouble = async (intact) => {
        throw corrupt(
          { file, path: `${folder}/${file}`, line: 0, byte: 0, intact },
          `the segment is missing, though there is a segment ${count}`,
        );
      };
      break;
    }
    try {
      found.push(await readHeader(fs, folder, run, segment, 0));
    } catch (error) {
      // Removed since its names were read.
      if (hasCode(error, 'ENOENT') && !fs.exists(folder)) return { segments: [], trouble: undefined };
      if (!(error instanceof TroupeError)) throw error;
      // Read again when the count of what is intact before it is known.
      trouble = async (intact) => {
        await readHeader(fs, folder, run, segment, intact);
        throw error;
      };
    }
  }
  return {
    segments: found.map((segment, index) => ({ ...segment, sealedBytes: found[index + 1]?.header.previousBytes })),
    trouble,
  };
}

/** The header line, filled up with blanks to `bytesMin`: so that it can be written again with another, shorter, origin. */
export function encodeHeader(header: SegmentHeader, bytesMin = 0): Buffer {
  const { run, segment, engine, at, epoch, previousBytes, entriesBefore, heads, origin } = header;
  // JSON leaves out an origin that is undefined.
  const rest = segment === 1 ? { origin } : { previousBytes, entriesBefore, heads: Object.fromEntries(heads) };
  const object = { troupe: 'journal', format: journalFormat, run, segment, engine, at, epoch, ...rest };
  const bytes = Buffer.from(encodeObject(object));
  return bytes.length >= bytesMin ? bytes : Buffer.from(encodeObject(object, ' '.repeat(bytesMin - bytes.length)));
}

/** Makes a segment, durable with its name. `author` differs between processes. Resolves to undefined when another host has made it already. */
export async function createSegment(
  fs: FileSystem,
  folder: string,
  header: SegmentHeader,
  author: string,
): Promise<Segment | undefined> {
  const bytes = encodeHeader(header);
  const file = segmentFile(header.segment);
  const path = `${folder}/${file}`;
  const draft = `${path}.${author}.draft`;
  try {
    await withFile(fs, draft, 'replace', async (open) => {
      await writeAll(open, bytes, 0);
      await open.datasync();
    });
    await fs.link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    return undefined;
  } finally {
    await fs.unlink(draft).catch(() => undefined);
  }
  await fs.syncDirectory(folder);
  return { file, path, header, headerBytes: bytes.length, sealedBytes: undefined };
}
