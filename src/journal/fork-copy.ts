/** The copy of a fork's lines: made while the lines behind them are still being checked. */
import { writeAll, type FileSystem, type OpenFile } from './fs.ts';
import { encodeHeader, segmentFile, type Segment, type SegmentHeader } from './segments.ts';

const sideFileMark = Buffer.from('"outputFile":"');
const chunkBytes = 1024 * 1024;

/** Notes the side files that whole lines name. Inside a text the mark cannot stand: its quotes would be escaped. */
function noteSideFiles(lines: Buffer, found: Set<string>): void {
  for (let at = lines.indexOf(sideFileMark); at >= 0; at = lines.indexOf(sideFileMark, at + 1)) {
    const from = at + sideFileMark.length - 1;
    let end = from + 1;
    while (end < lines.length && lines[end] !== 34) end += lines[end] === 92 ? 2 : 1;
    found.add(String(JSON.parse(lines.toString('utf8', from, end + 1))));
  }
}

/** Makes a copier of whole lines [from, to) of one file to the place `at` of another; one after the other. */
function lineCopier(sideFiles: Set<string>) {
  let buffer = Buffer.allocUnsafe(chunkBytes);
  return async (source: OpenFile, from: number, to: number, target: OpenFile, at: number): Promise<void> => {
    for (let done = from; done < to;) {
      const room = Math.min(buffer.length, to - done);
      let filled = 0;
      while (filled < room) {
        const count = await source.read(buffer.subarray(filled, room), done + filled);
        if (count === 0) throw new Error('the log became shorter while it was copied');
        filled += count;
      }
      const end = buffer.subarray(0, filled).lastIndexOf(10) + 1;
      if (end === 0) {
        buffer = Buffer.allocUnsafe(buffer.length * 2);
        continue;
      }
      const lines = buffer.subarray(0, end);
      noteSideFiles(lines, sideFiles);
      await writeAll(target, lines, at + done - from);
      done += end;
    }
  };
}

/** What a copy needs to know. */
export interface CopyOptions {
  readonly fs: FileSystem;
  readonly segments: readonly Segment[];
  /** Folder of the new run. */
  readonly draft: string;
  /** The new run's first header; how many entries it tells of may become less. */
  readonly first: Pick<SegmentHeader, 'at' | 'engine' | 'origin' | 'run'>;
}

/** A copy under way. */
export interface Copy {
  /** Lines [from, to) of a segment are sound, and wanted: copies them, when those before are. */
  take(segment: Segment, from: number, to: number): void;
  /** Waits for all; the log is durable, but for its names, with this origin in its header. Resolves to the side files that it names. */
  finish(origin: SegmentHeader['origin']): Promise<ReadonlySet<string>>;
  /** Waits for what is under way, whatever comes of it, and closes all files. */
  close(): Promise<void>;
}

interface Pair {
  readonly source: OpenFile;
  readonly target: OpenFile;
  /** Bytes by which the copy's header is longer than the original's. */
  readonly shift: number;
}

/** Begins a copy. */
export function copyOf({ fs, segments, draft, first }: CopyOptions): Copy {
  const pairs = new Map<number, Pair>();
  const sideFiles = new Set<string>();
  const copyLines = lineCopier(sideFiles);
  let done: Promise<void> = Promise.resolve();
  let previousBytes = 0;
  let beginning: { readonly header: SegmentHeader; readonly bytes: number } | undefined;

  const begin = async ({ header, path, headerBytes, sealedBytes }: Segment): Promise<Pair> => {
    const { segment } = header;
    const next = { ...header, ...(segment === 1 ? first : { run: first.run }), previousBytes };
    const head = encodeHeader(next);
    if (segment === 1) beginning = { header: next, bytes: head.length };
    previousBytes = head.length + (sealedBytes ?? 0) - headerBytes;
    const source = await fs.open(path, 'read');
    let target: OpenFile;
    try {
      target = await fs.open(`${draft}/${segmentFile(segment)}`, 'replace');
    } catch (error) {
      await source.close();
      throw error;
    }
    const pair = { source, target, shift: head.length - headerBytes };
    pairs.set(segment, pair);
    await writeAll(target, head, 0);
    return pair;
  };

  return {
    take(segment, from, to) {
      done = done.then(async () => {
        // Those before may have had no lines.
        while (pairs.size < segment.header.segment) await begin(segments[pairs.size] ?? segment);
        const { source, target, shift } = pairs.get(segment.header.segment) ?? (await begin(segment));
        await copyLines(source, from, to, target, from + shift);
      });
      // Told by `finish`.
      done.catch(() => undefined);
    },
    async finish(origin) {
      await done;
      const target = pairs.get(1)?.target;
      if (beginning !== undefined && target !== undefined)
        await writeAll(target, encodeHeader({ ...beginning.header, origin }, beginning.bytes), 0);
      await Promise.all([...pairs.values()].map((pair) => pair.target.datasync()));
      return sideFiles;
    },
    async close() {
      await done.catch(() => undefined);
      for (const { source, target } of pairs.values()) {
        await source.close();
        await target.close();
      }
    },
  };
}
