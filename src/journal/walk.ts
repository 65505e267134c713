/**
 * Walking a segment: line by line, each checked (checksum, order, epoch, completeness of an append) before anything is made of it.
 * Both reading and the scan at a lease go this way, so nothing is believed by one and refused by the other.
 */
import { corrupt, type Place } from './damage.ts';
import { TroupeError } from '../error.ts';
import type { FileSystem, OpenFile } from './fs.ts';
import { type LineFacts } from './decode.ts';
import { entryVersion, judgeTail, lineDamage, nextNewline } from './line.ts';
import type { Segment } from './segments.ts';

const chunkBytes = 512 * 1024;

/** Where a walk through a run's log has come to. Carried from segment to segment. */
export interface Cursor {
  /** Last seq of each stream. */
  readonly heads: Map<string, number>;
  /** Intact entries so far. */
  entries: number;
  /** Highest epoch so far. */
  epoch: number;
}

/** A place in a segment, behind a whole append, and what is known of everything before it. */
export interface WalkStart {
  readonly bytes: number;
  /** Lines of the segment before it, the header included. */
  readonly lines: number;
  readonly cursor: { readonly heads: ReadonlyMap<string, number>; readonly entries: number; readonly epoch: number };
}

/** Begins a walk at a segment: what its header says of everything before it, or `from`. */
export function cursorAt(segment: Segment, from?: WalkStart): Cursor {
  const { heads, entriesBefore, epoch } = segment.header;
  return from === undefined
    ? { heads: new Map(heads), entries: entriesBefore, epoch }
    : { ...from.cursor, heads: new Map(from.cursor.heads) };
}

/** How a segment ends. */
export interface SegmentEnd {
  /** End of the last whole append. */
  readonly bytes: number;
  /** Whole lines up to there, the header included. */
  readonly lines: number;
  /** Bytes after it: what a crash in a write left, or a write under way. */
  readonly tail:
    | {
        readonly bytes: number;
        /** All of it is a whole append that lacks only its last newline. */ readonly isWholeLine: boolean;
      }
    | undefined;
}

type Readable = Pick<OpenFile, 'size' | 'read' | 'close'>;

function inMemory(content: Buffer): Readable {
  return {
    size: () => Promise.resolve(content.length),
    read: (into, position) => Promise.resolve(content.copy(into, 0, position)),
    close: () => Promise.resolve(),
  };
}

/** What a line's visitor makes of it; called once per intact line. Throws SyntaxError for a line that is none of ours. */
export type Inspect = (bytes: Buffer, start: number, end: number) => LineFacts;

/** Throws JOURNAL_CORRUPT or JOURNAL_FORMAT unless this line may follow what came before. */
function follow(cursor: Cursor, facts: LineFacts, unit: LineFacts | undefined, place: () => Place): void {
  const { v, stream, seq, epoch } = facts;
  if (!Number.isInteger(v) || v > entryVersion) {
    throw new TroupeError(
      'JOURNAL_FORMAT',
      `${place().file} line ${place().line} has version ${v}; this troupe reads up to ${entryVersion}.`,
      { ...place(), version: v },
    );
  }
  const expected = (cursor.heads.get(stream) ?? 0) + 1;
  if (seq !== expected) throw corrupt(place(), `seq of stream \`${stream}\` is ${seq}, not ${expected}`);
  if (epoch < cursor.epoch) throw corrupt(place(), `epoch ${epoch} stands after epoch ${cursor.epoch}`);
  if (unit !== undefined && (unit.stream !== stream || unit.epoch !== epoch))
    throw corrupt(place(), `the append of stream \`${unit.stream}\` before it is not complete`);
}

/**
 * Walks `segment` up to `toBytes` (default: its sealed end, else its present size) and yields after each chunk how many of the lines
 * inspected so far belong to appends still incomplete. An unfinished end is fine in the last segment only. `content`: all of the file's
 * bytes, where somebody has read them already. `from`: where to begin, with its cursor; default behind the header.
 */
