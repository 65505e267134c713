/**
 * The journal port: remembering. A journal belongs to one run and holds several streams; order in a
 * stream is decided in one place, `append` (G3). Every implementation passes `conformance.ts`.
 */
import type { JsonValue } from '../json.ts';

/** A fact to be appended; it becomes an {@link Entry} when it is durable. */
export interface JournalEvent {
  /** Past tense, dotted: `member.settled`. */
  readonly type: string;
  /** When it happened, by the host's clock: milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly data: JsonValue;
  /**
   * What the host's fold of this stream had come to when this was written, `<seq>:<digest>`:
   * the proof of G6. At most one per append, on its first event.
   */
  readonly fold?: string;
}

/** An event in its place: durable, never edited. */
export interface Entry extends JournalEvent {
  /** Format version of this entry; entries of older versions are upcast when read. */
  readonly v: number;
  /** `run` for the process itself, `group:<name>` for a group. */
  readonly stream: string;
  /** Place in the stream: 1-based, gapless. */
  readonly seq: number;
  /** Fencing number of the host that wrote it. */
  readonly epoch: number;
}

/** Who holds a run: told to whoever is refused. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the lease was taken: milliseconds since 1970-01-01 UTC. */
  readonly since: number;
}

/** The right to write. Held by one host at a time; `epoch` grows by one with each holder. */
export interface Lease {
  readonly epoch: number;
  /** Whose lease this one replaced because its holder was dead or had expired; undefined after a clean close. */
  readonly takenFrom: Holder | undefined;
  /** Gives the run back. Appends under this epoch are refused afterwards. Safe to call twice. */
  release(): Promise<void>;
}

/** A verified cache of one stream's fold at `seq`; it can always be thrown away (G9). */
export interface Snapshot {
  readonly stream: string;
  readonly seq: number;
  /** What made it (engine and machine version): another maker's snapshot is ignored. */
  readonly maker: string;
  readonly data: JsonValue;
}

/** What opening a journal found and mended or set aside; the host records and shows it. */
export interface JournalNotice {
  readonly kind: 'torn-tail' | 'stale-writes' | 'snapshot-ignored';
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly byte?: number;
  readonly bytes?: number;
}

/** One run's journal. Reading needs no lease; appending does. */
export interface Journal {
  readonly run: string;
  /**
   * Takes the run. RUN_BUSY when a living host holds it (the message says who, since when); a dead
   * holder is taken over at once. The first entry of every epoch is the caller's to write.
   */
  lease(): Promise<Lease>;
  /**
   * Appends all events or none, in order, and resolves when they are durable (survive kill -9 and power loss).
   * `expectedSeq` is the stream's last seq as the caller knows it, 0 for a new stream, counting the
   * caller's own appends still under way.
   * Appends waiting together share one flush. Codes: SEQ_CONFLICT, EPOCH_STALE, ENTRY_TOO_LARGE, JOURNAL_IO, HOST_CLOSED.
   * After JOURNAL_IO or EPOCH_STALE every further append fails the same way.
   */
  append(
    stream: string,
    expectedSeq: number,
    epoch: number,
    events: readonly JournalEvent[],
  ): Promise<readonly Entry[]>;
  /**
   * Durable entries with seq >= `fromSeq` (default 1) in journal order, in batches: of one stream, or of all
   * when `stream` is undefined. Ends at the journal's end as of now. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT, JOURNAL_IO.
   */
  read(stream?: string, fromSeq?: number): AsyncIterable<readonly Entry[]>;
  /** Writes a snapshot beside the log; older ones of the stream may be dropped. Failing is harmless: it resolves to false. */
  saveSnapshot(snapshot: Snapshot): Promise<boolean>;
  /** The newest intact snapshot of `stream` by `maker`, not beyond the log's end; undefined when there is none. */
  loadSnapshot(stream: string, maker: string): Promise<Snapshot | undefined>;
  /** What was found and mended so far, in order. */
  notices(): readonly JournalNotice[];
  /** Where a side file (a harness's output) of this name lives; undefined when the journal has no files. Creates its folder. */
  sideFile(name: string): Promise<string | undefined>;
  /** Waits for appends under way, releases the lease, closes files. Safe to call twice. */
  close(): Promise<void>;
}

/** All runs of one place: a data folder, or this process's memory. */
export interface JournalStore {
  /** Opens a run's journal. With `create: true` RUN_EXISTS when there is one; else RUN_UNKNOWN when there is none. */
  open(run: string, options?: { readonly create?: boolean }): Promise<Journal>;
  /** Ids of all runs here, oldest first. */
  list(): Promise<readonly string[]>;
}
