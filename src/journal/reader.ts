/** Reading a run's log: streaming, checked line by line, only as much parsed as is asked for. */
import type { Entry, JournalNotice } from './port.ts';
import type { FileSystem } from './fs.ts';
import { entryReader, factsReader, type LineFacts, type Upcasts } from './decode.ts';
import { lazyReader } from './lazy.ts';
import { corrupt } from './damage.ts';
import { entriesOf, type Known } from './last-segment.ts';
import { cursorAt, walkSegment, type Cursor, type Inspect, type WalkStart } from './walk.ts';
import type { Listing, Segment } from './segments.ts';

/** What to read. */
export interface ReadOptions {
  readonly fs: FileSystem;
  readonly listing: Listing;
  readonly upcasts: Upcasts;
  /** Of this stream only; all when undefined. */
  readonly stream: string | undefined;
  readonly fromSeq: number;
  /** The last segment ends here, whatever the file's size is. */
  readonly lastBytes: number | undefined;
  /** The last segment's bytes up to a place, where they have been read and checked already. */
  readonly known: Known | undefined;
  /** Begins at a place in the last segment. Default: at the log's beginning. */
  readonly from: WalkStart | undefined;
  /** Data is parsed when it is first looked at. */
  readonly isLazy: boolean;
  readonly notice: (notice: JournalNotice) => void;
}

/** Segments that can hold what is asked for: those whose successor does not begin beyond `fromSeq` already. */
function wanted(segments: readonly Segment[], stream: string | undefined, fromSeq: number): readonly Segment[] {
  if (stream === undefined) return segments;
  const first = segments.findLastIndex((segment) => (segment.header.heads.get(stream) ?? 0) < fromSeq);
  return segments.slice(Math.max(0, first));
}

const moreText = ',"more":true';

function lazyOf(upcasts: Upcasts): (text: string) => Entry {
  const read = lazyReader(upcasts);
  return (text) => read(text, 0, text.length);
}

/** Entries in journal order, in batches of about half a MiB of log. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT; system errors pass through. */
export async function* readEntries({
  fs,
  listing,
  upcasts,
  stream,
  fromSeq,
  lastBytes,
  known,
  from,
  isLazy,
  notice,
}: ReadOptions): AsyncGenerator<readonly Entry[]> {
  let batch: Entry[] = [];
  /** How many lines ago each entry of the batch was met: an unfinished append at the end must be left out. */
  let linesOf: number[] = [];
  let lines = 0;
  const decode = isLazy ? lazyOf(upcasts) : entryReader(upcasts);
  const readFacts = factsReader();
  const facts: LineFacts = { v: 0, stream: '', seq: 0, epoch: 0, more: false };

  const inspectAll: Inspect = (bytes, start, end) => {
    lines++;
    const text = bytes.toString('utf8', start, end);
    const entry = decode(text);
    if (entry.seq >= fromSeq) {
      batch.push(entry);
      linesOf.push(lines);
    }
    facts.v = entry.v;
    facts.stream = entry.stream;
    facts.seq = entry.seq;
    facts.epoch = entry.epoch;
    facts.more = text.endsWith(moreText, text.length - 18);
    return facts;
  };
  const inspectStream: Inspect = (bytes, start, end) => {
    lines++;
    const found = readFacts(bytes, start, end);
    if (found.stream === stream && found.seq >= fromSeq) {
      batch.push(decode(bytes.toString('utf8', start, end)));
      linesOf.push(lines);
    }
    return found;
  };
  /** Takes out of the batch what is not of the last `open` lines. */
  const takeBatch = (open: number): readonly Entry[] => {
    const keep = open === 0 ? batch.length : linesOf.findLastIndex((line) => line <= lines - open) + 1;
    const taken = batch;
    batch = batch.splice(keep);
    linesOf = linesOf.slice(keep);
    return taken;
  };

  const segments = from === undefined ? wanted(listing.segments, stream, fromSeq) : listing.segments.slice(-1);
  let cursor: Cursor | undefined;
  for (const segment of segments) {
    cursor ??= cursorAt(segment, from);
    if (from === undefined && cursor.entries !== segment.header.entriesBefore) {
      throw corrupt(
        { ...segment, line: 1, byte: 0, intact: cursor.entries },
        `the header counts ${segment.header.entriesBefore} entries before it, but there are ${cursor.entries}`,
      );
    }
    if (segment.sealedBytes !== undefined) {
      const { bytes: size } = await fs.stat(segment.path);
      const bytes = size - segment.sealedBytes;
      if (bytes > 0) {
        notice({
          kind: 'stale-writes',
          file: segment.file,
          byte: segment.sealedBytes,
          bytes,
          message: `${segment.file}: ${bytes} bytes after its sealed end (byte ${segment.sealedBytes}) do not count: an old holder wrote them after the run was taken over.`,
        });
      }
    }
    const isLast = segment === listing.segments.at(-1);
    let start = from;
    const checked = known === undefined || !isLast ? undefined : entriesOf(known.content, segment.headerBytes, upcasts);
    if (checked !== undefined && known !== undefined) {
      const asked = checked.filter(
        (entry) => entry.seq >= fromSeq && (stream === undefined || entry.stream === stream),
      );
      if (asked.length > 0) yield asked;
      start = known.end;
      cursor = cursorAt(segment, start);
      if (start.bytes === lastBytes) break;
    }
    const walk = walkSegment(
      fs,
      segment,
      cursor,
      stream === undefined ? inspectAll : inspectStream,
      isLast ? lastBytes : undefined,
      undefined,
      start,
    );
    for await (const open of walk) {
      const taken = takeBatch(open);
      if (taken.length > 0) yield taken;
    }
    batch = [];
    linesOf = [];
  }
  await listing.trouble?.(cursor?.entries ?? 0);
}
