/**
 * Forking: a new run from the first entries of another one. The lines are copied as bytes, segment by segment, so that a fork
 * has the segments of its origin; only the header lines, which name the run, are new. Nothing of the origin is
 * changed or locked: it is read as any reader reads it, beside a living host too.
 *
 * Why segments are not linked: their headers name the run, and a host of the origin that was taken over may still write
 * behind a segment's end.
 *
 *  - An append is atomic here as everywhere: a cut inside one goes back to where it begins.
 *  - Side files that the copied entries name (`outputFile` in their data) get second names, so that either run can be removed;
 *    a fork that is about to write one takes a copy first (`file.ts`).
 *  - Snapshots at or before the cut come along: they depend on nothing behind it.
 *  - The lease of the fork is free, at the epoch of its last entry.
 */
import type { Clock } from '../clock.ts';
import { isTroupeError, TroupeError } from '../error.ts';
import { corrupt } from './damage.ts';
import { withFile, writeAll, type OpenFile } from './fs.ts';
import { freeEpoch } from './lease.ts';
import { factsReader } from './decode.ts';
import { checkRunId, encodeName, encodePath } from './names.ts';
import type { Fork } from './port.ts';
import { makeRun, type RunsPlace } from './run-folder.ts';
import { encodeHeader, listSegments, segmentFile, type Segment } from './segments.ts';
import { shareFile, writeFile } from './tree.ts';
import { cursorAt, walkSegment, type Cursor, type Inspect } from './walk.ts';

/** What is copied, and to where. */
export interface ForkOptions extends RunsPlace {
  readonly clock: Clock;
  readonly engine: string;
  readonly from: string;
  readonly as: string;
  /** How many entries, in journal order. */
  readonly at: number;
}

/** The end of some whole append. */
interface Boundary {
  readonly entries: number;
  readonly segment: number;
  readonly bytes: number;
}

interface Cut extends Boundary {
  readonly segments: readonly Segment[];
  readonly heads: ReadonlyMap<string, number>;
  readonly epoch: number;
}

/** Finds the last whole append within the first `at` entries, everything up to there checked; what is damaged behind it is not looked at. */
async function findCut({ fs, dir, from, at }: ForkOptions): Promise<Cut> {
  const { segments, trouble } = await listSegments(fs, `${dir}/runs/${from}`, from);
  if (segments.length === 0 && trouble === undefined) {
    throw new TroupeError('RUN_UNKNOWN', `There is no run \`${from}\` in ${dir}/runs.`, { run: from });
  }
  /** Seq of each stream and epoch, as of `below`, the last boundary at or before the cut. */
  const heads = new Map<string, number>();
  let epoch = 0;
  let below: Boundary = { entries: 0, segment: 0, bytes: 0 };
  /** Entries up to the first boundary at or behind the cut: the append that holds entry `at` is whole. */
  let above: number | undefined;
  let cursor: Cursor | undefined;
  const readFacts = factsReader();
  // At 0 only the range is asked for.
  const wanted = at < 1 ? Number.POSITIVE_INFINITY : at;

  for (const segment of segments) {
    cursor ??= cursorAt(segment);
    const seen: Cursor = cursor;
    if (seen.entries !== segment.header.entriesBefore) {
      throw corrupt(
        { ...segment, line: 1, byte: 0, intact: seen.entries },
        `the header counts ${segment.header.entriesBefore} entries before it, but there are ${seen.entries}`,
      );
    }
    let entries = seen.entries;
    let bytes = segment.headerBytes;
    const inspect: Inspect = (line, start, end) => {
      const facts = readFacts(line, start, end);
      entries += 1;
      bytes += end + 1 - start;
      if (facts.more) return facts;
      if (entries >= wanted) above ??= entries;
      if (entries <= at) {
        below = { entries, segment: segment.header.segment, bytes };
        heads.set(facts.stream, facts.seq);
        epoch = facts.epoch;
      }
      return facts;
    };
    const isFound = () => above !== undefined && seen.entries >= above;
    try {
      for await (const _ of walkSegment(fs, segment, seen, inspect)) if (isFound()) break;
    } catch (error) {
      // Damage behind the cut is not ours.
      if (!isFound() && !(at < 1 && isTroupeError(error, 'JOURNAL_CORRUPT'))) throw error;
      break;
    }
    if (isFound()) break;
  }
  const total = cursor?.entries ?? 0;
  if (above === undefined || total < above) {
    if (at >= 1) await trouble?.(total);
    throw outOfRange(from, at, total);
  }
  if (below.entries === 0) {
    throw new TroupeError(
      'BAD_INPUT',
      `Position ${at} lies inside the first append of run \`${from}\`, which is copied whole or not at all: expected at least ${above}.`,
      { run: from, at, min: above },
    );
  }
  return { ...below, segments: segments.slice(0, below.segment), heads, epoch };
}

function outOfRange(run: string, at: number, total: number): TroupeError {
  const range = total === 0 ? 'it has no entries' : `expected a position from 1 to ${total}`;
  return new TroupeError('BAD_INPUT', `Run \`${run}\` cannot be forked at ${at}: ${range}.`, { run, at, max: total });
}

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

