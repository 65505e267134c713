import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { election } from '../../machines/index.ts';
import { fail, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, checkpoints, drive, mostAtOnce, simulate, who } from './simulate.ts';

const members = [{ id: 'a' }, { id: 'b', prompt: 'own' }, { id: 'c' }];

describe('election', () => {
  test('the first of the ring leads; when it fails the next takes over and is told', () => {
    const group = simulate(election, { members, lead: { prompt: 'lead', input: { task: 1 } } });
    expect(asked(group, 'a')).toEqual({ prompt: 'lead', input: { task: 1, term: 1, before: null } });
    group.break('a', 'crashed');
    expect(group.open()).toEqual(['b']);
    expect(asked(group, 'b')).toEqual({
      prompt: 'own',
      input: {
        task: 1,
        term: 2,
        before: {
          term: 1,
          leader: 'a',
          end: 'failed',
          error: expect.objectContaining({ message: 'crashed' }) as unknown,
        },
      },
    });
    group.settle('b', 'won');
    expect(group.output()).toMatchObject({
      leader: 'b',
      output: 'won',
      terms: [{ end: 'failed' }, { leader: 'b', end: 'succeeded' }],
    });
    expect(checkpoints(group)).toEqual(['term 1: a failed', 'term 2: b succeeded']);
  });

  test('after the last of the ring the first leads again; when the terms are used up the group fails', () => {
    const group = simulate(election, { members, termsMax: 4 });
    for (const id of ['a', 'b', 'c']) group.break(id);
    group.break('a', 'again');
    expect(group.failure()).toBe('nobody has led to the end in 4 terms: member `a` failed: again');
  });

  test('with onSuccess `next` a leader that succeeds hands over, until the terms are used up', () => {
    const group = simulate(election, { members, onSuccess: 'next', termsMax: 4 });
    for (const id of ['a', 'b', 'c', 'a']) group.settle(id, id);
    expect(group.output()).toMatchObject({ leader: 'a', output: 'a' });
    expect(group.output().terms).toHaveLength(4);
  });

  test('a leader resigns; nobody else can resign for it, and the last term is not resigned', () => {
    const group = simulate(election, { members, termsMax: 2 });
    group.send({ type: 'resign', from: 'b' });
    expect(group.open()).toEqual(['a']);
    group.send({ type: 'resign', from: 'a' });
    expect(group.open()).toEqual(['b']);
    expect(who(group, 'cancelled')).toEqual(['a']);
    group.send({ type: 'resign', from: 'a' });
    group.send({ type: 'resign', from: 'b' });
    expect(group.open()).toEqual(['b']);
  });

  test('a leader that is not heard of within its lease is deposed; `alive` renews the lease', () => {
    const group = simulate(election, { members, leaseMs: 1_000 });
    const [before] = group.timers();
    group.send({ type: 'alive', from: 'c' });
    expect(group.timers()).toEqual([before]);
    group.send({ type: 'alive', from: 'a' });
    expect(group.timers()).toHaveLength(1);
    expect(group.timers()[0]?.dueAt).toBeGreaterThan(before?.dueAt ?? 0);
    group.restart();
    group.fire();
    expect(group.open()).toEqual(['b']);
    group.settle('b', 1);
    expect(group.output().terms).toMatchObject([
      { leader: 'a', end: 'deposed' },
      { leader: 'b', end: 'succeeded' },
    ]);
  });

  test('`stop` from outside ends it', () => {
    const group = simulate(election, { members, leaseMs: 10 });
    group.send({ type: 'stop', from: 'a' });
    expect(group.end).toBeUndefined();
    group.send({ type: 'stop' });
    expect(group.output()).toMatchObject({ leader: 'a', output: null, terms: [{ end: 'stopped' }] });
    expect(who(group, 'cancelled')).toEqual(['a']);
  });

  test.each([
    [{ members: [] }, '`members` to hold at least 1'],
    [{ members, termsMax: 0 }, '`termsMax` to be a whole number from 1 to 1000, got `0`'],
    [{ members, lead: { input: 'x' } }, '`input` of member `lead` to be an object'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(election, input).failure()).toContain(sentence);
  });

  test('whatever happens there are never two leaders, and leadership goes round the ring', () => {
    const options = fc.record({
      count: fc.integer({ min: 1, max: 4 }),
      termsMax: fc.integer({ min: 1, max: 9 }),
      goesOn: fc.boolean(),
      restartAfter: fc.nat(12),
    });
    fc.assert(
      fc.property(
        options,
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.func(fc.boolean()),
        ({ count, termsMax, goesOn, restartAfter }, choices, luck) => {
          const ring = Array.from({ length: count }, (_, index) => ({ id: `m${index}` }));
          const group = simulate(election, {
            members: ring,
            termsMax,
            leaseMs: 100,
            onSuccess: goesOn ? 'next' : 'end',
          });
          let letters = 0;
          drive(group, {
            choices,
            restartAfter,
            stepsMax: termsMax + 30,
            outcome: ({ address, incarnation }) => (luck(address, incarnation) ? ok(address) : fail()),
            letters: () =>
              (letters += 1) > 20
                ? []
                : ring.flatMap(({ id: from }) => [
                    { type: 'resign', from },
                    { type: 'alive', from },
                  ]),
          });
          expect(mostAtOnce(group)).toBe(1);
          const leaders = who(group, 'asked');
          expect(leaders).toEqual(leaders.map((_, index) => `m${index % count}`));
          expect(leaders.length).toBeLessThanOrEqual(termsMax);
          if (group.end?.status === 'completed')
            expect(group.output().terms.map(({ leader }) => leader)).toEqual(leaders);
        },
      ),
    );
  });

  test('in a run whose host dies under the second leader: it leads on', async () => {
    const run = await runGroup(election, { members }, { script: { a: fail(), b: ok('won') }, heldAtFirst: ['b'] });
    expect(run.output()).toMatchObject({ leader: 'b', output: 'won' });
    expect(run.performed).toEqual(['a', 'b', 'b']);
  });

  test('in a run: a silent leader is deposed', async () => {
    const run = await runGroup(
      election,
      { members, leaseMs: 60_000 },
      { script: { a: { step: 'hold' }, b: ok(1) }, isHurried: true },
    );
    expect(run.output()).toMatchObject({ leader: 'b', terms: [{ end: 'deposed' }, { end: 'succeeded' }] });
    expect(run.cancelled).toEqual(['a']);
  });
});
