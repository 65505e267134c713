/**
 * Random groups through the real host on the file journal: nothing lost, nothing doubled, nothing out of order, whoever dies and
 * whenever. On a disk in memory, and fewer on a real one. More than usual: TROUPE_PLAYS=2000. One again: TROUPE_PLAY=<seed>.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderDisk } from '../support/play-disk.ts';
import { play, type Played } from '../support/random-play.ts';

const one = process.env['TROUPE_PLAY'];
const plays = Number(process.env['TROUPE_PLAYS'] ?? 150);
const first = process.env['TROUPE_SEED'] ?? 'parley';

const seedsOf = (count: number) =>
  one === undefined ? Array.from({ length: count }, (_, index) => `${first}-${index}`) : [one];
const onDisk = Math.ceil(plays / 10);

/** Plays all, and tells how to play the one that fails again. */
async function playAll(
  seeds: readonly string[],
  playOne: (seed: string) => Promise<Played>,
): Promise<readonly Played[]> {
  const all: Played[] = [];
  for (const seed of seeds) {
    try {
      all.push(await playOne(seed));
    } catch (error) {
      throw new Error(
        `play ${seed} (again: TROUPE_PLAY=${seed} npx vitest run test/process/random-groups.test.ts): ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  return all;
}

const sum = (all: readonly Played[], of: (played: Played) => number) =>
  all.reduce((total, played) => total + of(played), 0);

test(
  'random groups: settled once, heard once and in order, and ended or waiting for something that is named',
  async () => {
    const all = await playAll(seedsOf(plays), (seed) => play(seed));
    if (one !== undefined) return;
    // No empty play: all that may happen has happened.
    expect(sum(all, ({ killed }) => killed)).toBeGreaterThan(plays / 2);
    expect(sum(all, ({ messages }) => messages)).toBeGreaterThan(plays);
    expect(sum(all, ({ deadLetters }) => deadLetters)).toBeGreaterThan(plays / 10);
    expect(sum(all, ({ settled }) => settled)).toBeGreaterThan(plays);
    expect(sum(all, ({ gates }) => gates)).toBeGreaterThan(plays / 20);
    expect(sum(all, ({ after }) => after)).toBeGreaterThan(plays / 20);
    expect(new Set(all.map(({ end }) => end))).toEqual(new Set(['completed', 'cancelled']));
    expect(new Set(all.flatMap(({ waited }) => waited))).toEqual(new Set(['gate', 'member']));
  },
  plays * 1_000 + 20_000,
);

test(
  'random groups whose machines change under them: the same',
  async () => {
    const all = await playAll(seedsOf(plays), (seed) => play(`${seed} changes`, { changes: true }));
    if (one !== undefined) return;
    expect(sum(all, ({ migrated }) => migrated)).toBeGreaterThan(plays / 3);
    expect(sum(all, ({ messages }) => messages)).toBeGreaterThan(plays);
    expect(sum(all, ({ settled }) => settled)).toBeGreaterThan(plays);
  },
  plays * 1_000 + 20_000,
);

test(
  'random groups on a real disk: the same',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'troupe-plays-'));
    try {
      const all = await playAll(seedsOf(onDisk), (seed) => play(seed, { on: folderDisk(join(folder, seed)) }));
      if (one !== undefined) return;
      expect(sum(all, ({ killed }) => killed)).toBeGreaterThan(onDisk / 3);
      expect(sum(all, ({ messages }) => messages)).toBeGreaterThan(onDisk);
      expect(sum(all, ({ settled }) => settled)).toBeGreaterThan(onDisk);
      expect(new Set(all.map(({ end }) => end))).toContain('completed');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  onDisk * 3_000 + 20_000,
);
