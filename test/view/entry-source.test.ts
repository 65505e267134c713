/** Entries by their position, of a run that is larger than what is held: each read gives what stands there. */
import { expect, test } from 'vitest';
import type { Entry } from 'troupe/journal';
import { journalSource } from '../../src/view/entry-source.ts';

const entry = (position: number): Entry => ({
  v: 1,
  stream: 'run',
  seq: position,
  at: position,
  type: 'log',
  data: position,
  epoch: 1,
});

test('the first, the newest and those between are found again, also across what is held', async () => {
  const count = 200_000;
  const all = Array.from({ length: count }, (_, index) => entry(index + 1));
  let reads = 0;
  const source = journalSource({
    async *read() {
      reads += 1;
      for (let at = 0; at < count; at += 777) yield all.slice(at, at + 777);
    },
  });
  for (let at = 0; at < count; at += 1_234) source.add(all.slice(at, at + 1_234));
  const seqs = async (from: number, length: number) => (await source.read(from, length)).map(({ seq }) => seq);
  const wanted = (from: number, length: number) => Array.from({ length }, (_, index) => from + index);
  expect(await seqs(1, 3)).toEqual(wanted(1, 3));
  expect(await seqs(149_998, 3)).toEqual(wanted(149_998, 3));
  // What is looked at most, the end, is not read from the journal again.
  expect(await seqs(count - 4_999, 5_000)).toEqual(wanted(count - 4_999, 5_000));
  expect(reads).toBe(0);
  expect(await seqs(149_999, 5)).toEqual(wanted(149_999, 5));
  expect(await seqs(160_001, 12_000)).toEqual(wanted(160_001, 12_000));
  expect(await seqs(count - 1, 10)).toEqual(wanted(count - 1, 2));
  expect(await seqs(count + 1, 10)).toEqual([]);
  expect(reads).toBeGreaterThan(0);
});
