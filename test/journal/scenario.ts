import { isTroupeError } from '../../src/error.ts';
import { fileStore, type Entry, type FileSystem, type Journal, type Processes } from '../../src/journal/index.ts';
import { event, readAll } from './support.ts';

/** What a host's work came to: which appends it was told are durable, and which it tried. Each is known by its number. */
export interface Work {
  readonly acknowledged: number[];
  readonly attempted: { readonly stream: string; readonly size: number }[];
  /** The run's creation was acknowledged. */
  created: boolean;
  /** Errors that were not ours: always empty. */
  readonly foreign: unknown[];
}

export function newWork(): Work {
  return { acknowledged: [], attempted: [], created: false, foreign: [] };
}

export function openStore(fs: FileSystem, processes: Processes) {
  return fileStore({ dir: '/data', fs, processes, segmentBytesMax: 600, leaseTtlMs: 1000 });
}

/** Appends `size` entries, and notes what became of them. */
async function attempt(
  work: Work,
  journal: Journal,
  epoch: number,
  stream: string,
  seq: number,
  size: number,
): Promise<void> {
  const number = work.attempted.push({ stream, size }) - 1;
  await journal.append(
    stream,
    seq,
    epoch,
    Array.from({ length: size }, (_, index) => event('n', { number, index, size, pad: 'ü'.repeat(20) })),
  );
  work.acknowledged.push(number);
}

/**
 * One host's life: create or open, lease, append alone, in groups and side by side, over several segments, snapshot, release. It goes on after
 * an error as a careless host would, so that what fails once must go on failing.
 */
export async function liveOnce(work: Work, fs: FileSystem, processes: Processes, create: boolean): Promise<void> {
  const trouble = (error: unknown): undefined => {
    if (!isTroupeError(error)) work.foreign.push(error);
    return undefined;
  };
  const journal = await openStore(fs, processes).open('r', { create }).catch(trouble);
  if (journal === undefined) return;
  if (create) work.created = true;
  const lease = await journal.lease().catch(trouble);
  if (lease === undefined) return journal.close().catch(trouble);
  const heads = new Map<string, number>();
  const entries = await readAll(journal).catch(trouble);
  for (const { stream, seq } of entries ?? []) heads.set(stream, seq);
  const next = (stream: string, size: number): number => {
    const seq = heads.get(stream) ?? 0;
    heads.set(stream, seq + size);
    return seq;
  };
  const add = (stream: string, size: number) =>
    attempt(work, journal, lease.epoch, stream, next(stream, size), size).catch(trouble);
  await add('run', 1);
  await add('group:a', 3);
  await Promise.all([add('group:a', 1), add('group:b', 2), add('group:a', 2), add('run', 1)]);
  await journal.saveSnapshot({
    stream: 'group:a',
    seq: entries === undefined ? 1 : (heads.get('group:a') ?? 0),
    maker: 'm',
    data: { state: 'x'.repeat(50) },
  });
  await add('group:b', 1);
  await add('group:b', 4);
  await journal.close().catch(trouble);
}

/**
 * What must hold of a run after any trouble, seen by the next host: every acknowledged append is there, every other one is there wholly or not at
 * all, each stream in the order in which it was appended; and the run can be gone on with.
 */
export async function checkAfterwards(work: Work, fs: FileSystem, processes: Processes): Promise<readonly string[]> {
  const problems = work.foreign.map((error) => `a foreign error: ${String(error)}`);
  const store = openStore(fs, processes);
  let journal: Journal;
  try {
    journal = await store.open('r');
  } catch (error) {
    if (!isTroupeError(error, 'RUN_UNKNOWN')) return [...problems, `open: ${String(error)}`];
    if (work.created) return [...problems, 'a created run is unknown'];
    journal = await store.open('r', { create: true });
  }
  try {
    const lease = await journal.lease();
    const entries = await readAll(journal);
    problems.push(...differences(work, entries));
    const snapshot = await journal.loadSnapshot('group:a', 'm');
    if (snapshot !== undefined && snapshot.seq > entries.filter((entry) => entry.stream === 'group:a').length)
      problems.push('a snapshot beyond the log');
    await journal.append('after', entries.filter((entry) => entry.stream === 'after').length, lease.epoch, [
      event('after'),
    ]);
    if ((await readAll(journal)).length !== entries.length + 1) problems.push('the run cannot be gone on with');
    await journal.close();
    const reader = await store.open('r');
    const seen = await readAll(reader);
    if (seen.length !== entries.length + 1) problems.push('a reader sees another log');
  } catch (error) {
    problems.push(`afterwards: ${String(error)}`);
  }
  return problems;
}

function differences(work: Work, entries: readonly Entry[]): readonly string[] {
  const problems: string[] = [];
  const found = new Map<number, number>();
  const lastOf = new Map<string, number>();
  for (const entry of entries) {
    if (entry.type === 'after') continue;
    const { number, index } = entry.data as { readonly number: number; readonly index: number };
    if (index !== (found.get(number) ?? 0)) problems.push(`append ${number} is not in one piece`);
    found.set(number, index + 1);
    if (number < (lastOf.get(entry.stream) ?? 0)) problems.push(`append ${number} of ${entry.stream} is out of order`);
    lastOf.set(entry.stream, number);
  }
  for (const [number, count] of found) {
    if (count !== work.attempted[number]?.size) problems.push(`append ${number} is there by half`);
  }
  for (const number of work.acknowledged) {
    if (!found.has(number)) problems.push(`append ${number} was acknowledged and is lost`);
  }
  return problems;
}
