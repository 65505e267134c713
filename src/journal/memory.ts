/** The journal in memory: for tests, tries and checks. Durable for nothing (D0); otherwise it behaves as the file journal does. */
import { TroupeError } from '../error.ts';
import { entryReader } from './decode.ts';
import { encodeEntry, entryVersion, linePrefix } from './line.ts';
import { checkRunId, checkStream } from './names.ts';
import type {
  Entry,
  Fork,
  Holder,
  Journal,
  JournalEvent,
  JournalNotice,
  JournalStore,
  Lease,
  Origin,
  Snapshot,
} from './port.ts';
import type { JsonValue } from '../json.ts';

/** A store in this process's memory. */
export interface MemoryStore extends JournalStore {
  /** Lets the run's holder be thought dead, as after kill -9: the next lease takes over, the old one's appends are EPOCH_STALE. */
  abandon(run: string): void;
  fork(from: string, options: { readonly at: number; readonly as: string }): Promise<Fork>;
  remove(run: string): Promise<void>;
}

interface MemoryLine {
  readonly stream: string;
  readonly seq: number;
  readonly epoch: number;
  readonly more: boolean;
  readonly text: string;
}

interface MemoryRun {
  /** Lines as the file journal writes them: what is read was JSON in between, here too. */
  readonly lines: MemoryLine[];
  readonly heads: Map<string, number>;
  readonly snapshots: Map<string, Snapshot[]>;
  readonly origin?: Origin;
  epoch: number;
  holder: (Holder & { isDead: boolean }) | undefined;
}

const batchEntries = 1000;
const hereHost = 'memory';

/** A copy of the first `at` entries, back to where an append that is cut begins. */
function prefixOf(memory: MemoryRun, from: string, at: number): MemoryRun {
  const total = memory.lines.length;
  if (at < 1 || at > total) {
    const range = total === 0 ? 'it has no entries' : `expected a position from 1 to ${total}`;
    throw new TroupeError('BAD_INPUT', `Run \`${from}\` cannot be forked at ${at}: ${range}.`, {
      run: from,
      at,
      max: total,
    });
  }
  const entries = memory.lines.findLastIndex(({ more }, index) => index < at && !more) + 1;
  if (entries === 0) {
    const min = memory.lines.findIndex(({ more }) => !more) + 1;
    throw new TroupeError(
      'BAD_INPUT',
      `Position ${at} lies inside the first append of run \`${from}\`, which is copied whole or not at all: expected at least ${min}.`,
      { run: from, at, min },
    );
  }
  const lines = memory.lines.slice(0, entries);
  const heads = new Map(lines.map(({ stream, seq }) => [stream, seq]));
  const snapshots = new Map(
    [...memory.snapshots].map(([stream, kept]) => [stream, kept.filter(({ seq }) => seq <= (heads.get(stream) ?? 0))]),
  );
  return { lines, heads, snapshots, epoch: lines.at(-1)?.epoch ?? 0, holder: undefined, origin: { from, at: entries } };
}

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
      const lines: MemoryLine[] = [];
      const entries: Entry[] = [];
      const last = events.length - 1;
      let seq = actual;
      // All are encoded before any is kept: an append is whole or not at all.
      for (const event of events) {
        const { at, type, data, fold } = event;
        const more = entries.length < last;
        seq += 1;
        lines.push({ stream, seq, epoch, more, text: encodeEntry(prefix, seq, epoch, event, more, entryBytesMax) });
        entries.push(
          fold === undefined
            ? { v: entryVersion, stream, seq, at, type, data, epoch }
            : { v: entryVersion, stream, seq, at, type, data, fold, epoch },
        );
      }
      for (const line of lines) memory.lines.push(line);
      if (lines.length > 0) memory.heads.set(stream, seq);
      return entries;
    };

    return {
      run,
      origin: memory.origin,
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
          batch.push(decode(line.text.slice(0, -1)));
          if (batch.length < batchEntries) continue;
          yield batch;
          batch = [];
        }
        if (batch.length > 0) yield batch;
      },
      async saveSnapshot(snapshot) {
        if (isClosed || lease === undefined) return false;
        const others = (memory.snapshots.get(snapshot.stream) ?? []).filter((other) => other.seq !== snapshot.seq);
        const kept = [snapshot, ...others].toSorted((a, b) => b.seq - a.seq).slice(0, 2);
        memory.snapshots.set(snapshot.stream, kept);
        return true;
      },
      async loadSnapshot(stream, maker) {
        if (isClosed) throw closed();
        for (const snapshot of memory.snapshots.get(stream) ?? []) {
          const { seq, data } = snapshot;
          // Written and read as by the file journal, when it is asked for: most never are.
          if (snapshot.maker === maker && seq <= (memory.heads.get(stream) ?? 0))
            return { stream, seq, maker, data: JSON.parse(JSON.stringify(data)) as JsonValue };
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
    async fork(from, { at, as }) {
      checkRunId(from);
      checkRunId(as);
      if (!Number.isSafeInteger(at))
        throw new TroupeError(
          'BAD_INPUT',
          `Expected the position of a fork to be a whole number >= 1, got \`${at}\`.`,
          { at },
        );
      if (runs.has(as)) throw new TroupeError('RUN_EXISTS', `Run \`${as}\` exists already in memory.`, { run: as });
      const memory = runs.get(from);
      if (memory === undefined)
        throw new TroupeError('RUN_UNKNOWN', `There is no run \`${from}\` in memory.`, { run: from });
      const copied = prefixOf(memory, from, at);
      runs.set(as, copied);
      return { as, from, at, entries: copied.lines.length };
    },
    async remove(run) {
      checkRunId(run);
      const memory = runs.get(run);
      if (memory === undefined) throw new TroupeError('RUN_UNKNOWN', `There is no run \`${run}\` in memory.`, { run });
      if (memory.holder !== undefined && !memory.holder.isDead) {
        const { host, pid, since } = memory.holder;
        throw new TroupeError('RUN_BUSY', `Run \`${run}\` is held by a journal of this process.`, {
          run,
          host,
          pid,
          since,
        });
      }
      // Whoever had it held is not to write to what has gone.
      memory.epoch += 1;
      runs.delete(run);
    },
    abandon(run) {
      const holder = runs.get(run)?.holder;
      if (holder !== undefined) holder.isDead = true;
    },
  };
}
