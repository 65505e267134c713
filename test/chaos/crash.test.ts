/** Every so many positions of what `npm run test:chaos` does at all of them; the first one differs from day to day. */
import { expect, test } from 'vitest';
import { crashEverywhere, refuseEverywhere } from './crash-everywhere.ts';

const stride = 13;
const from = 1 + (Math.floor(Date.now() / 86_400_000) % stride);

test('a host that dies, or loses power, between any two file-system calls loses nothing', async () => {
  const { calls, positions } = await crashEverywhere({ stride, from });
  expect(Math.min(...calls)).toBeGreaterThan(100);
  expect(positions).toBeGreaterThan(100);
});

test('a host whose file-system call is refused goes on unharmed, or stops with JOURNAL_IO and goes on when that is mended', async () => {
  const { positions } = await refuseEverywhere({ stride, from });
  expect(positions).toBeGreaterThan(80);
});
