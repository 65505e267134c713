/**
 * Where the rows of a list stand in a box that scrolls over it. Browsers do not scroll boxes of any height: in that of a very long list a
 * pixel is more than a pixel of rows, from the first row, at its top, to the last one, at its bottom. Without the browser, so that it is
 * tested without one.
 */

/** Height of a row, px. */
export const rowHeight = 22;
/** Tallest list that browsers scroll well, px. */
export const heightMax = 8_000_000;
/** Rows drawn above those in sight, and below. */
const beyond = 5;

/** A list as the box shows it. */
export interface LongList {
  /** Height of what is scrolled over, px. */
  readonly height: number;
  /** Rows that are drawn, `last` excluded. */
  readonly first: number;
  readonly last: number;
  /** Where the first of them stands in what is scrolled over, px. */
  readonly offset: number;
  /** Where to scroll to for `row` to be in sight; undefined when it is. */
  topFor(row: number): number | undefined;
}

/** A list of `length` rows in a box of `size` px that is scrolled to `top`. */
export function longList({
  length,
  size,
  top,
}: {
  readonly length: number;
  readonly size: number;
  readonly top: number;
}): LongList {
  const all = length * rowHeight;
  const height = Math.min(heightMax, all);
  // Ends meet: scrolled as far as it goes, the last row is at the bottom.
  const scale = height < all ? (all - size) / (height - size) : 1;
  const rowsTop = top * scale;
  const first = Math.max(0, Math.floor(rowsTop / rowHeight) - beyond);
  return {
    height,
    first,
    last: Math.min(length, first + Math.ceil(size / rowHeight) + 2 * beyond),
    offset: top + first * rowHeight - rowsTop,
    topFor(row) {
      const at = row * rowHeight;
      if (at >= rowsTop && at <= rowsTop + size - rowHeight * 2) return undefined;
      return Math.max(0, (at - size / 2) / scale);
    },
  };
}
