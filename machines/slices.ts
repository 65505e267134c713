/** Long lists in contexts, kept in slices: adding one copies a slice and not all, so that 10,000 members stay linear. */

/** A list in slices; plain JSON. */
export type Slices<Item> = readonly (readonly Item[])[];

const sliceLength = 128;

/** The list with one more at its end. */
export function added<Item>(slices: Slices<Item>, item: Item): Slices<Item> {
  const last = slices.at(-1);
  if (last === undefined || last.length === sliceLength) return [...slices, [item]];
  return [...slices.slice(0, -1), [...last, item]];
}

/** The whole list. */
export function listOf<Item>(slices: Slices<Item>): readonly Item[] {
  return slices.flat();
}
