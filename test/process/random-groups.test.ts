/**
 * Random groups through the real host on the file journal: nothing lost, nothing doubled, nothing out of order, whoever dies and
 * whenever. More than usual: TROUPE_PLAYS=2000. One again: TROUPE_PLAY=<seed>.
 */
import { expect, test } from 'vitest';
import { play, type Played } from '../support/random-play.ts';

const one = process.env['TROUPE_PLAY'];
const plays = Number(process.env['TROUPE_PLAYS'] ?? 150);
const first = process.env['TROUPE_SEED'] ?? 'parley';

const seeds = one === undefined ? Array.from({ length: plays }, (_, index) => `${first}-${index}`) : [one];

test(
  'random groups: settled once, heard once and in order, and ended or waiting for something that is named',
  async () => {
    const all: Played[] = [];
    for (const seed of seeds) {
      try {
        all.push(await play(seed));
      } catch (error) {
        throw new Error(
          `play ${seed} (again: TROUPE_PLAY=${seed} npx vitest run test/process/random-groups.test.ts): ${(error as Error).message}`,
          { cause: error },
        );
      }
    }
    if (one !== undefined) return;
    const sum = (of: (played: Played) => number) => all.reduce((total, played) => total + of(played), 0);
    // No empty play: all that may happen has happened.
    expect(sum(({ killed }) => killed)).toBeGreaterThan(plays / 2);
    expect(sum(({ messages }) => messages)).toBeGreaterThan(plays);
    expect(sum(({ deadLetters }) => deadLetters)).toBeGreaterThan(plays / 10);
    expect(sum(({ settled }) => settled)).toBeGreaterThan(plays);
    expect(sum(({ gates }) => gates)).toBeGreaterThan(plays / 20);
    expect(sum(({ after }) => after)).toBeGreaterThan(plays / 20);
    expect(new Set(all.map(({ end }) => end))).toEqual(new Set(['completed', 'cancelled']));
    expect(new Set(all.flatMap(({ waited }) => waited))).toEqual(new Set(['gate', 'member']));
  },
  plays * 1_000 + 20_000,
);
