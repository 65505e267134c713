/** Rare words of XState, through live actors and through the fold side by side, written and read again before every event. */
import { assign, emit } from 'xstate';
import { expect, test } from 'vitest';
import { persist, restore } from '../../src/group/step.ts';
import { group, machine, type Loose } from './group-under-test.ts';
import { sideBySide } from './side-by-side.ts';

test('one object in two places of a context is one after a restart: it is found, and taken out, by identity', () => {
  const tasks = machine({
    context: ({ input }: Loose) => ({
      tasks: input.map((name: string) => ({ name })),
      current: undefined,
      list: [undefined],
    }),
    on: {
      take: { actions: assign({ current: ({ context }: Loose) => context.tasks[0] }) },
      finish: {
        guard: ({ context }: Loose) => context.tasks.includes(context.current),
        actions: [
          assign({ tasks: ({ context }: Loose) => context.tasks.filter((task: Loose) => task !== context.current) }),
          emit(({ context }: Loose) => ({ type: 'left', count: context.tasks.length })),
        ],
      },
    },
  });
  const seen = sideBySide(tasks, ['take', 'finish', 'take', 'finish', 'finish'], ['a', 'b']);
  expect(seen.flatMap(({ emitted }) => emitted)).toEqual([
    { type: 'left', count: 1 },
    { type: 'left', count: 0 },
  ]);
});

test('a snapshot of the first form is read, one of a later form is not', () => {
  const one = group(machine({ context: { list: [{ n: 1 }] } }));
  const written = persist(one.system) as Loose;
  expect(persist(restore(one.definition, { ...written, format: 1 }))).toEqual(written);
  for (const format of [0, 3, null, 'x'])
    expect(() => restore(one.definition, { ...written, format } as Loose)).toThrow('JOURNAL_FORMAT');
});
