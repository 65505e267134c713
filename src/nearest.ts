/** Names like the one that was meant: for errors that teach. */

/** Edit distance (Levenshtein 1966), given up above `max`. */
function distance(one: string, other: string, max: number): number {
  if (Math.abs(one.length - other.length) > max) return max + 1;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const substitution = (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[other.length] as number;
}

/** Up to three of `names` that are near `name`, nearest first. */
export function nearest(name: string, names: readonly string[]): readonly string[] {
  const max = Math.max(2, Math.floor(name.length / 3));
  return names
    .slice(0, 1_000)
    .map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase(), max) }))
    .filter(({ far }) => far <= max)
    .toSorted((one, two) => one.far - two.far)
    .slice(0, 3)
    .map(({ other }) => other);
}
