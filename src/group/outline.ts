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
  let before: Written = { entries: [], stretches: [], learned: { underWay: [], failures: [] }, versions: [] };
  const since: Entry[] = [];

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
      before = data as unknown as Written;
      const stretches = new Map<number, Stretch>();
      for (const [index, from, to, at, streams] of before.stretches)
        stretches.set(index, { at, streams, entries: async () => (await readAll()).slice(from, to) });
      return { ...before, stretches };
    },
    /** The outline of everything so far; undefined when it would be hardly shorter than the log. */
    outline(learned: Learned | undefined, versions: readonly Entry[]): Outline | undefined {
      if (learned === undefined) return undefined;
      const entries: Entry[] = [...before.entries];
      const stretches: WrittenStretch[] = [...before.stretches];
      const met = new Set(entries.map(({ stream }) => stream));
      let seen = entries.length + stretches.reduce((sum, [, from, to]) => sum + to - from, 0);
      for (const entry of since) {
        const place = seen;
        seen += 1;
        // The first of a stream is what the process has its group open by.
        if (!met.has(entry.stream) || !isOthers(entry)) {
          met.add(entry.stream);
          entries.push(plain(entry));
          continue;
        }
        const last = stretches.at(-1);
        const [index, from, , at, streams] =
          last?.[0] === entries.length ? (stretches.pop() ?? last) : [entries.length, place, place, 0, []];
        const names = streams.includes(entry.stream) ? streams : [...streams, entry.stream];
        stretches.push([index, from, place + 1, Math.max(at, entry.at), names]);
      }
      if (seen < entriesMin || (entries.length + stretches.length + versions.length) * 2 > seen) return undefined;
      const written: Written = { entries, stretches, learned, versions: versions.map(plain) };
      return { maker: outlineMaker, data: written as unknown as JsonValue };
    },
  };
}
