/** The explorer keeps its promises: what it says when it is cut short, and that every order of looking finds the same. */
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { check, model } from 'troupe/check';
import { changRoberts } from './models/chang-roberts.ts';
import { dieHard } from './models/die-hard.ts';
import { paxos } from './models/paxos.ts';
import { singleCopyRegister } from './models/single-copy-register.ts';
import { twoPhaseCommit } from './models/two-phase-commit.ts';

describe('orders of looking', () => {
  test('depth first finds the same states and transitions', async () => {
    const deep = await check(twoPhaseCommit(4), { strategy: 'depth-first' });
    expect(deep).toMatchObject({ verdict: 'verified', distinct: 1_568, generated: 8_258 });
  });

  test('random walks are a sample: never verified, the same for the same seed', async () => {
    const strategy = { random: { seed: 7, walks: 200, steps: 12 } } as const;
    const first = await check(twoPhaseCommit(4), { strategy });
    expect(first).toMatchObject({ verdict: 'incomplete', complete: false, cutBy: 'sampling' });
    expect(first.stats.exact).toBe(false);
    expect(first.distinct).toBeGreaterThan(100);
    expect(first.distinct).toBeLessThanOrEqual(1_568);
    const again = await check(twoPhaseCommit(4), { strategy });
    expect([again.distinct, again.generated]).toEqual([first.distinct, first.generated]);
    const other = await check(twoPhaseCommit(4), { strategy: { random: { seed: 8, walks: 200, steps: 12 } } });
    expect(other.generated).not.toBe(first.generated);
  });

  test('random walks without a beginning end at once', async () => {
    const strategy = { random: { seed: 1, walks: 2, steps: 3 } } as const;
    const nowhere = await check(model({ actors: { a: still }, boundary: () => false }), { strategy });
    expect(nowhere).toMatchObject({ verdict: 'incomplete', cutBy: 'sampling', distinct: 0 });
    const chance = setup({}).createMachine({ id: 'chance', context: () => ({ n: Math.random() }) });
    const wrong = await check(model({ actors: { a: chance } }), { strategy, stopAt: 'never' });
    expect(wrong).toMatchObject({ verdict: 'violated', violations: [{ property: 'replayDeterminism' }] });
  });

  test('random walks find what is wrong, too', async () => {
    const result = await check(singleCopyRegister(2, 2), { strategy: { random: { seed: 1, walks: 500, steps: 10 } } });
    expect(result).toMatchObject({ verdict: 'violated', violations: [{ property: 'linearizable' }] });
  });
});

