import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { member } from '../../src/group/member.ts';
import * as kernel from '../../src/group/step.ts';
import { duel } from './duel.ts';
import { amendLive } from './live.ts';
import { tapes } from './tape.ts';

/** Of the two builds of XState: the second, which says less, meets half as many machines, and others. */
const isSecond = process.env['TROUPE_XSTATE'] === 'production';
const turnsWanted = Number(process.env['TROUPE_DIFF_TURNS'] ?? (isSecond ? 10_000 : 20_000));
const fixed = fc.readConfigureGlobal().seed;
const drawn = fixed === undefined ? Math.floor(Math.random() * 2 ** 31) : fixed + (isSecond ? 1_000_000 : 0);
const seed = Number(process.env['TROUPE_DIFF_SEED'] ?? drawn);

let restore = () => {};
beforeAll(() => {
  restore = amendLive();
  // XState's development build warns about every event to a stopped actor.
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterAll(() => restore());

test(
  `random machines do the same through step as through live XState actors, over ${turnsWanted} turns`,
  { timeout: 60_000 + turnsWanted * 20 },
  () => {
    let turns = 0;
    const reached = new Set<string>();
    for (let round = 0; turns < turnsWanted; round += 1) {
      const property = fc.property(...tapes, (machine, inputs) => {
        const outcome = duel({ ...kernel, member }, machine, inputs);
        turns += outcome.turns;
        for (const one of outcome.reached) reached.add(one);
      });
      const details = fc.check(property, { seed: seed + round, numRuns: 200 });
      if (details.failed) {
        const { counterexample, errorInstance, counterexamplePath } = details;
        throw new Error(
          `${String(errorInstance)}\nseed ${seed + round}, path ${counterexamplePath}; replay with TROUPE_DIFF_SEED=${seed + round}\n${JSON.stringify(counterexample).replaceAll(/(,0)+\]/g, ']')}`,
        );
      }
    }
    expect([...reached].sort()).toEqual(
      expect.arrayContaining([
        'after',
        'child active',
        'child done',
        'child error',
        'completed',
        'failed',
        'forked',
        'message',
        'restored',
        'settled',
        'stale',
        'timer',
      ]),
    );
  },
);
