/** Proving a journal: checksums and sequence (by reading it), full replay = snapshot + tail = recorded digests. */
import type { JournalStore } from '../journal/port.ts';
import type { Process } from './define-process.ts';

/** What was proven of one group. */
export interface GroupCheck {
  readonly name: string;
  readonly entries: number;
  /** Recorded digests that the replay met. */
  readonly digests: number;
  /** Seq of the snapshot that was compared; undefined when there was none. */
  readonly snapshotSeq: number | undefined;
  /** Digest of the whole fold. */
  readonly digest: string;
}

/** What was proven of a run. */
export interface RunCheck {
  readonly run: string;
  readonly entries: number;
  readonly groups: readonly GroupCheck[];
}

/**
 * Verifies a run without taking its lease. Resolves when everything holds. Codes: RUN_UNKNOWN, JOURNAL_CORRUPT, JOURNAL_FORMAT,
 * JOURNAL_IO, NONDETERMINISM, GROUP_MISMATCH, PROCESS_INVALID.
 */
export async function verifyRun(options: {
  readonly store: JournalStore;
  readonly run: string;
  readonly process: Process<never, unknown>;
}): Promise<RunCheck> {
  throw new Error(`not built yet: ${options.run}`);
}
