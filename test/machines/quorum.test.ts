import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quorum } from '../../machines/index.ts';
import { fail, hold, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, mostAtOnce, simulate, who } from './simulate.ts';

const members = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `m${index}` }));

describe('quorum', () => {
  test('as soon as enough say the same it ends, and the rest is cancelled', () => {
    const group = simulate(quorum, { members: members(5), atLeast: 2 });
    group.settle('m4', { ship: true });
    group.settle('m0', { ship: false });
    expect(group.end).toBeUndefined();
    group.settle('m2', { ship: true });
    expect(group.output()).toEqual({
      value: { ship: true },
      agreed: ['m4', 'm2'],
      votes: [
        { id: 'm4', output: { ship: true } },
        { id: 'm0', output: { ship: false } },
        { id: 'm2', output: { ship: true } },
      ],
      failed: [],
      cancelled: ['m1', 'm3'],
    });
    expect(who(group, 'cancelled')).toEqual(['m1', 'm3']);
  });

  test('the order of an output’s keys does not divide those who say the same', () => {
    const group = simulate(quorum, { members: members(2), atLeast: 2 });
    group.settle('m0', { a: 1, b: [{ c: 2, d: 3 }] });
    group.settle('m1', { b: [{ d: 3, c: 2 }], a: 1 });
    expect(group.output().agreed).toEqual(['m0', 'm1']);
  });

  test('one field can be what they have to agree on', () => {
    const group = simulate(quorum, { members: members(3), atLeast: 2, field: 'ship' });
    group.settle('m0', { ship: true, why: 'good' });
    group.settle('m1', 'nothing');
    group.settle('m2', { ship: true, why: 'fine' });
    expect(group.output()).toMatchObject({ value: true, agreed: ['m0', 'm2'] });
  });

  test('by success all that succeed agree', () => {
    const group = simulate(quorum, { members: members(3), atLeast: 2, by: 'success' });
    group.settle('m1', 'one');
    group.break('m0');
    group.settle('m2', 'two');
    expect(group.output()).toMatchObject({ value: 'one', agreed: ['m1', 'm2'], failed: [{ id: 'm0' }] });
  });

  test('when no quorum is possible any more it fails at once and says why', () => {
    const group = simulate(quorum, { members: members(4), atLeast: 3 });
    group.settle('m0', 'yes');
    group.settle('m1', 'no');
    expect(group.end).toBeUndefined();
    group.break('m2', 'boom');
    expect(group.failure()).toBe(
      'no quorum is possible any more: a quorum of 3 of 4 was wanted; 1 for "yes", 1 for "no", 1 failed (m2: boom)',
    );
    expect(who(group, 'cancelled')).toEqual(['m3']);
  });

  test.each([
    [3, undefined, 2],
    [4, 'majority', 3],
    [4, 0.5, 2],
    [5, 0.6, 3],
    [100, 0.07, 7],
    [3, 0.34, 2],
    [3, 3, 3],
  ] as const)('of %d members, atLeast %s is %d', (count, atLeast, enough) => {
    const group = simulate(quorum, { members: members(count), ...(atLeast === undefined ? {} : { atLeast }) });
    for (let index = 0; index < enough; index += 1) {
      expect(group.end).toBeUndefined();
      group.settle(`m${index}`, 1);
    }
    expect(group.output().agreed).toHaveLength(enough);
  });

  test('members that are not needed are not asked for', () => {
    const group = simulate(quorum, { members: members(5), atLeast: 2, concurrency: 2 });
    group.settle('m1', 1);
    group.settle('m0', 1);
    expect(who(group, 'asked')).toEqual(['m0', 'm1', 'm2']);
    expect(group.output().cancelled).toEqual(['m2', 'm3', 'm4']);
  });

  test('when time is up it fails, with the votes so far', () => {
    const group = simulate(quorum, { members: members(3), timeoutMs: 100 });
    group.settle('m0', 'yes');
    group.restart();
    group.fire();
    expect(group.failure()).toBe('no quorum in 100 ms: a quorum of 2 of 3 was wanted; 1 for "yes"');
  });

  test('what came before is handed on', () => {
    expect(asked(simulate(quorum, { members: members(1), previous: 'p' }), 'm0')).toEqual({ input: { previous: 'p' } });
  });

  test.each([
    [
      { members: members(2), atLeast: 3 },
      '`atLeast` to be a whole number from 1 to 2, a fraction between 0 and 1, or majority, got `3`',
    ],
    [{ members: members(2), atLeast: 1.5 }, '`atLeast`'],
    [{ members: members(2), by: 'luck' as 'value' }, '`by` to be value or success, got `"luck"` (string).'],
    [{ members: [] }, '`members` to hold at least 1'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(quorum, input).failure()).toContain(sentence);
  });

  test('in any order: it agrees only on what enough said, gives up only when nothing can be agreed on, and never asks twice', () => {
    const votes = fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 1, maxLength: 7 });
    const options = fc.record({
      choices: fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
      enough: fc.integer({ min: 1, max: 7 }),
      concurrency: fc.integer({ min: 1, max: 7 }),
      restartAfter: fc.nat(7),
    });
    fc.assert(
      fc.property(votes, options, (said, { choices, enough, concurrency, restartAfter }) => {
        const atLeast = Math.min(enough, said.length);
        const group = simulate(quorum, { members: members(said.length), atLeast, concurrency });
        drive(group, {
          choices,
          restartAfter,
          stepsMax: said.length,
          outcome: ({ address }) =>
            said[Number(address.slice(1))] === null ? fail() : ok(said[Number(address.slice(1))] as string),
        });
        expect(mostAtOnce(group)).toBeLessThanOrEqual(concurrency);
        expect(new Set(who(group, 'asked')).size).toBe(who(group, 'asked').length);
        const most = Math.max(0, ...['a', 'b', 'c'].map((value) => said.filter((one) => one === value).length));
        if (group.end?.status === 'completed') {
          const { value, agreed } = group.output();
          expect(agreed).toHaveLength(atLeast);
          for (const id of agreed) expect(said[Number(id.slice(1))]).toBe(value);
        } else {
          expect(most).toBeLessThan(atLeast);
          expect(group.failure()).toContain('no quorum is possible any more');
        }
      }),
    );
  });

  test('in a run: who was not needed is ended', async () => {
    const run = await runGroup(
      quorum,
      { members: members(3), atLeast: 2 },
      { script: { m0: ok(1), m1: hold, m2: ok(1) } },
    );
    expect(run.output()).toMatchObject({ value: 1, cancelled: ['m1'] });
    expect(run.cancelled).toEqual(['m1']);
  });

  test('in a run whose host dies between two votes: the first is kept', async () => {
    const run = await runGroup(
      quorum,
      { members: members(3), atLeast: 2 },
      { script: { m0: ok(1), m1: hold, m2: ok(1) }, heldAtFirst: ['m1', 'm2'] },
    );
    expect(run.output()).toMatchObject({ value: 1, agreed: ['m0', 'm2'] });
    expect(run.performed.filter((id) => id === 'm0')).toHaveLength(1);
  });
});