export async function* walkSegment(
  fs: FileSystem,
  segment: Segment,
  cursor: Cursor,
  inspect: Inspect,
  toBytes?: number,
  content?: Buffer,
  from?: WalkStart,
): AsyncGenerator<number, SegmentEnd> {
  const { file, path, sealedBytes, headerBytes } = segment;
  let line = from?.lines ?? 1;
  let byte = from?.bytes ?? headerBytes;
  let unit:
    | (LineFacts & {
        readonly byte: number;
        readonly lines: number;
        readonly seqBefore: number;
        readonly epochBefore: number;
        readonly entriesBefore: number;
      })
    | undefined;
  const place = (): Place => ({ file, path, line: line + 1, byte, intact: unit?.entriesBefore ?? cursor.entries });

  const open = content === undefined ? await fs.open(path, 'read') : inMemory(content);
  try {
    const size = await open.size();
    const end = sealedBytes ?? Math.min(toBytes ?? size, size);
    if (size < end || (toBytes !== undefined && sealedBytes === undefined && size < toBytes)) {
      throw corrupt(
        { file, path, line: 0, byte: size, intact: cursor.entries },
        `the file ends at byte ${size}, but ${sealedBytes ?? toBytes} were written and flushed`,
      );
    }
    let buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, end - byte)));
    let kept = 0;
    let position = byte;
    while (position < end) {
      if (kept === buffer.length) {
        const larger = Buffer.allocUnsafe(buffer.length * 2);
        buffer.copy(larger, 0, 0, kept);
        buffer = larger;
      }
      const count = await open.read(
        buffer.subarray(kept, kept + Math.min(buffer.length - kept, end - position)),
        position,
      );
      if (count === 0) throw corrupt({ ...place(), byte: position }, 'the file became shorter while it was read');
      position += count;
      const filled = kept + count;
      let start = 0;
      for (let stop = nextNewline(buffer, 0); stop >= 0 && stop < filled; stop = nextNewline(buffer, start)) {
        const damage = lineDamage(buffer, start, stop);
        if (damage !== undefined) throw corrupt(place(), damage);
        let facts: LineFacts;
        try {
          facts = inspect(buffer, start, stop);
        } catch (error) {
          if (error instanceof TroupeError)
            throw new TroupeError(
              error.code,
              `${file} line ${line + 1}: ${error.message.slice(`${error.code}: `.length)}`,
              { ...place(), ...error.details },
              error,
            );
          throw corrupt(place(), 'the line is not an entry', error);
        }
        follow(cursor, facts, unit, place);
        if (facts.more && unit === undefined) {
          unit = {
            ...facts,
            byte,
            lines: line,
            seqBefore: facts.seq - 1,
            epochBefore: cursor.epoch,
            entriesBefore: cursor.entries,
          };
        } else if (!facts.more) unit = undefined;
        cursor.heads.set(facts.stream, facts.seq);
        cursor.epoch = facts.epoch;
        cursor.entries++;
        line++;
        byte += stop + 1 - start;
        start = stop + 1;
      }
      buffer.copy(buffer, 0, start, filled);
      kept = filled - start;
      yield unit === undefined ? 0 : cursor.entries - unit.entriesBefore;
    }
    const verdict = kept === 0 ? 'torn' : judgeTail(buffer.subarray(0, kept));
    if (verdict === 'damaged') throw corrupt(place(), 'a whole line is not followed by a newline');
    if (sealedBytes !== undefined && (kept > 0 || unit !== undefined))
      throw corrupt(place(), 'the sealed segment ends inside an append');
    if (unit !== undefined) {
      // None of its lines counts: an append is whole or not there.
      if (unit.seqBefore === 0) cursor.heads.delete(unit.stream);
      else cursor.heads.set(unit.stream, unit.seqBefore);
      cursor.entries = unit.entriesBefore;
      cursor.epoch = unit.epochBefore;
      return {
        bytes: unit.byte,
        lines: unit.lines,
        tail: { bytes: end - unit.byte, isWholeLine: verdict === 'complete' },
      };
    }
    return {
      bytes: byte,
      lines: line,
      tail: kept === 0 ? undefined : { bytes: kept, isWholeLine: verdict === 'complete' },
    };
  } finally {
    await open.close();
  }
}
