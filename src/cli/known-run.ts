/** A run as a program sees it that follows its journal: what is recorded, then what comes. */
import { isTroupeError } from '../error.ts';
import { plainLine } from '../harness/program/last-line.ts';
import type { Outcome } from '../harness/port.ts';
import type { Entry, JournalStore } from '../journal/port.ts';
import { emptyRun, foldRun, type RunView } from '../process/run-view.ts';

/** A view that takes each entry once, wherever it comes from. */
export interface KnownRun {
  readonly view: RunView;
  /** The last line each member is known to have written, by {@link lineKey}; fresher than the ledger's. */
  readonly lines: ReadonlyMap<string, string>;
  /** A member told something that may never be recorded. */
  tell(group: string, member: string, line: string): void;
  /** Folds `entry`; false when it was known already. */
  take(entry: Entry): boolean;
}

/** Names a member among all groups of a run. */
export function lineKey(group: string, member: string): string {
  return `${group}\u0000${member}`;
}

/** A run of which nothing is known. */
export function unknownRun(run: string): KnownRun {
  const view = emptyRun(run);
  const seqs = new Map<string, number>();
  const lines = new Map<string, string>();
  return {
    view,
    lines,
    tell(group, member, line) {
      lines.set(lineKey(group, member), plainLine(line));
    },
    take(entry) {
      if (entry.seq <= (seqs.get(entry.stream) ?? 0)) return false;
      seqs.set(entry.stream, entry.seq);
      foldRun(view, entry);
      const line = lastLineOf(entry);
      if (line !== undefined) lines.set(line.key, line.text);
      return true;
    },
  };
}

/** What an entry says of a member's last line: of its output when it has settled; an attempt begins with none. */
function lastLineOf({ stream, type, data }: Entry): { readonly key: string; readonly text: string } | undefined {
  const { member, outcome, progress } = data as {
    readonly member?: string;
    readonly outcome?: Outcome;
    readonly progress?: { readonly line?: string };
  };
  if (member === undefined) return undefined;
  const key = lineKey(stream.slice('group:'.length), member);
  if (type === 'attempt.started') return { key, text: '' };
  if (type === 'member.progress' && progress?.line !== undefined) return { key, text: plainLine(progress.line) };
  if (type !== 'member.settled' || outcome?.status !== 'ok') return undefined;
  const text = textOf(outcome.output);
  return text === undefined ? undefined : { key, text: plainLine(text.trimEnd().split('\n').at(-1) ?? '') };
}

/** The text of an output: a text, or a command's standard output. */
function textOf(output: unknown): string | undefined {
  if (typeof output === 'string') return output;
  const stdout = typeof output === 'object' && output !== null && 'stdout' in output ? output.stdout : undefined;
  return typeof stdout === 'string' && stdout.trim() !== '' ? stdout : undefined;
}

/** Reads a run's journal; needs no lease. Codes: RUN_UNKNOWN, JOURNAL_CORRUPT, JOURNAL_FORMAT, JOURNAL_IO. */
export async function knownRun(store: JournalStore, run: string): Promise<KnownRun> {
  const known = unknownRun(run);
  const journal = await store.open(run);
  try {
    for await (const entries of journal.read()) for (const entry of entries) known.take(entry);
  } finally {
    await journal.close();
  }
  return known;
}

/** The same, and a run of which nothing is known when there is none of this id. */
export async function knownRunIfAny(store: JournalStore, run: string): Promise<KnownRun> {
  try {
    return await knownRun(store, run);
  } catch (error) {
    if (isTroupeError(error, 'RUN_UNKNOWN')) return unknownRun(run);
    throw error;
  }
}
