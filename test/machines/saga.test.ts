import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { saga } from '../../machines/index.ts';
import { fail, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, emitted, mostAtOnce, simulate, who } from './simulate.ts';

const undo = { compensate: { prompt: 'undo' } };
const steps = [{ id: 'flight', ...undo }, { id: 'mail' }, { id: 'hotel', ...undo }, { id: 'pay', ...undo }];

describe('saga', () => {
  test('when all steps are done nothing is undone, and each got what the one before came to', () => {
    const group = simulate(saga, { steps, previous: 'order' });
    expect(asked(group, 'flight').input).toEqual({ previous: 'order' });
    group.settle('flight', 'F');
    expect(asked(group, 'mail').input).toEqual({ previous: 'F' });
    for (const id of ['mail', 'hotel', 'pay']) group.settle(id, id);
    expect(group.output()).toMatchObject({ completed: true, failed: null, compensated: [], uncompensated: [] });
    expect(group.output().results.map(({ id }) => id)).toEqual(['flight', 'mail', 'hotel', 'pay']);
  });

  test('when a step fails, those before it are undone in reverse order, one at a time', () => {
    const group = simulate(saga, { steps });
    for (const id of ['flight', 'mail', 'hotel']) group.settle(id, `${id} done`);
    group.break('pay', 'no money');
    expect(group.open()).toEqual(['hotel/undo']);
    expect(asked(group, 'hotel/undo')).toEqual({ prompt: 'undo', input: { output: 'hotel done', reason: 'no money' } });
    group.settle('hotel/undo', null);
    group.settle('flight/undo', null);
    expect(group.output()).toMatchObject({
      completed: false,
      failed: { id: 'pay', error: { message: 'no money' } },
      compensated: ['hotel', 'flight'],
      uncompensated: [],
    });
    expect(emitted(group).map(({ name }) => name)).toEqual(['flight', 'mail', 'hotel', 'hotel/undo', 'flight/undo']);
  });

  test('a compensation that fails is tried again after a wait; in the end it is reported, and the rest goes on', () => {
    const group = simulate(saga, { steps, compensationAttempts: 2, compensationDelayMs: 500 });
    for (const id of ['flight', 'mail', 'hotel']) group.settle(id, null);
    group.break('pay');
    group.break('hotel/undo', 'closed');
    expect(group.open()).toEqual([]);
    group.restart();
    group.fire();
    group.break('hotel/undo', 'still closed');
    expect(group.open()).toEqual(['flight/undo']);
    group.break('flight/undo');
    group.fire();
    group.settle('flight/undo', null);
    expect(group.output()).toMatchObject({
      compensated: ['flight'],
      uncompensated: [{ id: 'hotel', error: { message: 'still closed' } }],
    });
  });

  test('a step, or a compensation, for a machine that is not there leaves nothing that was done as it is', () => {
    const group = simulate(saga, {
      steps: [
        { id: 'flight', ...undo },
        { id: 'hotel', compensate: { machine: 'refund' } },
        { id: 'car', ...undo },
        { id: 'pay', machine: 'payment', ...undo },
      ],
    });
    for (const id of ['flight', 'hotel', 'car']) group.settle(id, null);
    expect(group.open()).toEqual(['car/undo']);
    group.restart();
    group.settle('car/undo', null);
    group.settle('flight/undo', null);
    expect(group.output()).toMatchObject({
      completed: false,
      failed: { id: 'pay', error: { message: expect.stringContaining('there is no machine `payment` in this one') } },
      compensated: ['car', 'flight'],
      uncompensated: [{ id: 'hotel', error: { message: expect.stringContaining('there is no machine `refund`') } }],
    });
  });

  test('before anything was done, such a step fails the group with what to mend', () => {
    const group = simulate(saga, { steps: [{ id: 'pay', machine: 'payment' }] });
    expect(group.failure()).toContain('add it with withMachines(machine, { payment })');
  });

  test('abort from outside stops the step under way and undoes what was done', () => {
    const group = simulate(saga, {
      steps: [
        { id: 'a', ...undo },
        { id: 'b', ...undo, undoWhenFailed: true },
      ],
    });
    group.settle('a', 1);
    group.send({ type: 'abort', from: 'b' });
    expect(group.open()).toEqual(['b']);
    group.send({ type: 'abort', reason: 'changed my mind' });
    expect(who(group, 'cancelled')).toEqual(['b']);
    expect(asked(group, 'b/undo').input).toEqual({ output: null, reason: 'aborted: changed my mind' });
    group.send({ type: 'abort' });
    group.settle('b/undo', null);
    group.settle('a/undo', null);
    expect(group.output()).toMatchObject({ completed: false, failed: { id: 'b' }, compensated: ['b', 'a'] });
  });

  test('the first step’s failure leaves nothing to undo', () => {
    const group = simulate(saga, { steps });
    group.break('flight');
    expect(group.output()).toMatchObject({ completed: false, results: [], compensated: [] });
  });

  test.each([
    [{ steps: [] }, '`steps` to hold at least 1'],
    [{ steps, compensationAttempts: 0 }, '`compensationAttempts` to be a whole number from 1 to 100, got `0`'],
    [{ steps: [{ id: 'a', ...undo }, { id: 'a/undo' }] }, 'step `a/undo` has the name of the compensation of step `a`'],
    [{ steps: [{ id: 'a', compensate: { input: 1 } }] }, '`input` of member `a/undo` to be an object'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(saga, input).failure()).toContain(sentence);
  });

  test('whatever fails: each done step with a compensation is undone exactly once or reported, in reverse order, and no step runs after', () => {
    const shape = fc.array(fc.record({ canUndo: fc.boolean(), whenFailed: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        shape,
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.func(fc.nat(3)),
        fc.nat(12),
        (shapes, choices, luck, restartAfter) => {
          const made = shapes.map(({ canUndo, whenFailed }, index) => ({
            id: `s${index}`,
            ...(canUndo ? undo : {}),
            undoWhenFailed: whenFailed,
          }));
          const group = simulate(saga, { steps: made, compensationAttempts: 2 });
          let hasAborted = false;
          drive(group, {
            choices,
            restartAfter,
            stepsMax: made.length * 6 + 3,
            outcome: ({ address, incarnation }) => (luck(address, incarnation) === 0 ? fail() : ok(address)),
            letters: () => (hasAborted || choices[0] !== 7 ? [] : ((hasAborted = true), [{ type: 'abort' }])),
          });
          expect(mostAtOnce(group)).toBe(1);
          const { completed, results, failed, compensated, uncompensated } = group.output();
          const done = results.map(({ id }) => id);
          expect(done).toEqual(made.slice(0, done.length).map(({ id }) => id));
          const begun = made
            .slice(0, done.length + 1)
            .filter((step) => 'compensate' in step && (done.includes(step.id) || step.undoWhenFailed));
          const toUndo = completed ? [] : begun.map(({ id }) => id).toReversed();
          const handled = new Set([...compensated, ...uncompensated.map(({ id }) => id)]);
          expect(toUndo.filter((id) => handled.has(id))).toEqual(toUndo);
          expect(handled.size).toBe(compensated.length + uncompensated.length);
          expect(handled.size).toBe(toUndo.length);
          expect(compensated).toEqual(toUndo.filter((id) => compensated.includes(id)));
          expect(completed).toBe(failed === null);
          for (const id of compensated) expect(who(group, 'ok').filter((one) => one === `${id}/undo`)).toHaveLength(1);
          const firstUndo = who(group, 'asked').findIndex((id) => id.endsWith('/undo'));
          if (firstUndo !== -1)
            expect(
              who(group, 'asked')
                .slice(firstUndo)
                .every((id) => id.endsWith('/undo')),
            ).toBe(true);
        },
      ),
    );
  });

  test('in a run whose host dies while undoing: no compensation that succeeded is made again', async () => {
    const run = await runGroup(
      saga,
      { steps },
      { script: { 'pay': fail(), '*': ok('done') }, heldAtFirst: ['flight/undo'] },
    );
    expect(run.output()).toMatchObject({ completed: false, compensated: ['hotel', 'flight'] });
    expect(run.performed).toEqual(['flight', 'mail', 'hotel', 'pay', 'hotel/undo', 'flight/undo', 'flight/undo']);
  });

  test('in a run: a compensation is tried again when its wait is over', async () => {
    const run = await runGroup(
      saga,
      { steps },
      {
        script: { 'mail': fail(), 'flight/undo': ({ key }) => (key.includes('#3/') ? ok() : fail()), '*': ok() },
        isHurried: true,
      },
    );
    expect(run.output()).toMatchObject({ compensated: ['flight'] });
    expect(run.performed).toEqual(['flight', 'mail', 'flight/undo', 'flight/undo', 'flight/undo']);
  });
});
