/** A journal's entries by their position in the run. Small runs are held; of large ones the stretches looked at last. */
import type { Entry, Journal } from '../journal/port.ts';
import { plainEntry } from '../journal/lazy.ts';
import type { EntrySource } from './recording.ts';

/** Entries that are held at most; further ones are read again when they are looked at. */
const heldMax = 150_000;
/** Of a larger run the newest entries are held besides, at least so many: a run that is being read, or is running, is looked at there. */
const newestMin = 10_000;
/** Entries of one stretch that is read again, and how many such are kept. */
const stretch = 5_000;
const stretchesMax = 8;

/** A source that is filled as entries come by. */
export interface JournalSource extends EntrySource {
  /** Takes the next entries, in journal order. */
  add(entries: readonly Entry[]): void;
}

/** Entries of `journal`; what was {@link JournalSource.add}ed can be read. */
export function journalSource(journal: Pick<Journal, 'read'>): JournalSource {
  const held: Entry[] = [];
  let length = 0;
  let newest: Entry[] = [];
  /** By index of the stretch, the one used last at the end. */
  const stretches = new Map<number, readonly Entry[]>();

  const load = async (index: number): Promise<readonly Entry[]> => {
    const first = index * stretch;
    const found: Entry[] = [];
    let position = 0;
    for await (const entries of journal.read(undefined, 1, { isLazy: true })) {
      const from = Math.max(0, first - position);
      if (from < entries.length)
        for (const entry of entries.slice(from, from + stretch - found.length)) found.push(plainEntry(entry));
      position += entries.length;
      if (found.length >= stretch) break;
    }
    return found;
  };
  const stretchAt = async (index: number): Promise<readonly Entry[]> => {
    const known = stretches.get(index) ?? (await load(index));
    stretches.delete(index);
    stretches.set(index, known);
    for (const oldest of stretches.keys()) {
      if (stretches.size <= stretchesMax) break;
      stretches.delete(oldest);
    }
    return known;
  };

  return {
    add(entries) {
      length += entries.length;
      for (const entry of entries) {
        if (held.length < heldMax) held.push(entry);
        else newest.push(entry);
      }
      if (newest.length > 2 * newestMin) newest = newest.slice(-newestMin);
      // A stretch that was read while it was the last one may have grown.
      for (const [index, known] of stretches) if (known.length < stretch) stretches.delete(index);
    },
    async read(from, count) {
      const last = Math.min(from + count - 1, length);
      if (last <= held.length) return held.slice(from - 1, last);
      const newestFrom = length - newest.length + 1;
      if (from >= newestFrom) return newest.slice(from - newestFrom, last - newestFrom + 1);
      const found: Entry[] = [];
      for (let index = Math.floor((from - 1) / stretch); index * stretch < last; index += 1) {
        const entries = await stretchAt(index);
        const first = index * stretch;
        for (const entry of entries.slice(Math.max(0, from - 1 - first), last - first)) found.push(entry);
      }
      return found;
    },
  };
}
