import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { race } from '../../machines/index.ts';
import { fail, hold, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, simulate, who } from './simulate.ts';

const abc = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];

describe('race', () => {
  test('the first success wins and the others are cancelled', () => {
    const group = simulate(race, { members: abc });
    expect(group.open()).toEqual(['a', 'b', 'c']);
    group.settle('b', 7);
    expect(group.output()).toEqual({ winner: 'b', output: 7, failed: [], cancelled: ['a', 'c'] });
    expect(who(group, 'cancelled')).toEqual(['a', 'c']);
  });

  test('a failure does not end it: who failed stands in the output', () => {
    const group = simulate(race, { members: abc });
    group.break('a', 'boom');
    group.settle('c', null);
    expect(group.output()).toMatchObject({
      winner: 'c',
      failed: [{ id: 'a', error: { message: 'boom' } }],
      cancelled: ['b'],
    });
  });

  test('when all fail the group fails and names every failure', () => {
    const group = simulate(race, { members: abc });
    for (const id of ['a', 'c', 'b']) group.break(id);
    expect(group.failure()).toBe('all 3 members failed: a: a broke; c: c broke; b: b broke');
    expect(group.end).toMatchObject({ error: { name: 'AggregateError', cause: { message: 'a broke' } } });
  });

  test('when time is up the group fails, also after a restart', () => {
    const group = simulate(race, { members: abc, timeoutMs: 50 });
    group.break('a', 'boom');
    group.restart();
    group.fire();
    expect(group.failure()).toBe('nobody won in 50 ms: a: boom');
    expect(who(group, 'cancelled')).toEqual(['b', 'c']);
  });

  test('nobody outside can say that time is up', () => {
    const group = simulate(race, { members: abc, timeoutMs: 50 });
    group.send({ type: 'xstate.after.timeout' });
    expect(group.end).toBeUndefined();
  });

  test('what came before is handed on to each member', () => {
    const group = simulate(race, {
      members: [{ id: 'a', prompt: 'go', input: { own: 1, previous: 'mine' } }],
      previous: [2],
    });
    expect(asked(group, 'a')).toEqual({ prompt: 'go', input: { own: 1, previous: [2] } });
  });

  test.each([
    [{ members: [] }, 'BAD_INPUT: race: expected `members` to hold at least 1, got 0.'],
    [{ members: [{ id: 'a' }, { id: 'a' }] }, 'DUPLICATE_NAME: race: two of `members` are called `a`.'],
    [{ members: [{ id: 'a::b' }] }, 'BAD_INPUT: race: expected the id of each of `members` to be a text without `::`'],
    [
      { members: abc, timeoutMs: 0 },
      'BAD_INPUT: race: expected `timeoutMs` to be a number of milliseconds >= 1, got `0` (number).',
    ],
    [
      { members: [{ id: 'a', input: 1 }], previous: 1 },
      'BAD_INPUT: race: expected `input` of member `a` to be an object',
    ],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(race, input).failure()).toContain(sentence);
  });

  test('in any order there is one winner at most, and no member is left running', () => {
    const outcomes = fc.array(fc.boolean(), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        outcomes,
        fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
        fc.nat(6),
        (succeeds, choices, restartAfter) => {
          const members = succeeds.map((_, index) => ({ id: `m${index}` }));
          const group = simulate(race, { members, timeoutMs: 1_000 });
          drive(group, {
            choices,
            isTimed: false,
            restartAfter,
            stepsMax: succeeds.length,
            outcome: ({ address }) => (succeeds[Number(address.slice(1))] === true ? ok(address) : fail()),
          });
          expect(who(group, 'ok')).toHaveLength(succeeds.includes(true) ? 1 : 0);
          if (succeeds.includes(true)) {
            const { winner, output, failed, cancelled } = group.output();
            expect(output).toBe(winner);
            expect([winner, ...failed.map(({ id }) => id), ...cancelled].toSorted()).toEqual(
              members.map(({ id }) => id),
            );
            expect(who(group, 'cancelled').toSorted()).toEqual([...cancelled].toSorted());
          } else {
            expect(group.failure()).toMatch(/^all \d members failed/);
          }
        },
      ),
    );
  });

  test('in a run: the loser’s attempt is ended', async () => {
    const run = await runGroup(race, { members: abc }, { script: { a: hold, b: ok(7), c: fail() } });
    expect(run.output()).toMatchObject({ winner: 'b', output: 7 });
    expect(run.cancelled).toContain('a');
  });

  test('in a run whose host dies in the middle: the race goes on, without those who were out', async () => {
    const run = await runGroup(
      race,
      { members: abc },
      { script: { 'a': fail(), 'b': ok(7), '*': hold }, heldAtFirst: ['b', 'c'] },
    );
    expect(run.output()).toMatchObject({ winner: 'b', failed: [{ id: 'a' }], cancelled: ['c'] });
    expect(run.performed.filter((id) => id === 'a')).toHaveLength(1);
  });

  test('in a run: time is up', async () => {
    const run = await runGroup(race, { members: abc, timeoutMs: 60_000 }, { script: { '*': hold }, isHurried: true });
    expect(run.result).toMatchObject({ status: 'failed' });
    expect(run.cancelled.toSorted()).toEqual(['a', 'b', 'c']);
  });
});
