/**
 * Symmetry: of all ways in which actors can change places, the least vector stands for the state. Renaming goes through the whole of
 * it (local states, messages, history), so that the form is canonical: as many keys as there are orbits.
 */
import { TroupeError } from '../../error.ts';
import { canonical, setOwn, type JsonValue } from '../../json.ts';
import { finish, mix, Sequences } from '../engine/sequences.ts';
import type { Texts } from '../kernel/texts.ts';

/** Ways in which ids may change places; the first changes nothing. */
export type Renaming = ReadonlyMap<string, string>;

const renamingsMax = 5_040;

/** All renamings of these groups of ids. Code: BAD_INPUT. */
export function renamingsOf(groups: readonly (readonly string[])[], known: readonly string[]): readonly Renaming[] {
  let renamings: Renaming[] = [new Map()];
  const twice = groups.flat().find((id, place, all) => all.indexOf(id) !== place);
  if (twice !== undefined)
    throw new TroupeError('BAD_INPUT', `symmetry: expected each id once, in one set, got \`${twice}\` twice`);
  for (const group of groups) {
    const strangers = group.filter((id) => !known.includes(id));
    if (strangers.length > 0)
      throw new TroupeError('BAD_INPUT', `symmetry: expected ids of ${known.join(', ')}, got ${group.join(', ')}`);
    renamings = renamings.flatMap((one) =>
      permutations(group).map(
        (other) => new Map([...one, ...group.map((id, place) => [id, other[place] as string] as const)]),
      ),
    );
    if (renamings.length > renamingsMax)
      throw new TroupeError(
        'BAD_INPUT',
        `symmetry: expected at most ${renamingsMax} ways to change places, got ${renamings.length} or more`,
      );
  }
  return renamings;
}

function permutations(items: readonly string[]): readonly (readonly string[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

/** Data with the ids in it renamed, in values and in keys. */
export function renamed(value: JsonValue, renaming: Renaming): JsonValue {
  if (typeof value === 'string') return renameText(value, renaming);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => renamed(item, renaming));
  const copy: Record<string, JsonValue> = {};
  for (const [key, item] of Object.entries(value))
    setOwn(copy, renameText(key, renaming), renamed(item as JsonValue, renaming));
  return copy;
}

/**
 * A text with the ids in it renamed, wherever no letter or digit stands beside them: an id, an address, and what is made of one, `lease a`,
 * `a/undo`. What would keep its old name, while all else is renamed, could make two states one that are not alike.
 */
export function renameText(text: string, renaming: Renaming): string {
  return renaming.get(text) ?? text.replace(idsIn(renaming), (id) => renaming.get(id) ?? id);
}

const patterns = new WeakMap<Renaming, RegExp>();

function idsIn(renaming: Renaming): RegExp {
  const known = patterns.get(renaming);
  if (known !== undefined) return known;
  // The longest first: one id may be a part of another.
  const ids = [...renaming.keys()].sort((a, b) => b.length - a.length);
  const escaped = ids.map((id) => id.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join('|')})(?![\\p{L}\\p{N}])`, 'gu');
  patterns.set(renaming, pattern);
  return pattern;
}

/** Numbers of one kind of thing under each renaming. */
export class Renamer {
  private readonly memo: (Int32Array | undefined)[] = [];
  private readonly count: number;
  private readonly work: (id: number, which: number) => number;

  constructor(count: number, work: (id: number, which: number) => number) {
    this.count = count;
    this.work = work;
  }

  of(id: number, which: number): number {
    const row = (this.memo[id] ??= new Int32Array(this.count).fill(-1));
    let found = row[which] as number;
    if (found < 0) row[which] = found = this.work(id, which);
    return found;
  }
}

/** Renames texts of JSON. */
export function textRenamer(texts: Texts, names: Texts, renamings: readonly Renaming[]): Renamer {
  return new Renamer(renamings.length, (id, which) =>
    names.idOf(canonical(renamed(JSON.parse(texts.textOf(id)) as JsonValue, renamings[which] as Renaming))),
  );
}

/** Renames lists of numbers, each item by `rename`; `arrange` puts a renamed list into canonical order. */
export function listRenamer(
  lists: Sequences,
  rename: (item: number, which: number) => number,
  arrange: (items: number[]) => void,
  count: number,
): Renamer {
  const arranged = new Sequences();
  return new Renamer(count, (id, which) => {
    const items = Array.from(lists.read(id), (item) => rename(item, which));
    arrange(items);
    return arranged.idOf(items);
  });
}

/** What a vector comes to under each renaming. */
export interface Images {
  /** Writes the least of those of `vector`. */
  least(vector: Int32Array, key: Int32Array): void;
  /** One renaming for each image that is another than `vector` itself: members that do the same change places without a difference. */
  others(vector: Int32Array): readonly number[];
}

/** By `image`, which writes what a vector comes to under a renaming, and is the vector's own for 0. */
export function imagesOf(count: number, image: (vector: Int32Array, which: number, into: Int32Array) => void): Images {
  let candidate = new Int32Array(0);
  const imageOf = (vector: Int32Array, which: number): Int32Array => {
    if (candidate.length !== vector.length) candidate = new Int32Array(vector.length);
    image(vector, which, candidate);
    return candidate;
  };
  return {
    least(vector, key) {
      for (let which = 0; which < count; which += 1) {
        const made = imageOf(vector, which);
        if (which === 0 || isLess(made, key, vector.length)) key.set(made);
      }
    },
    others(vector) {
      const met = new Map<number, Int32Array[]>();
      const found: number[] = [];
      for (let which = 0; which < count; which += 1) {
        const made = imageOf(vector, which);
        const hash = finish(made.reduce(mix, 0));
        const alike = met.get(hash) ?? [];
        if (alike.some((other) => made.every((value, index) => value === other[index]))) continue;
        met.set(hash, [...alike, made.slice()]);
        if (which > 0) found.push(which);
      }
      return found;
    },
  };
}

/** Is vector `a` before `b`, in the order of their first difference? */
function isLess(a: Int32Array, b: Int32Array, width: number): boolean {
  for (let index = 0; index < width; index += 1) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
