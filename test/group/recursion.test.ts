/** Machines that spawn their own kind. */
import { assign, enqueueActions, setup, type AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { member } from '../../src/group/member.ts';
import { actors, define, persist, restore, status } from '../../src/group/step.ts';
import { group, type Loose } from './group-under-test.ts';
import { sideBySide } from './side-by-side.ts';

/** Splits its number in two until it is 1, each half in an actor of its own kind, and adds up. */
const tree = (): AnyStateMachine => {
  const machine: AnyStateMachine = setup({
    actors: {
      member,
      get tree() {
        return machine;
      },
    },
  } as Loose).createMachine({
    id: 'tree',
    context: ({ input }: Loose) => ({ n: input.n, sum: 0, heard: 0 }),
    initial: 'splitting',
    states: {
      splitting: {
        entry: enqueueActions(({ enqueue, context }: Loose) => {
          if (context.n < 2) return;
          for (const [id, n] of Object.entries({ low: Math.floor(context.n / 2), high: Math.ceil(context.n / 2) }))
            enqueue.spawnChild('tree', { id, input: { n } });
        }),
        always: [
          { guard: ({ context }: Loose) => context.n < 2, target: 'leaf' },
          { guard: ({ context }: Loose) => context.heard === 2, target: 'done' },
        ],
        on: {
          'xstate.done.actor.*': {
            actions: assign({
              sum: ({ context, event }: Loose) => context.sum + event.output,
              heard: ({ context }: Loose) => context.heard + 1,
            }),
          },
          'xstate.error.actor.*': {},
          'go': {
            actions: enqueueActions(({ enqueue }: Loose) =>
              ['low', 'high'].forEach((id) => enqueue.sendTo(id, { type: 'go' })),
            ),
          },
        },
      },
      leaf: { on: { go: { target: 'done', actions: assign({ sum: 1 }) } } },
      done: { type: 'final' },
    },
    output: ({ context }: Loose) => context.sum,
  } as Loose) as unknown as AnyStateMachine;
  return machine;
};

test('a machine that is registered in itself runs, and is written and read, like any other', () => {
  expect(sideBySide(tree(), ['go'], { n: 5 }).at(-1)).toMatchObject({ status: 'done', output: 5 });
  const one = group(tree(), { input: { n: 4 } });
  expect(actors(one.system).map(({ address }) => address)).toEqual([
    '',
    'low',
    'low::low',
    'low::high',
    'high',
    'high::low',
    'high::high',
  ]);
  expect(persist(restore(one.definition, persist(one.system)))).toEqual(persist(one.system));
  one.signal('go');
  expect(status(one.system)).toMatchObject({ status: 'completed', output: 4 });
});

test('its version is the same each time, and it nests no deeper than `depthMax`', () => {
  expect(define(tree()).version).toBe(define(tree()).version);
  expect(status(group(tree(), { input: { n: 1_000 } }).system)).toMatchObject({
    status: 'failed',
    error: { code: 'LIMIT' },
  });
});
