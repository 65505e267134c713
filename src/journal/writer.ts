/**
 * The writer: group commit. One flush (write + fdatasync) is under way; whatever is appended meanwhile is the next batch.
 * No artificial delay: a flush begins when the present turn of the event loop is done (or, after a flush, when everybody just answered
 * has had its say), so that all who come together share it.
 *
 * G3: order is decided here, in `append`, synchronously. G1: nobody hears of an entry before its flush AND the proof that our
 * epoch is still the newest (see `lease.ts`).
 *
 * How it flushes: a blocking flush is about twice as fast per call as one through the thread pool (0.2 against 0.3–0.4 ms on a fast disk), but
 * it stops the event loop. So it blocks only when exactly one append waits and recent flushes took less than `blockBelowMs`. When the last
 * `loneFlushesMin` flushes each served one append, it does not even wait for the turn's end: `append` flushes at once, unless it
 * has done so in the same breath already, and lets other events in every `turnMsMax`.
 */
import { TroupeError } from '../error.ts';
import { ioError, staleEpoch } from './damage.ts';
import { writeFlushed, type OpenFile } from './fs.ts';
import { crcOf, encodeEntry, entryVersion, linePrefix } from './line.ts';
import { checkStream } from './names.ts';
import type { Entry, JournalEvent } from './port.ts';
import { afterAnswers, afterTurn, monotonicMs } from './time.ts';

/** Where the log stands and how it may be written. */
export interface WriterOptions {
  readonly run: string;
  readonly epoch: number;
  readonly isHeld: () => 'held' | 'stale' | 'gone';
  /** Last seq of each stream. */
  readonly heads: ReadonlyMap<string, number>;
  readonly entries: number;
  readonly place: LogEnd;
  /** Makes the next segment when this one is full. Rejects with EPOCH_STALE when another host has made it. */
  readonly rollOver: (now: LogState) => Promise<LogEnd>;
  readonly entryBytesMax: number;
  readonly segmentBytesMax: number;
  readonly batchBytesMax: number;
  readonly blockBelowMs: number;
}

/** The last segment, open, and its length. */
export interface LogEnd {
  readonly segment: number;
  readonly path: string;
  readonly file: OpenFile;
  readonly bytes: number;
  /** CRC-32 of all those bytes; undefined when it is not known. */
  readonly crc: number | undefined;
}

/** What is durable. */
export interface LogState {
  readonly segment: number;
  readonly bytes: number;
  readonly entries: number;
  readonly heads: ReadonlyMap<string, number>;
}

/** Appends under one epoch. */
export interface Writer {
  append(stream: string, expectedSeq: number, events: readonly JournalEvent[]): Promise<readonly Entry[]>;
  /** End of what is durable. */
  durable(): Omit<LogState, 'heads'> & Pick<LogEnd, 'crc'>;
  /** Last durable seq of every stream. */
  heads(): ReadonlyMap<string, number>;
  /** Last durable seq of a stream; 0 when it has none. */
  durableSeq(stream: string): number;
  /** Why every further append fails; undefined when none does. */
  failure(): TroupeError | undefined;
  /** Waits for appends under way, then closes the file. */
  close(): Promise<void>;
}

interface StreamState {
  readonly prefix: string;
  /** Counting appends under way. */
  seq: number;
  durableSeq: number;
}

interface Waiting {
  readonly state: StreamState;
  readonly entries: readonly Entry[];
  readonly resolve: (entries: readonly Entry[]) => void;
  readonly reject: (error: TroupeError) => void;
}

interface Batch {
  text: string;
  readonly waiting: Waiting[];
}

const batchAppendsMax = 4096;
/** Weight of the newest flush in the recent average. */
const newestWeight = 0.2;
/** Blocking flushes may follow each other for so long before other events are served. */
const turnMsMax = 5;
/** So many flushes of one append each show that nobody else is going to join. */
const loneFlushesMin = 8;

