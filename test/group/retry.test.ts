/** Backoff: bounded, growing, and drawn from the attempt's own key. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawFrom, retryDelayMs } from '../../src/group/retry.ts';

test('a draw is from 0 to 1, the same for one key, and spread over keys', () => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      const drawn = drawFrom(key);
      expect(drawn).toBeGreaterThanOrEqual(0);
      expect(drawn).toBeLessThan(1);
      expect(drawFrom(key)).toBe(drawn);
    }),
  );
  const counts = Array.from({ length: 10 }, () => 0);
  for (let attempt = 0; attempt < 10_000; attempt += 1) {
    const slot = Math.floor(drawFrom(`run/group/m${attempt}#1/1`) * 10);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('a wait lies within its jitter, and under its bound, however many failures there were', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.string(),
      (failures, jitter, key) => {
        const waitMs = retryDelayMs(
          { attempts: 100, minMs: 10, factor: 3, maxMs: 5_000, jitter },
          failures,
          'failed',
          key,
        );
        const full = Math.min(5_000, 10 * 3 ** (failures - 1));
        expect(waitMs).toBeLessThanOrEqual(full);
        expect(waitMs).toBeGreaterThanOrEqual(Math.floor(full * (1 - jitter)));
      },
    ),
  );
});

test('without a policy nothing is tried again; with one, as often as it says and for what it names', () => {
  expect(retryDelayMs(undefined, 1, 'failed', 'key')).toBeUndefined();
  expect(retryDelayMs({ attempts: 3, jitter: 0 }, 2, 'failed', 'key')).toBe(2_000);
  expect(retryDelayMs({ attempts: 3 }, 3, 'failed', 'key')).toBeUndefined();
  expect(retryDelayMs({ attempts: 3 }, 1, 'refused', 'key')).toBeUndefined();
  expect(retryDelayMs({ attempts: 3, on: ['refused'], jitter: 0 }, 1, 'refused', 'key')).toBe(1_000);
});
