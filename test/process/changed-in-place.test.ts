/** Machines that change their context in place, which XState allows: what is recorded does not change with it. */
import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { coordinator, defineProcess, member, verifyRun } from 'troupe';
import { ok } from 'troupe/harness';
import { finished, stage } from '../support/running.ts';

const parts = { actors: { member } };

/** Takes its tasks out of its input, one by one. */
const queue = coordinator(
  setup({
    ...parts,
    types: {} as { input: { todo: string[] }; context: { todo: string[]; now: string }; output: number },
  }).createMachine({
    id: 'queue',
    context: ({ input }) => ({ todo: input.todo, now: '' }),
    initial: 'next',
    states: {
      next: {
        always: [
          { guard: ({ context }) => context.todo.length === 0, target: 'end' },
          { target: 'doing', actions: assign({ now: ({ context }) => context.todo.shift() ?? '' }) },
        ],
      },
      doing: {
        invoke: {
          src: 'member',
          id: 'doer',
          input: ({ context }) => ({ prompt: context.now }),
          onDone: 'next',
          onError: 'end',
        },
      },
      end: { type: 'final' },
    },
    output: ({ context }) => context.todo.length,
  }),
);

/** Puts what it hears into the list that stands in its configuration. */
const list = coordinator(
  setup({ ...parts, types: {} as { context: { list: unknown[]; heard: number }; output: number } }).createMachine({
    id: 'list',
    context: { list: [], heard: 0 },
    initial: 'doing',
    states: {
      doing: {
        invoke: {
          src: 'member',
          id: 'doer',
          input: { prompt: 'x' },
          onDone: {
            target: 'end',
            actions: assign(({ context, event }) => ({ heard: context.list.push(event.output) })),
          },
          onError: 'end',
        },
      },
      end: { type: 'final' },
    },
    output: ({ context }) => context.list.length,
  }),
);

test('neither groups of one machine nor a replay in the same process see what another did', async () => {
  const process = defineProcess('changing', async (ctx) => [
    await ctx.group('queue', queue, { todo: ['a', 'b'] }).output,
    await ctx.group('first', list, null).output,
    await ctx.group('second', list, null).output,
  ]);
  const play = stage(process, { '*': () => ok(1) });
  expect(await finished(play)).toEqual({ status: 'completed', output: [0, 1, 1] });
  const check = await verifyRun({ store: play.store, run: 'run', process });
  expect(check.groups.map(({ name }) => name)).toEqual(['queue', 'first', 'second']);
});