/** Begins to write at the log's end. */
export function createWriter(options: WriterOptions): Writer {
  const { run, epoch, isHeld, rollOver, entryBytesMax, segmentBytesMax, batchBytesMax, blockBelowMs } = options;
  const streams = new Map<string, StreamState>();
  for (const [stream, seq] of options.heads) streams.set(stream, { prefix: linePrefix(stream), seq, durableSeq: seq });
  let { segment, path, file, bytes, crc } = options.place;
  let entryCount = options.entries;
  let batches: Batch[] = [];
  let isBusy = false;
  let failure: TroupeError | undefined;
  let recentMs = 0;
  let turnMs = 0;
  let loneFlushes = 0;
  let isSameBreath = false;
  const whenIdle: (() => void)[] = [];

  /** Whether nobody else is likely to join the append that waits. */
  const isAlone = (): boolean => {
    if (isSameBreath) loneFlushes = 0;
    return loneFlushes >= loneFlushesMin && recentMs < blockBelowMs && monotonicMs() - turnMs < turnMsMax;
  };

  const flushAtOnce = (): void => {
    isBusy = true;
    isSameBreath = true;
    // Before whoever is answered by this flush goes on.
    queueMicrotask(() => (isSameBreath = false));
    pump();
  };

  const schedule = (): void => {
    isBusy = true;
    afterTurn(() => {
      turnMs = monotonicMs();
      pump();
    });
  };

  const pump = (): void => {
    const batch = batches.shift();
    if (batch === undefined) return rest();
    if (bytes < segmentBytesMax) return flush(batch);
    rollOver(state()).then(
      (next) => {
        ({ segment, path, file, bytes, crc } = next);
        flush(batch);
      },
      (error: unknown) => fail(ioError(error, 'beginning a new segment', path), batch),
    );
  };

  const flush = (batch: Batch): void => {
    const content = Buffer.from(batch.text);
    const startedMs = monotonicMs();
    const isShort = content.length <= batchBytesMax;
    if (batch.waiting.length === 1 && batches.length === 0 && recentMs < blockBelowMs && isShort) {
      try {
        for (let done = 0; done < content.length;)
          done += file.writeSync(done === 0 ? content : content.subarray(done));
        file.datasyncSync();
      } catch (error) {
        return fail(ioError(error, 'appending', path, true), batch);
      }
      settle(batch, content, monotonicMs() - startedMs);
      return rest();
    }
    // Never more of it in doubt than is written once more after a failure (`flushEnd`).
    writeFlushed(file, content, batchBytesMax).then(
      () => {
        turnMs = monotonicMs();
        // Through the thread pool a flush takes about twice as long: count half, to compare it with a blocking one.
        settle(batch, content, (turnMs - startedMs) / 2);
        // Twice: streams collect what they append in the same way.
        if (failure === undefined) afterAnswers(() => afterAnswers(pump));
      },
      (error: unknown) => fail(ioError(error, 'appending', path, true), batch),
    );
  };

  const settle = (batch: Batch, content: Buffer, tookMs: number): void => {
    // Capped, so that one slow flush among fast ones changes nothing.
    recentMs += (Math.min(tookMs, 2 * blockBelowMs) - recentMs) * newestWeight;
    const held = isHeld();
    if (held === 'stale') {
      return fail(staleEpoch(run, epoch), batch);
    }
    if (held === 'gone') {
      return fail(
        new TroupeError(
          'JOURNAL_IO',
          `ENOENT: the folder of run \`${run}\` was removed while it was written to (${path}).`,
          { errno: 'ENOENT', path, mayBeOnDisk: false },
        ),
        batch,
      );
    }
    bytes += content.length;
    if (crc !== undefined) crc = crcOf(content, crc);
    loneFlushes = batch.waiting.length === 1 ? loneFlushes + 1 : 0;
    for (const { state: stream, entries, resolve } of batch.waiting) {
      stream.durableSeq += entries.length;
      entryCount += entries.length;
      resolve(entries);
    }
  };

  const rest = (): void => {
    isBusy = false;
    for (const call of whenIdle.splice(0)) call();
  };

  const fail = (error: TroupeError, batch: Batch): void => {
    const waiting = batches.flatMap((other) => other.waiting);
    batches = [];
    failure =
      error.details['mayBeOnDisk'] === true
        ? new TroupeError(
            'JOURNAL_IO',
            `An earlier append failed; nothing was written. (${error.message})`,
            { ...error.details, mayBeOnDisk: false },
            error,
          )
        : error;
    for (const { reject } of batch.waiting) reject(error);
    for (const { reject } of waiting) reject(failure);
    rest();
  };

  const enqueue = (state: StreamState, entries: readonly Entry[], text: string): Promise<readonly Entry[]> =>
    new Promise((resolve, reject) => {
      let batch = batches.at(-1);
      if (batch === undefined || batch.text.length >= batchBytesMax || batch.waiting.length >= batchAppendsMax) {
        batches.push((batch = { text: '', waiting: [] }));
      }
      batch.text += text;
      batch.waiting.push({ state, entries, resolve, reject });
      if (isBusy) return;
      (isAlone() ? flushAtOnce : schedule)();
    });

  const append = (stream: string, expectedSeq: number, events: readonly JournalEvent[]): Promise<readonly Entry[]> => {
    if (failure !== undefined) return Promise.reject(failure);
    const known = streams.get(stream);
    const actual = known?.seq ?? 0;
    if (expectedSeq !== actual) {
      return Promise.reject(
        new TroupeError('SEQ_CONFLICT', `Stream \`${stream}\` stands at seq ${actual}, not at ${expectedSeq}.`, {
          stream,
          expected: expectedSeq,
          actual,
        }),
      );
    }
    const state = known ?? { prefix: linePrefix(stream), seq: 0, durableSeq: 0 };
    const entries: Entry[] = [];
    let text = '';
    let seq = actual;
    const last = events.length - 1;
    try {
      if (known === undefined) checkStream(stream);
      for (let index = 0; index <= last; index++) {
        const event = events[index];
        if (event === undefined) continue;
        const { at, type, data, fold } = event;
        text += encodeEntry(state.prefix, ++seq, epoch, event, index < last, entryBytesMax);
        entries.push(
          fold === undefined
            ? { v: entryVersion, stream, seq, at, type, data, epoch }
            : { v: entryVersion, stream, seq, at, type, data, fold, epoch },
        );
      }
    } catch (error) {
      return Promise.reject(error);
    }
    if (entries.length === 0) return Promise.resolve(entries);
    state.seq = seq;
    if (known === undefined) streams.set(stream, state);
    return enqueue(state, entries, text);
  };

  const state = (): LogState => {
    const heads = new Map<string, number>();
    for (const [stream, { durableSeq }] of streams) if (durableSeq > 0) heads.set(stream, durableSeq);
    return { segment, bytes, entries: entryCount, heads };
  };

  const idle = (): Promise<void> => (isBusy ? new Promise((resolve) => whenIdle.push(resolve)) : Promise.resolve());

  return {
    append,
    durable: () => ({ segment, bytes, crc, entries: entryCount }),
    heads: () => state().heads,
    durableSeq: (stream) => streams.get(stream)?.durableSeq ?? 0,
    failure: () => failure,
    async close() {
      await idle();
      await file.close();
    },
  };
}
