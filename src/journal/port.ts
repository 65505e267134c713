/**
 * The journal port: remembering. A journal belongs to one run and holds several streams; order in a
 * stream is decided in one place, `append` (G3). Every implementation passes `conformance.ts`.
 */
import type { TroupeError } from '../error.ts';
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
  /**
   * Calls back, at most once, when it shows without an append that another host has taken the run (EPOCH_STALE), or that
   * what was acknowledged is there no more (JOURNAL_CORRUPT): a holder that writes nothing for long is to stop all the same. Optional: the next append tells in any case.
   */
  onLost?(callback: (error: TroupeError) => void): void;
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

/** What somebody has made of all of a log's entries up to some place: a cache of the log, as a snapshot is one of a stream (G9). */
export interface Outline {
  /** What made it: another maker's outline is ignored. */
  readonly maker: string;
  readonly data: JsonValue;
}

/** An outline, and how to go on from there. */
export interface Outlined {
  readonly data: JsonValue;
  /** Of how many entries it is. */
  readonly entries: number;
  /** Last seq of every stream. */
  readonly heads: ReadonlyMap<string, number>;
  rest(): AsyncIterable<readonly Entry[]>;
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

/** Of a run that began as a copy of another one: its first `at` entries are those of run `from`. */
export interface Origin {
  readonly from: string;
  readonly at: number;
}

/** A new run made of another one's first entries. */
export interface Fork {
  /** Id of the new run. */
  readonly as: string;
  readonly from: string;
  /** The position that was asked for. */
  readonly at: number;
  /** How many entries it has: `at`, or fewer where an append of several is cut: it is copied whole or not at all. */
  readonly entries: number;
}

/** A run in one file. */
export interface Archive {
  readonly run: string;
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Files in it. */
  readonly files: number;
}

/** One run's journal. Reading needs no lease; appending does. */
export interface Journal {
  readonly run: string;
  /** What the run was forked from; undefined for one that began by itself. */
  readonly origin?: Origin | undefined;
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
   * when `stream` is undefined. Ends at the journal's end as of now. `isLazy`: a journal may parse an entry's data when it is first looked
   * at; such an entry must not be spread. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT, JOURNAL_IO.
   */
  read(stream?: string, fromSeq?: number, options?: { readonly isLazy?: boolean }): AsyncIterable<readonly Entry[]>;
  /**
   * Writes a snapshot beside the log; older ones of the stream may be dropped. Its data is the journal's from then on: it must not be changed any more.
   * Failing is harmless: it resolves to false.
   */
  saveSnapshot(snapshot: Snapshot): Promise<boolean>;
  /** The newest intact snapshot of `stream` by `maker`, not beyond the log's end; undefined when there is none. */
  loadSnapshot(stream: string, maker: string): Promise<Snapshot | undefined>;
  /**
   * What `maker` made of the log as it was when the run was last given back, the last seq of every stream there, and the entries behind it
   * (in batches, their data parsed when it is first looked at). To be asked for between the lease and the first read or append. Optional;
   * undefined when there is none. Codes of `rest`: those of `read`.
   */
  outline?(maker: string): Outlined | undefined;
  /**
   * Keeps an outline of the log's first `entries` entries, if those are all that are durable now; else it is not made. The newest one that
   * was kept is there after a crash too, most likely: it is not flushed. Optional.
   */
  keepOutline?(entries: number, make: () => Outline | undefined): void;
  /** What was found and mended so far, in order. */
  notices(): readonly JournalNotice[];
  /**
   * Where a side file (a harness's output) of this name is to be written; undefined when the journal has no files. Creates its folder. An
   * event refers to a side file by a member `outputFile` of its data: a fork that copies the event keeps the file.
   */
  sideFile(name: string): Promise<string | undefined>;
  /** Waits for appends under way, releases the lease, closes files. Safe to call twice. */
  close(): Promise<void>;
}

/** All runs of one place: a data folder, or this process's memory. */
export interface JournalStore {
  /** Opens a run's journal. With `create: true` RUN_EXISTS when there is one; else RUN_UNKNOWN when there is none. */
  open(run: string, options?: { readonly create?: boolean }): Promise<Journal>;
  /** Ids of all runs here, oldest first, those that cannot be read included. Codes: JOURNAL_IO. */
  list(): Promise<readonly string[]>;
  /**
   * Makes run `as` of the first `at` entries of run `from`, counted over all streams in journal order, from 1. Takes no lease: beside a
   * living host it copies what is there. Durable when it resolves; before, there is no run `as`. The copy has the lease free, and nothing
   * appended. Optional. Codes: BAD_INPUT (nothing at `at`; the message says the range), RUN_UNKNOWN, RUN_EXISTS,
   * JOURNAL_CORRUPT (only for damage at or before `at`), JOURNAL_FORMAT, JOURNAL_IO.
   */
  fork?(from: string, options: { readonly at: number; readonly as: string }): Promise<Fork>;
  /** Removes a run for good; readers see it wholly or not at all. Optional. Codes: RUN_BUSY while a living host holds it, RUN_UNKNOWN, JOURNAL_IO. */
  remove?(run: string): Promise<void>;
  /**
   * Writes a run into one new file, durable and read again when it resolves, and removes it then if `remove` says so. Optional.
   * Codes: RUN_BUSY while a living host holds it, RUN_UNKNOWN, BAD_INPUT (the file exists, or would be removed with the run), JOURNAL_IO.
   */
  archive?(run: string, file: string, options?: { readonly remove?: boolean }): Promise<Archive>;
  /** Makes a run of what {@link JournalStore.archive} wrote; resolves to its id. Optional. Codes: RUN_EXISTS, JOURNAL_CORRUPT (the file is damaged), BAD_INPUT (it is no archive), JOURNAL_IO. */
  restore?(file: string): Promise<string>;
}
