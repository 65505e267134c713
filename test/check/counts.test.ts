/** Published protocols, modelled with ordinary machines: the counts are those of TLC, Stateright and Spin. */
import { expect, test } from 'vitest';
import { check } from 'troupe/check';
import { twoPhaseCommit } from './models/two-phase-commit.ts';

test.each([
  [2, 56, 154, 8],
  [3, 288, 1_146, 11],
  [4, 1_568, 8_258, 14],
  [5, 8_832, 58_146, 17],
])(
  'two-phase commit with %i resource managers: %i states, %i transitions, %i levels',
  async (count, distinct, generated, depth) => {
    const result = await check(twoPhaseCommit(count));
    expect(result).toMatchObject({ verdict: 'verified', complete: true, violations: [], distinct, generated, depth });
  },
);
