/** Budgets: sums and limits. */
import { describe, expect, test } from 'vitest';
import { addSpend, limitsReached, noSpend, overspendText } from '../../src/group/budget.ts';

describe('spend', () => {
  test('is added up, kind by kind', () => {
    const one = addSpend(noSpend, { attempts: 1, tokens: 10, costUsd: 0.25, wallMs: 40 });
    expect(addSpend(one, { attempts: 1, wallMs: 2 })).toEqual({
      attempts: 2,
      wallMs: 42,
      tokens: 10,
      costUsd: 0.25,
    });
  });
});

describe('a limit', () => {
  const spent = { attempts: 2, wallMs: 500, tokens: 80, costUsd: 0.9 };

  test('is reached when all of it has been spent', () => {
    expect(limitsReached({ attempts: 2, tokens: 81 }, spent)).toEqual([{ what: 'attempts', spent: 2, limit: 2 }]);
    expect(limitsReached({ attempts: 3, wallMs: 501, tokens: 81, costUsd: 1 }, spent)).toEqual([]);
    expect(limitsReached(undefined, spent)).toEqual([]);
  });

  test('of nothing lets nobody begin', () => {
    expect(limitsReached({ attempts: 0 }, noSpend)).toEqual([{ what: 'attempts', spent: 0, limit: 0 }]);
  });

  test('is nearly reached when a share has been spent, each for itself', () => {
    expect(limitsReached({ wallMs: 1_000, tokens: 100, costUsd: 1 }, spent, 0.8).map(({ what }) => what)).toEqual([
      'tokens',
      'costUsd',
    ]);
  });

  test('is told in a sentence', () => {
    expect(overspendText('group `g`', { what: 'costUsd', spent: 0.1 + 0.2, limit: 0.3 })).toBe(
      'the budget of group `g` allows costUsd 0.3, and 0.3 has been spent; no further attempt is made.',
    );
  });
});