describe('cut short', () => {
  test('by states: incomplete, and what needs the whole graph is not judged', async () => {
    const result = await check(changRoberts([1, 2, 3]), { maxStates: 50 });
    expect(result).toMatchObject({ verdict: 'incomplete', complete: false, cutBy: 'maxStates', violations: [] });
    expect(result.unjudged).toEqual(['sometimes electsOne', 'eventually someoneWins']);
    const strategy = { random: { seed: 1, walks: 1_000, steps: 10 } } as const;
    const sample = await check(paxos(3, 3), { maxStates: 50, strategy });
    expect(sample).toMatchObject({ verdict: 'incomplete', complete: false, cutBy: 'maxStates' });
  });

  test('by time: incomplete', async () => {
    const result = await check(paxos(3, 3), { maxSeconds: 0.05 });
    expect(result).toMatchObject({ verdict: 'incomplete', complete: false, cutBy: 'maxSeconds' });
  });

  test('by time, also where one state takes long: the clock is looked at in between', async () => {
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    let asked = 0;
    const slow = () => {
      asked += 1;
      Atomics.wait(sleeper, 0, 0, 20);
      return true;
    };
    const result = await check({ ...twoPhaseCommit(4), properties: { always: { slow } } }, { maxSeconds: 0.1 });
    expect(result).toMatchObject({ verdict: 'incomplete', cutBy: 'maxSeconds' });
    expect(asked).toBeLessThan(30);
  });

  test('progress is told while it goes', async () => {
    const told: number[] = [];
    const { distinct } = await check(paxos(3, 3), { maxStates: 15_000, onProgress: (one) => told.push(one.distinct) });
    expect(told.at(-1)).toBe(distinct);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  test('nonsense is refused', async () => {
    await expect(check(dieHard(), { maxStates: 0 })).rejects.toThrow(/BAD_INPUT.*maxStates/);
    const strategy = { random: { seed: 1, walks: 0, steps: 1 } };
    await expect(check(dieHard(), { strategy })).rejects.toThrow(/BAD_INPUT.*walks/);
  });
});

test('a result says how much of the machines was seen, and what it took', async () => {
  const { stats } = await check(twoPhaseCommit(2));
  expect(stats.coverage['transactionManager']?.unvisited).toEqual([]);
  expect(stats.coverage['resourceManager']?.states).toContain('resourceManager.prepared');
  expect(stats).toMatchObject({ exact: true, strategy: 'breadth-first', width: 4 });
});

test('actors are called as they like', async () => {
  const flip = setup({}).createMachine({ id: 'flip', initial: 'off', states: { off: { on: { go: 'on' } }, on: {} } });
  const moving = { machine: flip, moves: [{ type: 'go' }] };
  const named = model({ actors: { constructor: moving, ['__proto__']: moving, toString: moving } });
  expect(await check(named)).toMatchObject({ verdict: 'verified', distinct: 8 });
});

const still = setup({}).createMachine({ id: 'still', initial: 'a', states: { a: {} } });

test.each<[Record<string, unknown>, RegExp]>([
  [{ drops: 1 }, /`drops` bounds what `lossy` loses, and `lossy` is not set/],
  [{ lossy: true, drops: -1 }, /drops: expected a whole number >= 0, got -1/],
  [{ duplicates: 1.5 }, /duplicates: expected a whole number >= 0, got 1.5/],
  [{ network: 'fifo' }, /network: expected "bag" or "ordered" or "set", got "fifo"/],
  [{ dropped: 1 }, /there is no `dropped`/],
  [{ beginnings: [] }, /expected `beginnings` to have at least one/],
  [{ actors: { a: { machine: still, move: [] } } }, /actor `a`: there is no `move`; there are machine, input/],
  [{ history: { initial: 0, allways: {} } }, /history: there is no `allways`; there are initial, sent/],
  [{ history: { initial: 0, always: { few: 3 } } }, /history.always.few: expected a function of a state, got number/],
  [{ symmetry: [['a', 'b']] }, /`a` and `b` to have the same machine, moves and fairness/],
])('a model with %o is refused', (given, why) => {
  const actors = { a: { machine: still, moves: [{ type: 'go' }] }, b: still };
  expect(() => model({ actors, ...given })).toThrow(why);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ strategy: 'bfs' }, /strategy: expected "breadth-first" or "depth-first", got "bfs"/],
  [{ maxSeconds: Number.NaN }, /maxSeconds to be >= 0, got NaN/],
  [{ stopAt: 'last' }, /stopAt: expected "first" or "never"/],
  [{ states: 5 }, /there is no `states`; there are strategy, maxStates/],
])('a check with %o is refused', async (given, why) => {
  await expect(check(model({ actors: { a: still } }), given)).rejects.toThrow(why);
});

test('what a history says later, or throws, is no answer, and is refused', async () => {
  const asking = (few: () => unknown) =>
    check(model({ actors: { a: still }, history: { initial: 0, always: { few: few as () => boolean } } }));
  await expect(asking(() => Promise.resolve(false))).rejects.toThrow(
    /BAD_INPUT.*`few` threw .*: it returned a promise/,
  );
  await expect(asking(() => (null as never as { few: boolean }).few)).rejects.toThrow(/BAD_INPUT.*`few` threw/);
});

test('of a model that begins nowhere within its boundary nothing is verified', async () => {
  const outside = model({ name: 'outside', actors: { a: still }, boundary: () => false });
  await expect(check(outside)).rejects.toThrow(/BAD_INPUT.*model `outside` to begin within its `boundary`/);
});
