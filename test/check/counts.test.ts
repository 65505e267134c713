/**
 * Published protocols, modelled with ordinary machines. Each count is somebody else's: TLC's, Stateright's or Spin's (two-phase commit:
 * all three), for the same protocol by their rules of counting. A count that differs says that states are merged, or told apart, that
 * should not be.
 */
import { describe, expect, test } from 'vitest';
import { check, type Model } from 'troupe/check';
import { alternatingBit } from './models/alternating-bit.ts';
import { changRoberts } from './models/chang-roberts.ts';
import { dieHard } from './models/die-hard.ts';
import { diningPhilosophers } from './models/dining-philosophers.ts';
import { noOp } from './models/no-op.ts';
import { paxos } from './models/paxos.ts';
import { pingPong } from './models/ping-pong.ts';
import { singleCopyRegister } from './models/single-copy-register.ts';
import { twoPhaseCommit } from './models/two-phase-commit.ts';

async function counted<State>(
  model: Model<State>,
  distinct: number,
  generated?: number,
  depth?: number,
): Promise<void> {
  const result = await check(model);
  expect(result).toMatchObject({ verdict: 'verified', complete: true, violations: [], distinct });
  if (generated !== undefined) expect(result).toMatchObject({ generated, depth });
}

describe('two-phase commit', () => {
  test.each([
    [2, 56, 154, 8],
    [3, 288, 1_146, 11],
    [4, 1_568, 8_258, 14],
    [5, 8_832, 58_146, 17],
  ])('%i resource managers: %i states, %i transitions, %i levels', async (count, distinct, generated, depth) => {
    await counted(twoPhaseCommit(count), distinct, generated, depth);
  });

  test.each([
    [3, 80],
    [4, 166],
    [5, 314],
  ])('%i resource managers that may change places: %i orbits', async (count, orbits) => {
    const result = await check(twoPhaseCommit(count, true));
    expect(result).toMatchObject({ verdict: 'verified', distinct: orbits, symmetryUsed: true });
  });
});

describe('actors as in Stateright', () => {
  test('ping-pong: 14 states', () => counted(pingPong(1), 14, 21, 6));

  test.each([
    ['set', 2],
    ['bag', 2],
    ['ordered', 3],
  ] as const)('what does nothing is left in a %s network: %i states', (network, distinct) =>
    counted(noOp(network), distinct),
  );

  test('single-copy register, 2 clients: 93 states', () => counted(singleCopyRegister(1, 2), 93, 121, 9));

  test('single-copy register, 3 clients: 4,243 states', () => counted(singleCopyRegister(1, 3), 4_243, 6_778, 13));

  test('two copies are not linearizable, shown in the fewest steps', async () => {
    const result = await check(singleCopyRegister(2, 2));
    expect(result).toMatchObject({ verdict: 'violated', complete: false, cutBy: 'violation' });
    const [violation] = result.violations;
    expect(violation).toMatchObject({ property: 'linearizable', kind: 'always' });
    expect(violation?.trace?.steps).toHaveLength(5);
  });

  test('Paxos, 3 servers, 2 clients: 16,668 states', () => counted(paxos(3, 2), 16_668, 32_971, 21));
});

describe('specifications of the TLA+ examples', () => {
  test('Chang and Roberts, N=3: 137 states', () => counted(changRoberts([1, 2, 3]), 137, 227, 10));

  test('dining philosophers, N=5: 67 states', () => counted(diningPhilosophers(5), 67, 336, 29));

  test('die hard: 16 states', () => counted(dieHard(), 16, 97, 8));

  test('alternating bit, two values, queues of two: 240 states', () =>
    counted(alternatingBit(['a', 'b'], 2), 240, 1_392, 10));
});
