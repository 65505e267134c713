import { expect, test } from 'vitest';
import { assign, createActor, createMachine } from 'xstate';
import { coordinator } from '../../src/group/coordinator.ts';
import { snapshotAt } from '../../src/group/step.ts';
import { group } from './group-under-test.ts';

// Found by the differential test (seed 1944329845): two regions leave at once, one of them by a deep history.
const machine = createMachine({
  id: 'm',
  context: { heard: 0 },
  initial: 'both',
  states: {
    both: {
      type: 'parallel',
      on: { note: { actions: 'count' } },
      states: {
        a: { initial: 'a1', states: { a1: { on: { leave: '#out' } } } },
        b: {
          initial: 'b1',
          states: { b1: { on: { leave: '#back' } }, back: { id: 'back', type: 'history', history: 'deep' } },
        },
      },
    },
    elsewhere: { initial: 'out', states: { out: { id: 'out' } } },
  },
}).provide({
  actions: { count: assign({ heard: ({ context }: { context: { heard: number } }) => context.heard + 1 }) },
} as never);

test('what XState hears in a configuration that is none, the kernel hears too', () => {
  const live = createActor(machine);
  live.start();
  const one = group(coordinator(machine as never));
  for (const type of ['leave', 'note', 'note']) {
    live.send({ type });
    one.signal(type);
  }
  const { value, context } = live.getSnapshot();
  expect(value).toEqual({ elsewhere: 'out', both: { b: 'b1' } });
  expect(context).toEqual({ heard: 2 });
  expect(snapshotAt(one.system, '')).toMatchObject({ value, context });
});
