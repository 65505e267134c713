import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pipeline } from '../../machines/index.ts';
import { fail, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, emitted, simulate, who } from './simulate.ts';

const steps = [
  { id: 'build', prompt: 'build' },
  { id: 'check', members: [{ id: 'types' }, { id: 'lint', input: { own: 1 } }] },
  { id: 'notes' },
];

describe('pipeline', () => {
  test('steps run in order, and each gets what the one before came to', () => {
    const group = simulate(pipeline, { steps, previous: 'source' });
    expect(asked(group, 'build')).toEqual({ prompt: 'build', input: { previous: 'source' } });
    group.settle('build', 'dist');
    expect(group.open()).toEqual(['check/lint', 'check/types']);
    expect(asked(group, 'check/lint').input).toEqual({ own: 1, previous: 'dist' });
    group.settle('check/lint', 'clean');
    group.settle('check/types', 'sound');
    const checks = [
      { id: 'types', output: 'sound' },
      { id: 'lint', output: 'clean' },
    ];
    expect(asked(group, 'notes').input).toEqual({ previous: checks });
    group.settle('notes', 'done');
    expect(group.output()).toEqual({
      output: 'done',
      steps: [
        { id: 'build', results: [{ id: 'build', output: 'dist' }], failed: [] },
        { id: 'check', results: checks, failed: [] },
        { id: 'notes', results: [{ id: 'notes', output: 'done' }], failed: [] },
      ],
    });
    expect(emitted(group).map(({ name, settled, total }) => [name, settled, total])).toEqual([
      ['build', 1, 3],
      ['check', 2, 3],
      ['notes', 3, 3],
    ]);
  });

  test('without a `previous` the first step gets none', () => {
    expect(asked(simulate(pipeline, { steps }), 'build')).toEqual({ prompt: 'build' });
  });

  test('a failure fails the group, stops the step’s others, and later steps do not start', () => {
    const group = simulate(pipeline, { steps });
    group.settle('build', 1);
    group.break('check/types', 'boom');
    expect(group.failure()).toBe('member `check/types` failed: boom');
    expect(who(group, 'cancelled')).toEqual(['check/lint']);
    expect(who(group, 'asked')).not.toContain('notes');
  });

  test('with policy `best-effort` who fails is left out; when nobody is left the next step gets what this one got', () => {
    const group = simulate(pipeline, {
      steps: [
        { id: 'a' },
        { id: 'b', members: [{ id: 'x' }, { id: 'y' }], policy: 'best-effort' },
        { id: 'c', policy: 'best-effort' },
        { id: 'd' },
      ],
    });
    group.settle('a', 1);
    group.break('b/x');
    group.settle('b/y', 2);
    group.break('c');
    expect(asked(group, 'd').input).toEqual({ previous: [{ id: 'y', output: 2 }] });
    group.settle('d', 3);
    expect(group.output().steps.map(({ failed }) => failed.map(({ id }) => id))).toEqual([[], ['x'], ['c'], []]);
  });

  test('a step of several keeps to its concurrency', () => {
    const group = simulate(pipeline, {
      steps: [{ id: 's', concurrency: 2, members: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] }],
    });
    expect(group.open()).toEqual(['s/a', 's/b']);
    group.settle('s/b', 1);
    expect(group.open()).toEqual(['s/a', 's/c']);
  });

  test.each([
    [{ steps: [] }, '`steps` to hold at least 1'],
    [{ steps: [{ id: 'a' }, { id: 'a' }] }, 'two of `steps` are called `a`'],
    [{ steps: [{ id: 'a', members: [] }] }, '`steps.a.members` to hold at least 1'],
    [{ steps: [{ id: 'a', policy: 'ignore' as 'fail-fast' }] }, '`steps.a.policy` to be fail-fast or best-effort'],
    [{ steps: [{ id: 'a', members: [{ id: 'b' }] }, { id: 'a/b' }] }, 'two members would be called `a/b`'],
    [{ steps: [{ id: 'a', input: [1] }] }, '`input` of member `a` to be an object'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(pipeline, input).failure()).toContain(sentence);
  });

  test('in any order: a step starts only when the one before is over, and every member is asked for at most once', () => {
    const shapes = fc.array(fc.record({ size: fc.integer({ min: 1, max: 3 }), goesOn: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        shapes,
        fc.array(fc.nat(), { minLength: 1, maxLength: 7 }),
        fc.func(fc.boolean()),
        fc.nat(8),
        (shape, choices, succeeds, restartAfter) => {
          const made = shape.map(({ size, goesOn }, index) => ({
            id: `s${index}`,
            members: Array.from({ length: size }, (_, number) => ({ id: `${number}` })),
            policy: goesOn ? ('best-effort' as const) : ('fail-fast' as const),
          }));
          const group = simulate(pipeline, { steps: made });
          drive(group, {
            choices,
            restartAfter,
            stepsMax: 12,
            outcome: ({ address }) => (succeeds(address) ? ok(address) : fail()),
          });
          const order = who(group, 'asked').map((id) => Number(id.slice(1, 2)));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
          expect(new Set(who(group, 'asked')).size).toBe(order.length);
          const stops = made.some(
            ({ id, members, policy }) => policy === 'fail-fast' && members.some((one) => !succeeds(`${id}/${one.id}`)),
          );
          expect(group.end?.status).toBe(stops ? 'failed' : 'completed');
        },
      ),
    );
  });

  test('in a run whose host dies in the second step: the first is not done again', async () => {
    const run = await runGroup(
      pipeline,
      { steps },
      { script: { '*': ({ member }) => ok(member) }, heldAtFirst: ['check/lint'] },
    );
    expect(run.output().output).toBe('notes');
    for (const id of ['build', 'check/types', 'notes'])
      expect(run.performed.filter((one) => one === id)).toHaveLength(1);
    expect(run.checkpoints).toEqual(['build', 'check', 'notes']);
  });
});
