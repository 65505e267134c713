/**
 * What a host must see of the entries that were recorded before it, kept as the journal's outline (a cache, G9): those that the process
 * is resumed by or may look at, whole; of the many others in between only when the last one was. So a run is taken up without reading its
 * log, except for what came after the outline.
 *
 * Left out are signals and messages that the process did not send itself: nobody waits for them. Should the process wait for one all the
 * same (it sends a signal with an id that an outsider had used), they are read after all.
 */
import type { JsonValue } from '../json.ts';
import type { Entry, Outline } from '../journal/port.ts';
import type { Learned } from './breaker.ts';

/** Entries in a row, of those that the process sees, that are not at hand. */
export interface Stretch {
  /** The latest of their times: ms since 1970. */
  readonly at: number;
  /** Their streams. */
  readonly streams: readonly string[];
  /** Reads them. Codes: those of reading the journal. */
  entries(): Promise<readonly Entry[]>;
}

/** What the process sees of what was recorded, in journal order. */
export interface Recorded {
  readonly entries: readonly Entry[];
  /** What stands before the entry of this index, or at the end, and is not at hand. */
  readonly stretches: ReadonlyMap<number, Stretch>;
}

/** Written form of a {@link Stretch}: the index before which it stands, the places of its entries among all that the process sees, latest time, streams. */
type WrittenStretch = readonly [index: number, from: number, to: number, at: number, streams: readonly string[]];

interface Written {
  readonly entries: readonly Entry[];
  readonly stretches: readonly WrittenStretch[];
  readonly learned: Learned;
  /** Of each group the entry that says which version folds what follows. */
  readonly versions: readonly Entry[];
}

/** Who makes, and may read, these outlines. */
export const outlineMaker = 'host/1';

/** Of fewer entries no outline is made: they are read in no time. */
const entriesMin = 500;

/** True for what nobody waits for, unless by a chance of names: what others than the process have sent. */
export function isOthers({ type, data }: Entry): boolean {
  return (type === 'signal' || type === 'message') && (data as { readonly from: string }).from !== 'process';
}

/** Written: a lazy entry is none of a JSON text. */
const plain = ({ v, stream, seq, at, type, data, epoch }: Entry): Entry => ({ v, stream, seq, at, type, data, epoch });

/** Makes outlines of what the process sees. */
export function outliner() {
  const entries: Entry[] = [];
  const stretches: WrittenStretch[] = [];
  const met = new Set<string>();
  /** How many are outlined, and those that are not yet. */
  let seen = 0;
  let since: Entry[] = [];

  const take = (entry: Entry) => {
    const place = seen;
    seen += 1;
    // The first of a stream is what the process has its group open by.
    if (!met.has(entry.stream) || !isOthers(entry)) {
      met.add(entry.stream);
      entries.push(plain(entry));
      return;
    }
    const isNext = stretches.at(-1)?.[0] === entries.length;
    const [index, from, , at, streams] = (isNext ? stretches.pop() : undefined) ?? [
      entries.length,
      place,
      place,
      0,
      [],
    ];
    const names = streams.includes(entry.stream) ? streams : [...streams, entry.stream];
    stretches.push([index, from, place + 1, Math.max(at, entry.at), names]);
  };

  return {
    /** Takes notice of an entry that the process sees, in journal order. */
    add(entry: Entry): void {
      since.push(entry);
    },
    /** Begins with what an earlier host had kept; `readAll` reads all entries that the process sees, from the first on. */
    restore(
      data: JsonValue,
      readAll: () => Promise<readonly Entry[]>,
    ): Recorded & Pick<Written, 'learned' | 'versions'> {
      // Written by us, guarded by its checksum and maker.
      const written = data as unknown as Written;
      for (const entry of written.entries) {
        entries.push(entry);
        met.add(entry.stream);
      }
      for (const stretch of written.stretches) stretches.push(stretch);
      seen = entries.length;
      const unread = new Map<number, Stretch>();
      for (const [index, from, to, at, streams] of written.stretches) {
        seen += to - from;
        unread.set(index, { at, streams, entries: async () => (await readAll()).slice(from, to) });
      }
      return { ...written, stretches: unread };
    },
    /** The outline of everything so far; undefined when it would be hardly shorter than the log. */
    outline(learned: Learned | undefined, versions: readonly Entry[]): Outline | undefined {
      const news = since;
      since = [];
      for (const entry of news) take(entry);
      const kept = entries.length + stretches.length + versions.length;
      if (learned === undefined || seen < entriesMin || kept * 2 > seen) return undefined;
      // Copies of this moment's: it is written later.
      const written: Written = {
        entries: [...entries],
        stretches: [...stretches],
        learned,
        versions: versions.map(plain),
      };
      return { maker: outlineMaker, data: written as unknown as JsonValue };
    },
  };
}
