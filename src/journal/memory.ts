/** The journal in memory: for tests, tries and checks. Durable for nothing (D0); otherwise it behaves as the file journal does. */
import { TroupeError } from '../error.ts';
import { entryReader } from './decode.ts';
import { encodeEntry, linePrefix } from './line.ts';
import { checkRunId, checkStream } from './names.ts';
import type { Entry, Holder, Journal, JournalEvent, JournalNotice, JournalStore, Lease, Snapshot } from './port.ts';

/** A store in this process's memory. */
export interface MemoryStore extends JournalStore {
  /** Lets the run's holder be thought dead, as after kill -9: the next lease takes over, the old one's appends are EPOCH_STALE. */
  abandon(run: string): void;
}

interface MemoryRun {
  /** Lines as the file journal writes them: what is read was JSON in between, here too. */
  readonly lines: { readonly stream: string; readonly seq: number; readonly text: string }[];
  readonly heads: Map<string, number>;
  readonly snapshots: Map<string, Snapshot[]>;
  epoch: number;
  holder: (Holder & { isDead: boolean }) | undefined;
}

const batchEntries = 1000;
const hereHost = 'memory';

/** Makes an empty store. `entryBytesMax`: longest entry as a line; default 8 MiB. */
export function memoryStore({
  entryBytesMax = 8 * 1024 * 1024,
}: { readonly entryBytesMax?: number } = {}): MemoryStore {
  const runs = new Map<string, MemoryRun>();

  const openJournal = (run: string, memory: MemoryRun): Journal => {
    const found: JournalNotice[] = [];
    let lease: Lease | undefined;
    let isClosed = false;
    let stale: TroupeError | undefined;
    const decode = entryReader({});

    const closed = (): TroupeError =>
      new TroupeError('HOST_CLOSED', `The journal of run \`${run}\` is closed.`, { run });

    const appendNow = (
      stream: string,
      expectedSeq: number,
      epoch: number,
      events: readonly JournalEvent[],
    ): readonly Entry[] => {
      if (isClosed) throw closed();
      if (stale !== undefined) throw stale;
      if (lease?.epoch !== epoch)
        throw new TroupeError('EPOCH_STALE', `Epoch ${epoch} of run \`${run}\` is not held here.`, {
          run,
          epoch,
          held: lease?.epoch,
        });
      if (memory.epoch !== epoch) {
        stale = new TroupeError(
          'EPOCH_STALE',
          `Epoch ${epoch} of run \`${run}\` is over: another host has taken the run.`,
          { run, epoch },
        );
        throw stale;
      }
      checkStream(stream);
      const actual = memory.heads.get(stream) ?? 0;
      if (expectedSeq !== actual)
        throw new TroupeError('SEQ_CONFLICT', `Stream \`${stream}\` stands at seq ${actual}, not at ${expectedSeq}.`, {
          stream,
          expected: expectedSeq,
          actual,
        });
      const prefix = linePrefix(stream);
      const lines = events.map((event, index) => ({
        stream,
        seq: actual + index + 1,
        text: encodeEntry(prefix, actual + index + 1, epoch, event, index < events.length - 1, entryBytesMax),
      }));
      for (const line of lines) memory.lines.push(line);
      if (lines.length > 0) memory.heads.set(stream, actual + lines.length);
      return lines.map(({ text }, index) => ({ ...decode(text), data: events[index]?.data ?? null }));
    };

    return {
      run,
      async lease() {
        if (isClosed) throw closed();
        if (stale !== undefined) throw stale;
        const holder = memory.holder;
        if (holder !== undefined && !holder.isDead) {
          const { host, pid, since } = holder;
          throw new TroupeError('RUN_BUSY', `Run \`${run}\` is held by another journal of this process.`, {
            run,
            host,
            pid,
            since,
          });
        }
        const mine = { host: hereHost, pid: 0, since: 0, isDead: false };
        memory.holder = mine;
        const epoch = ++memory.epoch;
        lease = {
          epoch,
          takenFrom: holder && { host: holder.host, pid: holder.pid, since: holder.since },
          async release() {
            if (lease?.epoch === epoch) lease = undefined;
            if (memory.holder === mine) memory.holder = undefined;
          },
        };
        return lease;
      },
      async append(stream, expectedSeq, epoch, events) {
        return appendNow(stream, expectedSeq, epoch, events);
      },
      async *read(stream, fromSeq = 1) {
        if (isClosed) throw closed();
        const end = memory.lines.length;
        let batch: Entry[] = [];
        for (let index = 0; index < end; index++) {
          const line = memory.lines[index];
          if (line === undefined || line.seq < fromSeq || (stream !== undefined && line.stream !== stream)) continue;
          batch.push(decode(line.text));
          if (batch.length < batchEntries) continue;
          yield batch;
          batch = [];
        }
        if (batch.length > 0) yield batch;
      },
      async saveSnapshot(snapshot) {
        if (isClosed || lease === undefined) return false;
        const others = (memory.snapshots.get(snapshot.stream) ?? []).filter((other) => other.seq !== snapshot.seq);
        // Kept as a copy: a snapshot is what it was when it was saved.
        const kept = [structuredClone(snapshot), ...others].toSorted((a, b) => b.seq - a.seq).slice(0, 2);
        memory.snapshots.set(snapshot.stream, kept);
        return true;
      },
      async loadSnapshot(stream, maker) {
        if (isClosed) throw closed();
        for (const snapshot of memory.snapshots.get(stream) ?? []) {
          if (snapshot.maker === maker && snapshot.seq <= (memory.heads.get(stream) ?? 0))
            return structuredClone(snapshot);
          const message = `The snapshot of \`${stream}\` at seq ${snapshot.seq} by \`${snapshot.maker}\` is ignored.`;
          if (!found.some((other) => other.message === message)) found.push({ kind: 'snapshot-ignored', message });
        }
        return undefined;
      },
      notices: () => [...found],
      async sideFile() {
        return undefined;
      },
      async close() {
        await lease?.release();
        isClosed = true;
      },
    };
  };

  return {
    async open(run, { create = false } = {}) {
      checkRunId(run);
      const there = runs.get(run);
      if (create && there !== undefined)
        throw new TroupeError('RUN_EXISTS', `Run \`${run}\` exists already in memory.`, { run });
      if (!create && there === undefined)
        throw new TroupeError('RUN_UNKNOWN', `There is no run \`${run}\` in memory.`, { run });
      const memory = there ?? { lines: [], heads: new Map(), snapshots: new Map(), epoch: 0, holder: undefined };
      runs.set(run, memory);
      return openJournal(run, memory);
    },
    async list() {
      return [...runs.keys()];
    },
    abandon(run) {
      const holder = runs.get(run)?.holder;
      if (holder !== undefined) holder.isDead = true;
    },
  };
}
