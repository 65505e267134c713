/** What becomes of the timers of `after` when a group is taken over by the state of its coordinator. */
import { describe, expect, test } from 'vitest';
import { migrateState } from '../../src/group/migrate-state.ts';
import { define, restore, snapshotAt, step, timers } from '../../src/group/step.ts';
import type { JsonValue } from '../../src/json.ts';
import { group, machine, told, type Loose } from './group-under-test.ts';

const waiting = (after: Loose) =>
  machine({
    id: 'deploy',
    initial: 'deploy',
    context: {},
    states: { deploy: { after, on: { go: 'late' } }, review: {}, late: {} },
  });

/** The timers of a group that `old` began, as `next` takes them over, and what the first of them then comes to. */
function takenOver(old: Loose, next: Loose, value = 'deploy') {
  const one = group(old);
  const definition = define(next);
  const written = migrateState(definition, one.system, () => ({ value, context: {} }));
  const system = restore(definition, JSON.parse(JSON.stringify(written)) as JsonValue);
  return { system, left: timers(system).map(({ timer, dueAt }) => [timer, dueAt]) };
}

describe('the timers of a state', () => {
  test('stay where it is active and waits for the same', () => {
    const { left } = takenOver(waiting({ 10: 'late', 20: 'late' }), waiting({ 10: 'review', 20: 'late' }));
    expect(left).toEqual([
      ['xstate.after.10.deploy.deploy', 10],
      ['xstate.after.20.deploy.deploy', 20],
    ]);
  });

  test('go where it is not, also where its id ends with that of an active one', () => {
    expect(takenOver(waiting({ 10: 'late' }), waiting({ 10: 'late' }), 'review').left).toEqual([]);
    expect(takenOver(waiting({ 10: 'late' }), waiting({})).left).toEqual([]);
  });

  test('keep their moment where the delay is another one: they are heard, and cancelled, by the new machine', () => {
    const { system, left } = takenOver(waiting({ 10: 'late', 30: 'late' }), waiting({ 25: 'review', 30: 'late' }));
    expect(left).toEqual([
      ['xstate.after.25.deploy.deploy', 10],
      ['xstate.after.30.deploy.deploy', 30],
    ]);
    const fired = step(system, {
      seq: 2,
      at: 10,
      type: 'timer.fired',
      data: timers(system)[0] as unknown as JsonValue,
    });
    expect(told(fired.effects)).toEqual(['clearTimer xstate.after.30.deploy.deploy']);
    const gone = step(system, { seq: 2, at: 5, type: 'signal', data: { id: 's', from: 'x', event: { type: 'go' } } });
    expect(timers(gone.system)).toEqual([]);
  });

  test('keep their moment in children too, which would not hear the older ones', () => {
    const parent = (child: Loose) =>
      machine(
        { initial: 'on', context: {}, states: { on: { invoke: { src: 'child', id: 'child' } } } },
        { actors: { child } },
      );
    const { left } = takenOver(parent(waiting({ 10: 'late' })), parent(waiting({ 25: 'late' })), 'on');
    expect(left).toEqual([['xstate.after.25.deploy.deploy', 10]]);
    expect(takenOver(parent(waiting({ 10: 'late' })), parent(waiting({})), 'on').left).toEqual([]);
    expect(() =>
      takenOver(parent(waiting({ 1: 'late', 2: 'late' })), parent(waiting({ 3: 'late', 4: 'late' })), 'on'),
    ).toThrow('state `deploy.deploy` waits for');
  });

  test('that go take nothing along of what others hold', () => {
    const child = machine({ id: 'child', context: ({ input }: Loose) => ({ tasks: [input], current: input }) });
    const parent = (after: Loose) =>
      machine(
        { initial: 'on', context: {}, states: { on: { after, invoke: { src: 'child', id: 'c', input: { n: 1 } } } } },
        { actors: { child } },
      );
    const { system, left } = takenOver(parent({ 10: {}, 20: {} }), parent({}), 'on');
    expect(left).toEqual([]);
    const { tasks, current } = (snapshotAt(system, 'c') as Loose).context;
    expect(current).toEqual({ n: 1 });
    expect(tasks[0]).toBe(current);
  });

  test('that may be one or another are not guessed', () => {
    expect(() => takenOver(waiting({ 10: 'late', 20: 'late' }), waiting({ 11: 'late', 21: 'late' }))).toThrow(
      'state `deploy.deploy` waits for xstate.after.10.deploy.deploy, xstate.after.20.deploy.deploy, and would now wait for one of xstate.after.11.deploy.deploy, xstate.after.21.deploy.deploy; keep its `after`, or take the group over with `events`',
    );
  });
});
