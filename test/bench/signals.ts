/**
 * Durable signals per second through the real host and group, beside bare writes of the same lines.
 *
 * The rivals, and why these. One after the other: a loop of write + fdatasync of the lines that ours wrote, made ready before the clock
 * starts. A Node program can write it blocking or through the thread pool; both are shown, and the blocking one, the faster of them on a quiet disk, is judged. 64 in
 * flight: group commit of those ready-made lines, nothing else done, is judged; it shows what the disk and 64 promises cost. Beside it stands, told
 * and not judged, the same group commit of entries that are still objects, each written as JSON with a checksum when it is
 * appended: what a program that has something to log pays at least.
 */
import { defaultBounds } from '../../src/group/bounds.ts';
import { define } from '../../src/group/definition.ts';
import type { Group } from '../../src/group/group.ts';
import { openHost } from '../../src/group/host.ts';
import { fileStore } from '../../src/journal/file.ts';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { blockingLoop, flushEach, groupCommit, groupCommitEncoding, oneCallLoop } from './work/bare-log.ts';
import { deskMachine } from './work/desk.ts';
import { recordingFileSystem } from './work/recording-fs.ts';

/** Opens a new group in a new run, has `use` work with it, returns what it returned; `lines` are those that it wrote. */
async function withGroup<Result>(
  dir: string,
  use: (group: Group) => Promise<Result>,
  recorded?: string[],
): Promise<Result> {
  const recording = recordingFileSystem();
  const store = fileStore(recorded === undefined ? { dir } : { dir, fs: recording.fs });
  const journal = await store.open('signals', { create: true });
  const lease = await journal.lease();
  const host = await openHost({ journal, lease, harnesses: {}, performs: false, applied: () => {} });
  const group = await host.open({
    name: 'desk',
    definition: define(deskMachine),
    input: { members: 8 },
    concurrency: 256,
    bounds: defaultBounds,
  });
  recording.batches.length = 0;
  const result = await use(group);
  recorded?.push(...recording.batches);
  await host.close();
  return result;
}

const noteOf = (index: number) => ({ type: 'note', text: `note ${index}: the second reader agrees with the first` });

async function send(group: Group, count: number, inFlight: number): Promise<number> {
  let next = 0;
  const loop = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await group.signal(noteOf(index), { id: `note-${index}`, from: 'bench' });
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, loop));
  return performance.now() - startedMs;
}

/** The bench. */
export const signals: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    let runs = 0;
    const next = () => `${dir}/${(runs += 1)}`;
    const perSecond = (count: number, ms: number) => count / (ms / 1_000);
    const linesOf = async (count: number, inFlight: number) => {
      const batches: string[] = [];
      await withGroup(next(), (group) => send(group, count, inFlight), batches);
      return batches
        .join('')
        .split('\n')
        .flatMap((line) => (line === '' ? [] : [`${line}\n`]));
    };

    const count = smoke ? 100 : 2_000;
    const lines = await linesOf(count, 1);
    const rounds = smoke ? 1 : 9;
    const closed = await inTurns(rounds, {
      ours: async () => perSecond(count, await withGroup(next(), (group) => send(group, count, 1))),
      blocking: () => perSecond(count, blockingLoop(next(), lines)),
      async: async () => perSecond(count, await flushEach(next(), lines)),
      oneCall: () => perSecond(count, oneCallLoop(next(), lines)),
    });
    const about = { name: 'durable signals, one after the other', unit: 'signals/s', level: 'D2' } as const;
    row(
      rowOf(
        {
          ...about,
          rivalName: 'bare blocking write + fdatasync',
          note: 'the faster of the two bare write + fdatasync loops of the same lines',
          target: { atLeast: 0.9 },
        },
        closed.ours,
        closed.blocking,
      ),
    );
    row(rowOf({ ...about, rivalName: 'bare async write + fdatasync' }, closed.ours, closed.async));
    row(rowOf({ ...about, rivalName: 'bare blocking O_DSYNC write' }, closed.ours, closed.oneCall));

    const many = smoke ? 1_000 : 20_000;
    const manyLines = await linesOf(many, 64);
    const manyEntries = manyLines.map((line) => {
      const { crc: _, ...entry } = JSON.parse(line) as { readonly crc: string };
      return entry;
    });
    const flight = await inTurns(rounds, {
      ours: async () => perSecond(many, await withGroup(next(), (group) => send(group, many, 64))),
      bare: async () => perSecond(many, await groupCommit(next(), manyLines, 64)),
      encoding: async () => perSecond(many, await groupCommitEncoding(next(), manyEntries, 64)),
    });
    const inFlight = { name: 'durable signals, 64 in flight', unit: 'signals/s', level: 'D2' } as const;
    row(
      rowOf(
        {
          ...inFlight,
          rivalName: 'bare group commit',
          note: 'the rival collects what waits, one async write + fdatasync of ready-made lines, resolves',
          target: { atLeast: 0.8 },
        },
        flight.ours,
        flight.bare,
      ),
    );
    row(
      rowOf(
        { ...inFlight, rivalName: 'bare group commit that writes JSON and a checksum' },
        flight.ours,
        flight.encoding,
      ),
    );
  });
