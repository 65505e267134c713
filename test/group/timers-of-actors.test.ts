import { assign, raise, cancel } from 'xstate';
import { describe, expect, test } from 'vitest';
import { snapshotAt, status, timers } from '../../src/group/step.ts';
import { group, machine, type Loose } from './group-under-test.ts';

describe('timers', () => {
  const clock = machine({
    context: { n: 0 },
    initial: 'on',
    states: { on: { after: { 10: 'off' }, on: { stop: 'off' } }, off: { after: { 5: 'on' } } },
    on: {
      later: { actions: raise({ type: 'tick' } as Loose, { id: 't', delay: 7 } as Loose) },
      never: { actions: cancel('t') },
      tick: { actions: assign({ n: ({ context }: Loose) => context.n + 1 }) },
    },
  });

  test('are due at the time of their entry plus the delay, and fire once', () => {
    const one = group(clock);
    expect(one.effects).toEqual(['setTimer xstate.after.10.group.on at 10']);
    const timer = timers(one.system)[0];
    one.fire();
    expect(snapshotAt(one.system, '')).toMatchObject({ value: 'off' });
    expect(one.effects).toEqual(['setTimer xstate.after.5.group.off at 15']);
    const before = one.system;
    one.fold('timer.fired', timer);
    expect(one.system).toBe(before);
  });

  test('are cleared when their state is left', () => {
    const one = group(clock);
    one.signal('stop');
    expect(one.effects).toEqual(['clearTimer xstate.after.10.group.on', 'setTimer xstate.after.5.group.off at 6']);
  });

  test('set again under one id both fire, as in XState, and only the last can be cancelled', () => {
    const one = group(clock);
    one.signal('later');
    one.signal('later');
    expect(one.effects).toEqual(['setTimer t#2 at 9']);
    one.signal('never');
    expect(one.effects).toEqual(['clearTimer t#2']);
    expect(timers(one.system).map(({ timer, dueAt }) => [timer, dueAt])).toEqual([
      ['t', 8],
      ['xstate.after.10.group.on', 10],
    ]);
    one.fire();
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { n: 1 } });
  });

  test('a delay that is no number of milliseconds fails the actor', () => {
    const one = group(
      machine({ initial: 'a', states: { a: { after: { odd: 'a' } } } }, { delays: { odd: () => Number.NaN } }),
    );
    expect(status(one.system)).toMatchObject({
      status: 'failed',
      error: {
        message:
          'machine `group`: the delay of `xstate.after.odd.group.a` is NaN: expected a finite number of milliseconds',
      },
    });
  });
});
