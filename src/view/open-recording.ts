/** Opening a run to look at it: its entries, its machines where they can be found, and what comes while it runs. */
import { TroupeError } from '../error.ts';
import type { Definition } from '../group/definition.ts';
import { plainEntry } from '../journal/lazy.ts';
import type { Entry, Journal } from '../journal/port.ts';
import type { Process } from '../process/define-process.ts';
import { bookAll } from '../process/fold-all.ts';
import { replayRun } from '../process/replay.ts';
import { journalSource } from './entry-source.ts';
import { recording, type Recording } from './recording.ts';

/** How often the beginning of a run is replayed for the machines of new groups, before all of it is. */
const prefixesMax = 4;

/** What {@link openRecording} needs. */
export interface OpenRecording {
  readonly journal: Journal;
  /** The process that composed the run; without it groups are shown without their machines. */
  readonly process?: Process<never, unknown> | undefined;
  readonly keyframeEvery?: number;
  /** Changes when there is more to read: the sizes of files. Without it the journal is read to find out. */
  sizeOf?(): Promise<string>;
  /** Called as entries are read, with how many there are. */
  onProgress?(entries: number): void;
}

/** A run that is open for viewing. */
export interface OpenedRecording {
  readonly recording: Recording;
  /** Reads what has come since. Resolves to how many entries that were. Codes: JOURNAL_CORRUPT, JOURNAL_IO, RUN_UNKNOWN. */
  refresh(): Promise<number>;
  /** The whole entry at a position; undefined when there is none. */
  entryAt(position: number): Promise<Entry | undefined>;
  /** How the run stands at its end. */
  status(): string;
  /** Why machines are not shown, if they are not. */
  readonly notices: readonly string[];
}

/**
 * Prepares a recording; nothing is read before {@link OpenedRecording.refresh}. Takes no lease and writes nothing, so that it may stand
 * beside a running host.
 */
export function openRecording({ journal, process, onProgress, sizeOf, ...options }: OpenRecording): OpenedRecording {
  const source = journalSource(journal);
  const definitions = new Map<string, Definition>();
  const unknown = new Set<string>();
  const notices: string[] = [];
  const view = recording({
    id: journal.run,
    source,
    definitionOf: (group) => definitions.get(group),
    ...options,
  });

  /** Said once, though each new group has it said. */
  const note = (why: string) => {
    const notice = `machines are not shown: ${why}`;
    if (!notices.includes(notice)) notices.push(notice);
  };

  let learned = 0;
  const soFar = async function* () {
    yield await source.read(1, Number.MAX_SAFE_INTEGER);
  };

  /** Names machines by a replay of what `read` gives; false when it does not come through, unless that is all there is. */
  const name = async (read: Journal['read'], process: Process<never, unknown>): Promise<boolean> => {
    try {
      for (const { name: group, fold } of await replayRun({ ...journal, run: journal.run, read }, process, bookAll))
        definitions.set(group, fold.definition);
      return true;
    } catch (error) {
      if (read !== soFar) throw error;
      return false;
    }
  };

  /** Machines of groups that are new; a replay of what is recorded names them. */
  const learn = async (entries: readonly Entry[]): Promise<void> => {
    const created = entries.flatMap(({ type, data }) =>
      type === 'group.created' ? [(data as { readonly name: string }).name] : [],
    );
    const missing = created.filter((name) => !definitions.has(name) && !unknown.has(name));
    if (missing.length === 0) return;
    if (process === undefined) note('no process file was found for this run');
    else {
      learned += 1;
      try {
        // A group is opened because of what stands before it: mostly that is enough. With many groups, all at once is less.
        if (learned > prefixesMax || !(await name(soFar, process))) await name(journal.read.bind(journal), process);
      } catch (error) {
        note(error instanceof Error ? error.message : String(error));
      }
    }
    for (const name of missing) if (!definitions.has(name)) unknown.add(name);
  };

  /** The run's first entry as text: whoever removed it and began another of its name has another one. */
  let beginning: string | undefined;
  const checkSame = (first: Entry) => {
    const text = JSON.stringify(plainEntry(first));
    beginning ??= text;
    if (text !== beginning)
      throw new TroupeError(
        'RUN_UNKNOWN',
        `The run \`${journal.run}\` that was opened here has been removed, and another one of its name begun: open that one anew.`,
      );
  };

  let refreshing: Promise<number> | undefined;
  let size: string | undefined;
  const refresh = async (): Promise<number> => {
    const before = await sizeOf?.();
    if (before !== undefined && before === size) return 0;
    let seen = 0;
    let added = 0;
    for await (const batch of journal.read(undefined, 1, { isLazy: true })) {
      if (seen === 0 && batch[0] !== undefined) checkSame(batch[0]);
      const known = view.length;
      const fresh = batch.slice(Math.max(0, Math.min(batch.length, known - seen))).map(plainEntry);
      seen += batch.length;
      if (fresh.length === 0) continue;
      source.add(fresh);
      await learn(fresh);
      view.add(fresh);
      added += fresh.length;
      onProgress?.(view.length);
    }
    // What came while it was read is found by the next look.
    size = before;
    return added;
  };

  return {
    recording: view,
    notices,
    // One at a time: whoever asks while it is under way gets the same.
    refresh() {
      refreshing ??= refresh().finally(() => {
        refreshing = undefined;
      });
      return refreshing;
    },
    status: () => view.last().run.status,
    async entryAt(position) {
      const [entry] = position >= 1 ? await source.read(position, 1) : [];
      return entry;
    },
  };
}
