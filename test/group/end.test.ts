import { describe, expect, test } from 'vitest';
import { output, status, timers, wants } from '../../src/group/step.ts';
import { group, machine, spawn, type Loose } from './group-under-test.ts';

describe('the end of a group', () => {
  const ending = machine({
    initial: 'on',
    states: {
      on: { entry: [spawn('a'), spawn('b')], on: { finish: 'done', odd: 'odd' }, after: { 10: 'done' } },
      done: { type: 'final' },
      odd: { type: 'final' },
    },
    output: ({ event }: Loose) => ({ by: event.type }),
  });

  test('completed: wants are retracted, the output is told last', () => {
    const one = group(ending);
    one.signal('finish');
    expect(one.effects).toEqual(['clearTimer xstate.after.10.group.on', 'cancel a#1', 'cancel b#1', 'end completed']);
    expect(output(one.system)).toEqual({ by: 'xstate.done.state.group.done' });
    expect([wants(one.system), timers(one.system)]).toEqual([[], []]);
  });

  test('failed: of what is thrown while the context is made, only what an error has is kept, and it ends the group', () => {
    const thrown = { message: 'no such plan', when: new Date(0), retry: () => {} } as unknown as Error;
    const parts = [{}, { type: 'parallel', states: { a: {}, b: {} } }];
    for (const part of parts) {
      const context = () => {
        throw thrown;
      };
      expect(status(group(machine({ ...part, context })).system)).toEqual({
        status: 'failed',
        error: { name: 'Error', message: 'no such plan' },
      });
    }
  });

  test('cancelled: with its reason', () => {
    const one = group(ending);
    one.fold('group.cancelled', { reason: 'enough' });
    expect(one.effects).toEqual(['cancel a#1', 'cancel b#1', 'clearTimer xstate.after.10.group.on', 'end cancelled']);
    expect(status(one.system)).toEqual({ status: 'cancelled', reason: 'enough' });
  });

  test('failed: by a failure that nobody handles', () => {
    const one = group(machine({ entry: [spawn('a'), spawn('b')] }));
    one.fail('a', 'broken');
    expect(one.effects).toEqual(['cancel b#1', 'end failed']);
    expect(status(one.system)).toEqual({ status: 'failed', error: { name: 'Error', message: 'broken' } });
  });

  test('failed: by an output that is not JSON', () => {
    const one = group(machine({ initial: 'a', states: { a: { type: 'final' } }, output: () => new Map() }));
    expect(status(one.system)).toMatchObject({
      status: 'failed',
      error: { code: 'NOT_JSON', message: 'NOT_JSON: machine `group`: output: expected JSON, got a Map' },
    });
  });

  test('is terminal: what comes later is a dead letter or nothing', () => {
    const one = group(ending);
    const timer = timers(one.system)[0];
    one.signal('finish');
    const end = status(one.system);
    one.ok('a');
    expect(one.effects).toEqual(['dead a > a: troupe.settled (the group has completed)']);
    one.signal('more');
    expect(one.effects).toEqual(['dead out > : more (the group has completed)']);
    for (const [type, data] of [
      ['timer.fired', timer],
      ['group.cancelled', { reason: 'x' }],
    ] as const) {
      const before = one.system;
      one.fold(type, data);
      expect(one.system).toBe(before);
    }
    expect(status(one.system)).toEqual(end);
  });
});
