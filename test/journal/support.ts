import { isTroupeError, type TroupeError } from '../../src/error.ts';
import type { Entry, Journal, JournalEvent, JournalStore, Liveness, Processes } from '../../src/journal/index.ts';
import type { JsonValue } from '../../src/json.ts';

/** One of {@link fakeProcesses}. */
export interface FakeProcess {
  readonly processes: Processes;
  kill(): void;
  /** Nobody can tell any more whether it lives. */
  hide(): void;
  isHidden(): boolean;
}

/** Processes that live and die on order. */
export function fakeProcesses(): { start(): FakeProcess } {
  const states = new Map<number, Liveness>();
  let pids = 100;
  return {
    start() {
      const pid = ++pids;
      states.set(pid, 'alive');
      return {
        processes: {
          self: () => ({ host: 'here', pid, bootId: 'boot', pidNamespace: 'ns', startedAt: `${pid}` }),
          liveness: (of) => states.get(of.pid) ?? 'dead',
        },
        kill: () => void states.set(pid, 'dead'),
        hide: () => void states.set(pid, 'unknown'),
        isHidden: () => states.get(pid) === 'unknown',
      };
    },
  };
}

export function event(type: string, data: JsonValue = null): JournalEvent {
  return { type, at: 1_790_000_000_000, data };
}

export async function readAll(journal: Journal, stream?: string, fromSeq?: number): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of journal.read(stream, fromSeq)) for (const entry of batch) entries.push(entry);
  return entries;
}

/** The error that `work` ends with; fails when it does not. */
export async function errorOf(work: Promise<unknown>): Promise<TroupeError> {
  try {
    await work;
  } catch (error) {
    if (isTroupeError(error)) return error;
    throw new Error('not an error of ours', { cause: error });
  }
  throw new Error('it did not fail');
}

/** A run `r` with a log of `count` entries, two of three in appends of two; closed. */
export async function writeLog(store: JournalStore, count: number): Promise<void> {
  const journal = await store.open('r', { create: true });
  const { epoch } = await journal.lease();
  for (let seq = 0; seq < count;) {
    const size = Math.min(seq % 3 === 0 ? 2 : 1, count - seq);
    await journal.append(
      'group:a',
      seq,
      epoch,
      Array.from({ length: size }, (_, index) => event('n', { n: seq + index, text: 'ünï"' })),
    );
    seq += size;
  }
  await journal.close();
}
