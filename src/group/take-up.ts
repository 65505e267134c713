/** What was recorded, as a host takes a run up: by the journal's outline where there is one, and by reading the log where there is none. */
import type { Entry, Journal } from '../journal/port.ts';
import type { Learning } from './breaker.ts';
import { streamOf } from './fold.ts';
import type { RecordedGroup } from './group-context.ts';
import { outlineMaker, outliner, type Stretch } from './outline.ts';

/** What taking up needs. */
export interface TakeUpOptions {
  readonly journal: Journal;
  /** Learns from all entries. */
  readonly learned: Learning;
  /** False when every entry must be looked at. */
  readonly mayOutline: boolean;
  /** True for what the driver of the process must see again. */
  isForProcess(entry: Entry): boolean;
  /** Called with each entry of the run's own stream, in order. */
  ofRun(entry: Entry): void;
  /** Called with each entry of the groups that is not outlined, in order. */
  ofGroup(entry: Entry): void;
}

/** A run that was taken up. */
export interface TakenUp {
  /** Entries for the process, in journal order. */
  readonly recorded: readonly Entry[];
  /** What stands before the recorded entry of an index, or behind the last, and is not at hand. */
  readonly stretches: ReadonlyMap<number, Stretch>;
  readonly recordedGroups: ReadonlySet<string>;
  /** What is recorded of a group. */
  group(stream: string): RecordedGroup;
  /** Takes notice of an entry that came since, in journal order. */
  seen(entry: Entry): void;
  /** Leaves the next host an outline. */
  keepOutline(): void;
}

/** Recorded entries kept for groups that the process will open; with more, each group reads its stream again. */
const recordedMax = 200_000;

/** An outline is made after so many entries; it costs as little as reading some tens of them. */
const outlineEvery = 5_000;

/** Takes up what was recorded. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT, JOURNAL_IO. */
export async function takeUp(options: TakeUpOptions): Promise<TakenUp> {
  const { journal, learned, mayOutline, isForProcess, ofRun, ofGroup } = options;
  const groupStart = streamOf('');
  const recorded: Entry[] = [];
  const recordedGroups = new Set<string>();
  // Nobody would ever ask for it: nothing is gathered either.
  const outlines = mayOutline && journal.keepOutline !== undefined ? outliner() : undefined;
  const versions = new Map<string, Entry>();
  const isVersion = ({ seq, type, stream }: Entry) =>
    (seq === 1 || type === 'group.migrated') && stream.startsWith(groupStart);
  let stretches: ReadonlyMap<number, Stretch> = new Map();
  let streams: Map<string, Entry[]> | undefined = new Map();

  let reading: Promise<readonly Entry[]> | undefined;
  const readAll = async (): Promise<readonly Entry[]> => {
    const all: Entry[] = [];
    for await (const entries of journal.read(undefined, 1, { isLazy: true })) all.push(...entries.filter(isForProcess));
    return all;
  };
  const outlined = mayOutline ? journal.outline?.(outlineMaker) : undefined;
  if (outlined !== undefined && outlines !== undefined) {
    const before = outlines.restore(outlined.data, () => (reading ??= readAll()));
    ({ stretches } = before);
    learned.restore(before.learned);
    for (const entry of before.entries) {
      recorded.push(entry);
      if (!entry.stream.startsWith(groupStart)) ofRun(entry);
    }
    for (const entry of before.versions) versions.set(entry.stream, entry);
    for (const stream of outlined.heads.keys())
      if (stream.startsWith(groupStart)) recordedGroups.add(stream.slice(groupStart.length));
  }

  let kept = 0;
  let count = outlined?.entries ?? 0;
  /** Of the entry before: most are of the stream of their neighbours. */
  let stream: string | undefined;
  let isOfGroup = false;
  let known: Entry[] | undefined;
  for await (const entries of outlined?.rest() ?? journal.read(undefined, 1, { isLazy: true })) {
    count += entries.length;
    for (const entry of entries) {
      if (isForProcess(entry)) {
        recorded.push(entry);
        outlines?.add(entry);
      }
      if (entry.stream !== stream) {
        ({ stream } = entry);
        isOfGroup = stream.startsWith(groupStart);
        known = streams?.get(stream);
        if (known === undefined && isOfGroup) streams?.set(stream, (known = []));
      }
      if (!isOfGroup) {
        ofRun(entry);
        continue;
      }
      learned.take(entry);
      ofGroup(entry);
      if (entry.seq === 1) recordedGroups.add(stream.slice(groupStart.length));
      if (isVersion(entry)) versions.set(stream, entry);
      if (streams === undefined) continue;
      known?.push(entry);
      kept += 1;
      if (kept > recordedMax) streams = undefined;
    }
  }

  /** Streams that were read before: they are not held twice as long. */
  const given = new Set<string>();
  async function* read(stream: string, fromSeq: number): AsyncIterable<readonly Entry[]> {
    const outlinedTo = outlined?.heads.get(stream) ?? 0;
    if (streams !== undefined && fromSeq > outlinedTo && !given.has(stream)) {
      const entries = streams.get(stream) ?? [];
      streams.delete(stream);
      given.add(stream);
      yield fromSeq === outlinedTo + 1 ? entries : entries.filter(({ seq }) => seq >= fromSeq);
    } else if (recordedGroups.has(stream.slice(groupStart.length))) {
      yield* journal.read(stream, fromSeq, { isLazy: true });
    }
  }

  let outlinedAt = count;
  const keepOutline = () => {
    if (outlines !== undefined)
      journal.keepOutline?.(count, () => {
        outlinedAt = count;
        return outlines.outline(learned.learned(), [...versions.values()]);
      });
  };

  /** Streams of groups that have ended; most runs are never asked. */
  let endedStreams: ReadonlySet<string> | undefined;
  const hasEnded = (name: string) => {
    endedStreams ??= new Set(recorded.filter(({ type }) => type === 'group.ended').map((entry) => entry.stream));
    return endedStreams.has(name);
  };

  return {
    recorded,
    stretches,
    recordedGroups,
    group: (name) => ({
      version: versions.get(name),
      hasEnded: () => hasEnded(name),
      read: (fromSeq) => read(name, fromSeq),
    }),
    seen(entry) {
      count += 1;
      if (isForProcess(entry)) outlines?.add(entry);
      if (isVersion(entry)) versions.set(entry.stream, entry);
      if (count >= outlinedAt + outlineEvery) keepOutline();
    },
    keepOutline,
  };
}
