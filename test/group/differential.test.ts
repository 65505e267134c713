import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { member } from '../../src/group/member.ts';
import * as kernel from '../../src/group/step.ts';
import { duel } from './duel.ts';
import { amendLive } from './live.ts';
import { tapes } from './tape.ts';

const turnsWanted = Number(process.env['TROUPE_DIFF_TURNS'] ?? 20_000);
const first = fc.readConfigureGlobal().seed ?? Math.floor(Math.random() * 2 ** 31);
/** Each of XState's two builds meets machines of its own. */
const seed = Number(
  process.env['TROUPE_DIFF_SEED'] ?? (process.env['TROUPE_XSTATE'] === 'production' ? first + 1_000_000 : first),
);

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
