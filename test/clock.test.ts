/** Moments as people and machines read them. */
import { expect, test } from 'vitest';
import { isoText, timeOfDay } from '../src/clock.ts';

test('a moment further away than any date goes is told all the same', () => {
  expect(isoText(1_000_000)).toBe('1970-01-01T00:16:40.000Z');
  expect(timeOfDay(1_000_000)).toBe('00:16:40 UTC');
  expect(isoText(Number.MAX_SAFE_INTEGER)).toBe('+275760-09-13T00:00:00.000Z');
  expect(isoText(-Number.MAX_SAFE_INTEGER)).toBe('-271821-04-20T00:00:00.000Z');
  expect(timeOfDay(8.64e15 - 1_000)).toBe('23:59:59 UTC');
});
