/** The journal's list: every row can be scrolled to, however many there are. */
import { expect, test } from 'vitest';
import { heightMax, longList, rowHeight } from '../../src/view/page/long-list.ts';

const size = 623;

/** Rows in sight, from where they stand in the box. */
function inSight(length: number, top: number): readonly number[] {
  const { first, last, offset } = longList({ length, size, top });
  const rows = Array.from({ length: last - first }, (_, index) => first + index);
  return rows.filter((row) => {
    const at = offset + (row - first) * rowHeight - top;
    return at > -rowHeight && at < size;
  });
}

test.each([10, 1_000, 363_637, 500_000, 5_000_000])(
  'of %i rows the first is at the top, the last at the bottom',
  (length) => {
    const { height } = longList({ length, size, top: 0 });
    expect(height).toBe(Math.min(heightMax, length * rowHeight));
    expect(inSight(length, 0)[0]).toBe(0);
    const end = Math.max(0, height - size);
    expect(inSight(length, end).at(-1)).toBe(length - 1);
    const { first, last, offset } = longList({ length, size, top: end });
    // All of the last row, and no room behind it.
    expect(offset + (last - first) * rowHeight).toBeCloseTo(height, 3);
  },
);

test.each([1_000, 500_000, 5_000_000])('of %i rows any comes into sight, and then stays where it is', (length) => {
  const { height } = longList({ length, size, top: 0 });
  for (const row of [0, 1, 40, Math.floor(length / 3), length - 40, length - 2, length - 1]) {
    for (const from of [0, Math.floor(height / 2), height - size]) {
      // Browsers scroll no further than there is.
      const top = Math.min(height - size, longList({ length, size, top: from }).topFor(row) ?? from);
      expect(inSight(length, top)).toContain(row);
    }
  }
  expect(longList({ length, size, top: 0 }).topFor(3)).toBeUndefined();
});

test('a list that is shorter than its box, or empty, has all its rows in sight', () => {
  expect(longList({ length: 0, size, top: 0 })).toMatchObject({ height: 0, first: 0, last: 0, offset: 0 });
  expect(inSight(4, 0)).toEqual([0, 1, 2, 3]);
});
