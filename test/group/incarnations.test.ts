/** A member that is stopped and spawned again under its id: the two never work at the same time. */
import { assign, sendParent, setup, spawnChild, stopChild } from 'xstate';
import { expect, test } from 'vitest';
import { coordinator, defineProcess } from 'troupe';
import { never, ok } from 'troupe/harness';
import { settle } from '../support/hand-clock.ts';
import { calling, driven, finished, stage, story, tell } from '../support/running.ts';

test('a new incarnation is performed when the attempt of the one before has ended, not sooner', async () => {
  const play = stage(calling({ members: [{ id: 'a', prompt: 'first' }], until: 1 }), { a: never });
  const { run, end } = await driven(play);
  await tell(run, 'respawn', { id: 'a', invocation: { prompt: 'second' } });
  expect(play.harness.calls.map(({ invocation }) => invocation.prompt)).toEqual(['first']);
  play.harness.settle('a', ok('late'));
  await settle();
  expect(play.harness.calls.map(({ invocation }) => invocation.prompt)).toEqual(['first', 'second']);
  play.harness.settle('a', ok('right'));
  expect(await end).toMatchObject({ status: 'completed', output: [['xstate.done.actor.a', 'right']] });
  await run.close();
  expect(await story(play, 'group:group', ['member', 'incarnation', 'attempt'])).toEqual([
    'group.created',
    'attempt.started a 1 1',
    'signal',
    'attempt.cancelled a 1 1',
    'letter.dead',
    'attempt.started a 2 1',
    'member.settled a 2 1',
    'group.ended',
  ]);
});

test('one that is stopped while it waits for that is never performed', async () => {
  const play = stage(calling({ members: [{ id: 'a', prompt: 'first' }] }), { a: never });
  const { run, end } = await driven(play);
  await tell(run, 'respawn', { id: 'a', invocation: { prompt: 'second' } });
  await tell(run, 'respawn', { id: 'a', invocation: { prompt: 'third' } });
  play.harness.settle('a', ok('late'));
  await settle();
  expect(play.harness.calls.map(({ invocation }) => invocation.prompt)).toEqual(['first', 'third']);
  await tell(run, 'stop', { id: 'a' });
  play.harness.settle('a', ok('later'));
  await tell(run, 'end');
  expect(await end).toMatchObject({ status: 'completed' });
  await run.close();
});

test('one that replaces a coordinator at work keeps its timers: what is cleared is the one before’s', async () => {
  const nested = setup({
    actions: {
      again: sendParent({ type: 'again' }),
      late: sendParent({ type: 'late' }),
    },
  }).createMachine({
    initial: 'working',
    states: { working: { after: { 100: { actions: 'again' }, 1_000: 'late' } }, late: { entry: 'late' } },
  });
  const parent = coordinator(
    setup({
      types: {} as { context: { readonly replaced: number }; output: string },
      actors: { nested },
      guards: { isFirst: ({ context }) => context.replaced === 0 },
      actions: {
        begin: spawnChild('nested', { id: 'nested' }),
        stop: stopChild('nested'),
        count: assign({ replaced: ({ context }) => context.replaced + 1 }),
      },
    }).createMachine({
      id: 'parent',
      context: { replaced: 0 },
      entry: 'begin',
      initial: 'waiting',
      states: { waiting: { on: { late: 'over' } }, over: { type: 'final' } },
      on: { again: { guard: 'isFirst', actions: ['count', 'stop', 'begin'] } },
      output: 'late',
    }),
  );
  const still = stage(defineProcess('replacing', async (ctx) => ctx.group('group', parent, undefined).output));
  expect(await finished(still)).toEqual({ status: 'completed', output: 'late' });
});
