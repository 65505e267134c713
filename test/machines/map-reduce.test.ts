import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mapReduce } from '../../machines/index.ts';
import type { Invocation, JsonValue } from '../../src/index.ts';
import { fail, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, emitted, mostAtOnce, simulate, who } from './simulate.ts';

const members = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `m${index}` }));

/** What a reduce member of these tests does: it joins what it is given. */
function joined({ input }: Invocation): string {
  const { results } = input as { readonly results: readonly { readonly output: string }[] };
  return results.map(({ output }) => output).join('');
}

const isReduce = (address: string) => address.startsWith('reduce-');

describe('map-reduce', () => {
  test('results are reduced in the order of the members, whatever the order they came in', () => {
    const group = simulate(mapReduce, { members: members(3), reduce: { prompt: 'join', input: { own: 1 } } });
    for (const id of ['m2', 'm0', 'm1']) group.settle(id, id);
    expect(group.open()).toEqual(['reduce-1-1']);
    expect(asked(group, 'reduce-1-1')).toEqual({
      prompt: 'join',
      input: {
        own: 1,
        results: ['m0', 'm1', 'm2'].map((id) => ({ id, output: id })),
        level: 1,
        number: 1,
        of: 1,
      },
    });
    group.settle('reduce-1-1', 'all');
    expect(group.output()).toEqual({ value: 'all', failed: [], mapped: 3, levels: 1 });
    expect(emitted(group).map(({ name }) => name)).toEqual(['mapped', 'level 1']);
  });

  test('with reduceEvery it is reduced level by level until one value is left', () => {
    const group = simulate(mapReduce, { members: members(7), reduce: {}, reduceEvery: 3 });
    for (let index = 0; index < 7; index += 1) group.settle(`m${index}`, `${index}`);
    expect(group.open()).toEqual(['reduce-1-1', 'reduce-1-2', 'reduce-1-3']);
    for (const id of ['reduce-1-3', 'reduce-1-1', 'reduce-1-2']) group.settle(id, joined(asked(group, id)));
    expect(group.open()).toEqual(['reduce-2-1']);
    expect((asked(group, 'reduce-2-1').input as { readonly results: JsonValue }).results).toEqual([
      { id: 'reduce-1-1', output: '012' },
      { id: 'reduce-1-2', output: '345' },
      { id: 'reduce-1-3', output: '6' },
    ]);
    group.settle('reduce-2-1', joined(asked(group, 'reduce-2-1')));
    expect(group.output()).toMatchObject({ value: '0123456', levels: 2 });
  });

  test('who fails is left out and listed; with fail-fast it fails the group', () => {
    const group = simulate(mapReduce, { members: members(3), reduce: {} });
    group.break('m1', 'boom');
    group.settle('m2', 'c');
    group.settle('m0', 'a');
    group.settle('reduce-1-1', joined(asked(group, 'reduce-1-1')));
    expect(group.output()).toMatchObject({
      value: 'ac',
      mapped: 2,
      failed: [{ id: 'm1', error: { message: 'boom' } }],
    });

    const fast = simulate(mapReduce, { members: members(3), reduce: {}, policy: 'fail-fast' });
    fast.break('m1', 'boom');
    expect(fast.failure()).toBe('member `m1` failed: boom');
    expect(who(fast, 'cancelled')).toEqual(['m0', 'm2']);
  });

  test('when all fail there is nothing to reduce; a reduce member that fails fails the group', () => {
    const none = simulate(mapReduce, { members: members(2), reduce: {} });
    none.break('m0');
    none.break('m1');
    expect(none.failure()).toBe('all 2 members failed, there is nothing to reduce: m0: m0 broke; m1: m1 broke');

    const broken = simulate(mapReduce, { members: members(1), reduce: {} });
    broken.settle('m0', 1);
    broken.break('reduce-1-1', 'no');
    expect(broken.failure()).toBe('member `reduce-1-1` failed: no');
  });

  test('without members the reduce member gets no results', () => {
    const group = simulate(mapReduce, { members: [], reduce: {} });
    expect(asked(group, 'reduce-1-1').input).toMatchObject({ results: [] });
    group.settle('reduce-1-1', 0);
    expect(group.output()).toMatchObject({ value: 0, mapped: 0 });
  });

  test.each([
    [{ members: members(1), reduce: {}, reduceEvery: 1 }, '`reduceEvery` to be a whole number >= 2, got `1` (number).'],
    [{ members: members(1), reduce: {}, concurrency: 300 }, '`concurrency` to be a whole number from 1 to 256'],
    [{ members: members(1), reduce: { input: 'text' } }, '`input` of member `reduce` to be an object'],
    [{ members: members(1), reduce: undefined as never }, 'expected `reduce` to be an invocation'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(mapReduce, input).failure()).toContain(sentence);
  });

  test('in any order: each result is reduced exactly once, in order, never more at once than allowed', () => {
    const sizes = fc.record({
      count: fc.nat(12),
      reduceEvery: fc.integer({ min: 2, max: 5 }),
      concurrency: fc.integer({ min: 1, max: 5 }),
      restartAfter: fc.nat(20),
    });
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
        fc.func(fc.boolean()),
        ({ count, ...size }, choices, succeeds) => {
          const group = simulate(mapReduce, { members: members(count), reduce: {}, ...size });
          drive(group, {
            choices,
            restartAfter: size.restartAfter,
            stepsMax: count * 2 + 2,
            outcome: ({ address, input }) => {
              if (isReduce(address)) return ok(joined(input));
              return succeeds(address) ? ok(`${address};`) : fail();
            },
          });
          expect(mostAtOnce(group)).toBeLessThanOrEqual(size.concurrency);
          const ids = members(count).map(({ id }) => id);
          const good = ids.filter((id) => succeeds(id));
          if (count > 0 && good.length === 0) {
            expect(group.failure()).toContain('nothing to reduce');
            return;
          }
          const { value, mapped, failed } = group.output();
          expect(value).toBe(good.map((id) => `${id};`).join(''));
          expect([mapped, failed.map(({ id }) => id)]).toEqual([good.length, ids.filter((id) => !succeeds(id))]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('2,000 members, reduced in slices', () => {
    const group = simulate(mapReduce, { members: members(2_000), reduce: {}, reduceEvery: 50, concurrency: 16 });
    for (let id = group.oldest(); id !== undefined; id = group.oldest()) {
      group.settle(id, isReduce(id) ? joined(asked(group, id)) : '.');
    }
    expect(group.output()).toMatchObject({ value: '.'.repeat(2_000), levels: 2, mapped: 2_000 });
  });

  test('in a run whose host dies while reducing: nothing is mapped again', async () => {
    const run = await runGroup(
      mapReduce,
      { members: members(4), reduce: {}, reduceEvery: 2 },
      {
        script: { '*': (attempt) => ok(isReduce(attempt.member) ? joined(attempt.invocation) : attempt.member) },
        heldAtFirst: ['reduce-1-2'],
      },
    );
    expect(run.output()).toMatchObject({ value: 'm0m1m2m3' });
    for (const id of ['m0', 'm1', 'm2', 'm3', 'reduce-1-1', 'reduce-2-1'])
      expect(run.performed.filter((one) => one === id)).toHaveLength(1);
    expect(run.checkpoints).toEqual(['mapped', 'level 1', 'level 2']);
  });
});
