/**
 * Proving a journal: checksums and sequence (by reading it), then per group: full replay = recorded digests, and
 * newest snapshot + tail = full replay.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import { groupFold, snapshotMaker, type GroupFold } from '../group/fold.ts';
import { digest } from '../group/system.ts';
import type { Entry, Journal, JournalStore, Snapshot } from '../journal/port.ts';
import { readRun } from './cancel.ts';
import type { Process } from './define-process.ts';
import type { Replayed } from './fold-all.ts';
import { replayRun } from './replay.ts';

/** What was proven of one group. */
export interface GroupCheck {
  readonly name: string;
  readonly entries: number;
  /** Recorded digests that the replay met. */
  readonly digests: number;
  /** Entries that could only be read: the machine that wrote them is an older version and not at hand. */
  readonly booked: number;
  /** Seq of the snapshot that was compared; undefined when there was none, or only one that a living host left meanwhile. */
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
  const journal = await options.store.open(options.run);
  try {
    const view = await readRun(journal);
    const replayed = await replayRun(journal, options.process);
    const groups: GroupCheck[] = [];
    for (const group of replayed) groups.push(await checkGroup(journal, group));
    return { run: options.run, entries: view.entries, groups };
  } finally {
    await journal.close();
  }
}

async function checkGroup(journal: Journal, { name, fold, entries, digests, booked }: Replayed): Promise<GroupCheck> {
  const full = fold.system === undefined ? '' : digest(fold.system);
  const newest = await journal.loadSnapshot(fold.stream, snapshotMaker(fold.definition));
  // A living host may have gone on since the entries were read, and left a snapshot of what is not among them.
  const snapshot = newest !== undefined && newest.seq <= (entries.at(-1)?.seq ?? 0) ? newest : undefined;
  if (snapshot !== undefined) {
    const found = foldedFrom(snapshot, fold, name, entries);
    if (found !== full) {
      throw new TroupeError(
        'NONDETERMINISM',
        `group \`${name}\`: the snapshot at entry ${snapshot.seq} and its tail fold to ${found}, a full replay to ${full}. The snapshot can be deleted; the journal is enough.`,
        { stream: fold.stream, seq: snapshot.seq, expected: full, found },
      );
    }
  }
  return { name, entries: entries.length, digests, booked, snapshotSeq: snapshot?.seq, digest: full };
}

/** What a snapshot and its tail come to; told, not thrown, where the tail is not its own: the full replay has met every digest. */
function foldedFrom(snapshot: Snapshot, { definition }: GroupFold, name: string, entries: readonly Entry[]): string {
  const resumed = groupFold(definition, name, { snapshot });
  try {
    for (const entry of entries) if (entry.seq > snapshot.seq) resumed.apply(entry);
  } catch (error) {
    if (!isTroupeError(error, 'NONDETERMINISM')) throw error;
    return `${String(error.details['found'])} at entry ${String(error.details['seq'])}`;
  }
  return resumed.system === undefined ? '' : digest(resumed.system);
}