/** Copies whole lines [from, to); resolves when they are written. */
async function copyLines(
  source: OpenFile,
  from: number,
  to: number,
  target: OpenFile,
  at: number,
  sideFiles: Set<string>,
): Promise<void> {
  let buffer = Buffer.allocUnsafe(Math.min(chunkBytes, to - from));
  let done = from;
  let writing: Promise<void> = Promise.resolve();
  let spare = Buffer.allocUnsafe(0);
  while (done < to) {
    const room = Math.min(buffer.length, to - done);
    let filled = 0;
    while (filled < room) {
      const count = await source.read(buffer.subarray(filled, room), done + filled);
      if (count === 0) throw new Error(`the log became shorter while it was copied`);
      filled += count;
    }
    const end = buffer.subarray(0, filled).lastIndexOf(10) + 1;
    if (end === 0) {
      buffer = Buffer.allocUnsafe(buffer.length * 2);
      continue;
    }
    const lines = buffer.subarray(0, end);
    await writing;
    writing = writeAll(target, lines, at + done - from);
    // While these are written, the next ones are read into the other buffer; a failure is told when that is done.
    writing.catch(() => undefined);
    noteSideFiles(lines, sideFiles);
    done += end;
    [buffer, spare] = [spare.length >= buffer.length ? spare : Buffer.allocUnsafe(buffer.length), buffer];
  }
  await writing;
}

/** Links the side files; a name that leads elsewhere, or a file that is not there, is no harm: the journal is enough. */
async function shareSideFiles(
  { fs, dir, from }: ForkOptions,
  draft: string,
  sideFiles: ReadonlySet<string>,
): Promise<void> {
  const folders = new Set<string>();
  const shared: (readonly [string, string])[] = [];
  for (const name of sideFiles) {
    let parts: readonly string[];
    try {
      parts = ['files', ...encodePath(name)];
    } catch {
      continue;
    }
    shared.push([`${dir}/runs/${from}/${parts.join('/')}`, `${draft}/${parts.join('/')}`]);
    for (let length = 1; length < parts.length; length += 1)
      folders.add(`${draft}/${parts.slice(0, length).join('/')}`);
  }
  for (const folder of folders) await fs.mkdir(folder);
  for (let index = 0; index < shared.length; index += 64) {
    await Promise.all(shared.slice(index, index + 64).map(([file, link]) => shareFile(fs, file, link)));
  }
  for (const folder of folders) await fs.syncDirectory(folder);
}

async function shareSnapshots(
  { fs, dir, from }: ForkOptions,
  draft: string,
  heads: ReadonlyMap<string, number>,
): Promise<void> {
  const origin = `${dir}/runs/${from}/snapshots`;
  const names = await fs.readdir(origin).catch(() => []);
  const streams = new Map([...heads].map(([stream, seq]) => [encodeName(stream), seq]));
  const valid = names.filter((name) => {
    const parts = /^(.+)-(\d+)\.json$/.exec(name);
    return parts !== null && Number(parts[2]) <= (streams.get(parts[1] ?? '') ?? 0);
  });
  if (valid.length === 0) return;
  await fs.mkdir(`${draft}/snapshots`);
  for (const name of valid) await shareFile(fs, `${origin}/${name}`, `${draft}/snapshots/${name}`);
  await fs.syncDirectory(`${draft}/snapshots`);
}

/**
 * Makes run `as` from the first `at` entries of run `from`, durable when it resolves; until then, and after a crash, there is no run `as`.
 * Codes: BAD_INPUT, RUN_UNKNOWN, RUN_EXISTS, JOURNAL_CORRUPT (damage before the cut), JOURNAL_FORMAT; system errors pass through.
 */
export async function forkLog(options: ForkOptions): Promise<Fork> {
  const { fs, dir, clock, engine, processes, from, as, at } = options;
  checkRunId(from);
  checkRunId(as);
  if (!Number.isSafeInteger(at))
    throw new TroupeError('BAD_INPUT', `Expected the position of a fork to be a whole number >= 1, got \`${at}\`.`, {
      at,
    });
  if (as === from || (await listSegments(fs, `${dir}/runs/${as}`, as)).segments.length > 0) {
    throw new TroupeError('RUN_EXISTS', `Run \`${as}\` exists already in ${dir}/runs.`, { run: as });
  }
  const cut = await findCut(options);
  const { entries } = cut;
  await makeRun(options, as, async (draft) => {
    const lease = freeEpoch(cut.epoch, processes.self(), clock.now());
    await writeFile(fs, `${draft}/lease/${lease.name}`, lease.bytes);
    const sideFiles = new Set<string>();
    let previousBytes = 0;
    for (const { header, path, headerBytes, sealedBytes } of cut.segments) {
      const { segment } = header;
      const first = segment === 1 ? { engine, at: clock.now(), origin: { from, at: entries } } : {};
      const head = encodeHeader({ ...header, ...first, run: as, previousBytes });
      const end = segment === cut.segment ? cut.bytes : (sealedBytes ?? cut.bytes);
      await withFile(fs, path, 'read', async (source) =>
        withFile(fs, `${draft}/${segmentFile(segment)}`, 'replace', async (target) => {
          await writeAll(target, head, 0);
          await copyLines(source, headerBytes, end, target, head.length, sideFiles);
          await target.datasync();
        }),
      );
      previousBytes = head.length + end - headerBytes;
    }
    await shareSideFiles(options, draft, sideFiles);
    await shareSnapshots(options, draft, cut.heads);
  });
  return { as, from, at, entries };
}
