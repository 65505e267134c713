/** Causes of all entries of a run, packed: a run of a million entries has two million of them. */
import type { Cause } from './model.ts';

/** Causes by position. */
export interface CauseStore {
  /** Takes the causes of the next position; the first is 1. */
  push(causes: readonly Cause[]): void;
  /** Those of a position; none for one that is not there. */
  at(position: number): readonly Cause[];
}

/** An empty store. */
export function causeStore(): CauseStore {
  /** Where the causes of each position end, from position 0 on. */
  let ends = new Uint32Array(1_024);
  let positions = new Uint32Array(2_048);
  let whys = new Uint8Array(2_048);
  let length = 0;
  let used = 0;
  const words: string[] = [];
  const codes = new Map<string, number>();
  const codeOf = (why: string): number => {
    const known = codes.get(why);
    if (known !== undefined) return known;
    codes.set(why, words.length);
    words.push(why);
    return words.length - 1;
  };
  return {
    push(causes) {
      length += 1;
      if (length >= ends.length) ends = grown(ends, new Uint32Array(ends.length * 2));
      while (used + causes.length > positions.length) {
        positions = grown(positions, new Uint32Array(positions.length * 2));
        whys = grown(whys, new Uint8Array(whys.length * 2));
      }
      for (const { position, why } of causes) {
        positions[used] = position;
        whys[used] = codeOf(why);
        used += 1;
      }
      ends[length] = used;
    },
    at(position) {
      if (position < 1 || position > length) return [];
      const found: Cause[] = [];
      for (let index = ends[position - 1] ?? 0; index < (ends[position] ?? 0); index += 1)
        found.push({ position: positions[index] ?? 0, why: words[whys[index] ?? 0] ?? '' });
      return found;
    },
  };
}

function grown<Numbers extends Uint8Array | Uint32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}
