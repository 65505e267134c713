import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { supervisor } from '../../machines/index.ts';
import { fail, hold, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, emitted, simulate, who } from './simulate.ts';

const transient = (...ids: readonly string[]) => ids.map((id) => ({ id, restart: 'transient' as const }));

describe('supervisor', () => {
  test('one-for-one: a child that fails is restarted alone, as its next incarnation', () => {
    const group = simulate(supervisor, { children: transient('a', 'b', 'c') });
    group.break('b');
    expect(group.wants().map(({ address, incarnation }) => `${address}#${incarnation}`)).toEqual(['a#1', 'c#1', 'b#2']);
    expect(asked(group, 'b').input).toEqual({ restarts: 1 });
    for (const id of ['a', 'b', 'c']) group.settle(id, id);
    expect(group.output()).toMatchObject({
      restarts: 1,
      children: [
        { id: 'a', status: 'succeeded', restarts: 0, output: 'a' },
        { id: 'b', status: 'succeeded', restarts: 1, output: 'b', error: { message: 'b broke' } },
        { id: 'c', status: 'succeeded', restarts: 0 },
      ],
    });
    expect(emitted(group)).toMatchObject([{ name: 'restart 1', reason: 'b failed' }]);
  });

  test('one-for-all: all that run are stopped in reverse order and started in order; who is done is not run again', () => {
    const group = simulate(supervisor, { children: transient('a', 'b', 'c', 'd'), strategy: 'one-for-all' });
    group.settle('d', 1);
    group.break('b');
    expect(who(group, 'cancelled')).toEqual(['c', 'a']);
    expect(who(group, 'asked').slice(4)).toEqual(['a', 'b', 'c']);
  });

  test('rest-for-one: those that started after it are restarted with it', () => {
    const group = simulate(supervisor, { children: transient('a', 'b', 'c', 'd'), strategy: 'rest-for-one' });
    group.break('b');
    expect(who(group, 'cancelled')).toEqual(['d', 'c']);
    expect(who(group, 'asked').slice(4)).toEqual(['b', 'c', 'd']);
  });

  test('permanent children are restarted however they end, temporary ones never, transient ones when they fail', () => {
    const group = simulate(supervisor, {
      children: [{ id: 'p' }, { id: 't', restart: 'transient' }, { id: 'x', restart: 'temporary' }],
      intensity: { restarts: 10 },
    });
    group.settle('p', 1);
    group.break('p');
    group.settle('t', 1);
    group.break('x');
    expect(group.open()).toEqual(['p']);
    group.send({ type: 'stop', from: 'p' });
    expect(group.end).toBeUndefined();
    group.send({ type: 'stop', from: 'outside' });
    expect(group.output().children).toMatchObject([
      { id: 'p', status: 'stopped', restarts: 2 },
      { id: 't', status: 'succeeded' },
      { id: 'x', status: 'failed' },
    ]);
  });

  test('a temporary child that a sibling takes down is not started again', () => {
    const group = simulate(supervisor, {
      children: [
        { id: 'a', restart: 'transient' },
        { id: 'x', restart: 'temporary' },
      ],
      strategy: 'one-for-all',
    });
    group.break('a');
    expect(group.open()).toEqual(['a']);
    group.settle('a', 1);
    expect(group.output().children).toMatchObject([{ id: 'a' }, { id: 'x', status: 'stopped', restarts: 0 }]);
  });

  test('over the intensity it gives up: all are stopped and the group fails', () => {
    const group = simulate(supervisor, { children: transient('a', 'b'), intensity: { restarts: 2, withinMs: 1_000 } });
    group.break('a');
    group.break('b');
    group.break('a', 'again');
    expect(group.failure()).toBe('3 restarts within 1000 ms, and 2 are allowed: member `a` failed: again');
    expect(who(group, 'cancelled')).toEqual(['b']);
  });

  test('restarts that are older than the window do not count, also after the host was restarted', () => {
    const group = simulate(supervisor, { children: transient('a'), intensity: { restarts: 2, withinMs: 1_000 } });
    for (let round = 0; round < 10; round += 1) {
      group.break('a');
      group.restart();
      group.break('a');
      group.fire();
      group.fire();
    }
    group.settle('a', null);
    expect(group.output().children).toMatchObject([{ restarts: 20 }]);
  });

  test('nobody outside can make a restart old', () => {
    const group = simulate(supervisor, { children: transient('a'), intensity: { restarts: 1 } });
    group.break('a');
    group.send({ type: 'xstate.after.window' });
    group.break('a');
    expect(group.failure()).toContain('2 restarts within 60000 ms');
  });

  test.each([
    [{ children: [] }, '`children` to hold at least 1'],
    [
      { children: [{ id: 'a', restart: 'never' as 'temporary' }] },
      '`children.a.restart` to be permanent or transient or temporary, got `"never"`',
    ],
    [
      { children: transient('a'), intensity: { restarts: -1 } },
      '`intensity.restarts` to be a whole number from 0 to 1000, got `-1`',
    ],
    [
      { children: transient('a'), strategy: 'all' as 'one-for-all' },
      '`strategy` to be one-for-one or one-for-all or rest-for-one',
    ],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(supervisor, input).failure()).toContain(sentence);
  });

  test('whatever fails: never two incarnations of a child, never more restarts in the window than allowed, and who succeeded is not run again', () => {
    const options = fc.record({
      kinds: fc.array(fc.constantFrom('transient' as const, 'temporary' as const), { minLength: 1, maxLength: 4 }),
      strategy: fc.constantFrom('one-for-one' as const, 'one-for-all' as const, 'rest-for-one' as const),
      restarts: fc.nat(4),
      isTimed: fc.boolean(),
      restartAfter: fc.nat(9),
    });
    fc.assert(
      fc.property(
        options,
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.func(fc.nat(2)),
        ({ kinds, strategy, restarts, isTimed, restartAfter }, choices, luck) => {
          const children = kinds.map((restart, index) => ({ id: `c${index}`, restart }));
          const group = simulate(supervisor, { children, strategy, intensity: { restarts, withinMs: 1_000 } });
          drive(group, {
            choices,
            restartAfter,
            isTimed,
            stepsMax: 60,
            // The tenth incarnation succeeds, so that it ends also where restarts grow old.
            outcome: ({ address, incarnation }) =>
              luck(address, incarnation) === 0 && incarnation < 10 ? fail() : ok(address),
          });
          for (const { id, restart } of children) {
            const runs = who(group, 'asked').filter((one) => one === id).length;
            if (restart === 'temporary') expect(runs).toBe(1);
            expect(who(group, 'ok').filter((one) => one === id).length).toBeLessThanOrEqual(1);
          }
          let recent = 0;
          for (const one of group.happenings) {
            if (one.what === 'timer') recent -= 1;
            if (one.what === 'emitted') recent += 1;
            expect(recent).toBeLessThanOrEqual(restarts);
          }
          if (group.end?.status === 'failed') expect(group.failure()).toContain(`and ${restarts} are allowed`);
          else expect(group.output().children.every(({ status }) => status !== 'running')).toBe(true);
        },
      ),
    );
  });

  test('in a run whose host dies after a restart: it counts on, and the others go on', async () => {
    const run = await runGroup(
      supervisor,
      { children: transient('a', 'b') },
      {
        script: { a: ({ key }) => (key.includes('#1/') ? fail() : ok('a')), b: ok('b') },
        dies: {
          script: { a: ({ key }) => (key.includes('#1/') ? fail() : hold), b: hold },
          when: [{ member: 'a', count: 2 }],
        },
      },
    );
    expect(run.output()).toMatchObject({
      restarts: 1,
      children: [
        { restarts: 1, output: 'a' },
        { restarts: 0, output: 'b' },
      ],
    });
  });

  test('in a run: `stop` ends all attempts', async () => {
    const run = await runGroup(
      supervisor,
      { children: [{ id: 'a' }, { id: 'b' }] },
      { script: { '*': hold }, signals: [{ when: 'b', event: { type: 'stop' } }] },
    );
    expect(run.output().children).toMatchObject([{ status: 'stopped' }, { status: 'stopped' }]);
    expect(run.cancelled.toSorted()).toEqual(['a', 'b']);
  });
});
