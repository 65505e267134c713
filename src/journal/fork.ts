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
import { copyOf, type Copy } from './fork-copy.ts';
import { freeEpoch } from './lease.ts';
import { factsReader } from './decode.ts';
import { checkRunId, encodeName, encodePath } from './names.ts';
import type { Fork } from './port.ts';
import { makeRun, type RunsPlace } from './run-folder.ts';
import { listSegments, type Listing } from './segments.ts';
import { filesBelow, shareFile, writeFile } from './tree.ts';
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
  readonly heads: ReadonlyMap<string, number>;
  readonly epoch: number;
}

/**
 * Finds the last whole append within the first `at` entries, everything up to there checked, and has it copied on the way; what is
 * damaged behind it is not looked at.
 */
async function findCut({ fs, from, at }: ForkOptions, { segments, trouble }: Listing, copy: Copy): Promise<Cut> {
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
    let copied = bytes;
    const copyOn = (): void => {
      // The line that was looked at last is checked when the next one is.
      const { segment: number, bytes: to, entries: whole } = below;
      if (number !== segment.header.segment || to <= copied || seen.entries < whole) return;
      copy.take(segment, copied, to);
      copied = to;
    };
    const isFound = () => above !== undefined && seen.entries >= above;
    try {
      for await (const _ of walkSegment(fs, segment, seen, inspect)) {
        copyOn();
        if (isFound()) break;
      }
    } catch (error) {
      // Damage behind the cut is not ours.
      if (!isFound() && !(at < 1 && isTroupeError(error, 'JOURNAL_CORRUPT'))) throw error;
      copyOn();
      break;
    }
    copyOn();
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
  return { ...below, heads, epoch };
}

function outOfRange(run: string, at: number, total: number): TroupeError {
  const range = total === 0 ? 'it has no entries' : `expected a position from 1 to ${total}`;
  return new TroupeError('BAD_INPUT', `Run \`${run}\` cannot be forked at ${at}: ${range}.`, { run, at, max: total });
}

/** Links the side files; a name that leads elsewhere, or a file that is not there, is no harm: the journal is enough. */
async function shareSideFiles(
  { fs, dir, from }: ForkOptions,
  draft: string,
  sideFiles: ReadonlySet<string>,
): Promise<void> {
  if (sideFiles.size === 0) return;
  const there = new Set(await filesBelow(fs, `${dir}/runs/${from}/files`));
  const folders = new Set<string>();
  const shared: (readonly [string, string])[] = [];
  for (const name of sideFiles) {
    let parts: readonly string[];
    try {
      parts = ['files', ...encodePath(name)];
    } catch {
      continue;
    }
    // Any data may have a member of that name: a folder, or a path through a file, is no side file.
    if (!there.has(parts.slice(1).join('/'))) continue;
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
  const listing = await listSegments(fs, `${dir}/runs/${from}`, from);
  if (listing.segments.length === 0 && listing.trouble === undefined) {
    throw new TroupeError('RUN_UNKNOWN', `There is no run \`${from}\` in ${dir}/runs.`, { run: from });
  }
  let entries = 0;
  await makeRun(options, as, async (draft) => {
    const first = { run: as, engine, at: clock.now(), origin: { from, at } };
    const copy = copyOf({ fs, segments: listing.segments, draft, first });
    try {
      const cut = await findCut(options, listing, copy);
      entries = cut.entries;
      const lease = freeEpoch(cut.epoch, processes.self(), clock.now());
      await writeFile(fs, `${draft}/lease/${lease.name}`, lease.bytes);
      await shareSideFiles(options, draft, await copy.finish({ from, at: entries }));
      await shareSnapshots(options, draft, cut.heads);
    } finally {
      await copy.close();
    }
  });
  return { as, from, at, entries };
}
