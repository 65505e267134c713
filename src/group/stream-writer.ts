/**
 * One stream's way into the journal: inputs that arrive while an append is under way wait and go
 * together in the next one (several turns, one flush).
 *
 * Keeps G1 (nothing is applied before it is durable) and the host's half of G3 (one append of a stream at a time,
 * always behind the last seq that was applied).
 */
import type { Clock } from '../clock.ts';
import type { JsonValue } from '../json.ts';
import type { Entry, Journal, JournalEvent } from '../journal/port.ts';
import { afterAnswers } from '../journal/time.ts';

/** An input on its way. `settle` is told the entry once it is durable and applied, or why it never will be. */
interface Waiting {
  readonly type: string;
  readonly data: JsonValue;
  readonly applied: ((entry: Entry) => void) | undefined;
  readonly failed: ((error: unknown) => void) | undefined;
}

/** What a {@link StreamWriter} needs. */
export interface StreamWriterOptions {
  readonly journal: Journal;
  readonly epoch: number;
  readonly stream: string;
  readonly clock: Clock;
  /** Called once per durable entry, in order. */
  apply(entry: Entry): void;
  /** Called after every append whose entries have all been applied. */
  afterBatch?(): void;
  /** What the fold of the stream has come to, stamped on the next append; undefined before the first entry. */
  fold?(): string | undefined;
  /** An append or an apply failed: nothing more will be written. */
  fatal(error: unknown): void;
}

/** The one writer of a stream. */
export interface StreamWriter {
  /** Seq of the last applied entry; 0 for an empty stream. */
  readonly seq: number;
  /** Time of the last applied entry. */
  readonly at: number;
  /** Replay: takes notice of an entry that stands in the journal already. */
  replayed(entry: Entry): void;
  /** Replay: the stream stands at `seq`, by a snapshot. */
  restored(seq: number, at: number): void;
  /** Queues an input; both callbacks are optional. */
  push(type: string, data: JsonValue, applied?: (entry: Entry) => void, failed?: (error: unknown) => void): void;
  /** Queues an input; resolves to its entry when it is durable and applied. */
  record(type: string, data: JsonValue): Promise<Entry>;
  /** True when nothing waits and nothing is under way. */
  isIdle(): boolean;
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>;
  /** The same for whoever acknowledges what was pushed: rejects when it, or anything before it, was lost. */
  written(): Promise<void>;
}

/** More inputs than this go in several appends. */
const batchMax = 1024;

/** Makes the writer of one stream. */
export function streamWriter(options: StreamWriterOptions): StreamWriter {
  const { journal, epoch, stream, clock } = options;
  let waiting: Waiting[] = [];
  let running = false;
  let dead: { readonly error: unknown } | undefined;
  let seq = 0;
  let at = 0;
  let idleWaiters: (() => void)[] = [];

  const run = async () => {
    running = true;
    let batch: Waiting[] = [];
    try {
      while (waiting.length > 0) {
        batch = waiting.length > batchMax ? waiting.splice(0, batchMax) : waiting;
        if (batch === waiting) waiting = [];
        at = Math.max(at, clock.now());
        const fold = options.fold?.();
        const events: JournalEvent[] = [];
        for (const { type, data } of batch) {
          events.push(fold !== undefined && events.length === 0 ? { type, at, data, fold } : { type, at, data });
        }
        const entries = await journal.append(stream, seq, epoch, events);
        for (let index = 0; index < entries.length; index += 1) {
          const entry = entries[index] as Entry;
          seq = entry.seq;
          options.apply(entry);
          batch[index]?.applied?.(entry);
        }
        batch = [];
        options.afterBatch?.();
      }
    } catch (error) {
      dead = { error };
      const lost = [...batch, ...waiting];
      waiting = [];
      for (const { failed } of lost) failed?.(error);
      options.fatal(error);
    }
    running = false;
    const waiters = idleWaiters;
    idleWaiters = [];
    for (const waiter of waiters) waiter();
  };

  const writer: StreamWriter = {
    get seq() {
      return seq;
    },
    get at() {
      return at;
    },
    replayed(entry) {
      seq = entry.seq;
      at = Math.max(at, entry.at);
    },
    restored(atSeq, atMs) {
      seq = atSeq;
      at = Math.max(at, atMs);
    },
    push(type, data, applied, failed) {
      if (dead !== undefined) {
        failed?.(dead.error);
        return;
      }
      waiting.push({ type, data, applied, failed });
      // When everybody who was answered at this moment has gone on: what they ask for shares the append.
      if (!running) {
        running = true;
        afterAnswers(() => void run());
      }
    },
    record: (type, data) => new Promise((resolve, reject) => writer.push(type, data, resolve, reject)),
    isIdle: () => !running && waiting.length === 0,
    idle: () => (writer.isIdle() ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
    async written() {
      await writer.idle();
      if (dead !== undefined) throw dead.error;
    },
  };
  return writer;
}
