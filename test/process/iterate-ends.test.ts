/** What a pass of an outside orchestrator waits for no more: the run has come to its end, or is to be ended. */
import { expect, test } from 'vitest';
import { cancelRun, defineProcess } from 'troupe';
import { ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { dyingStore, entriesOf } from '../support/dying-store.ts';
import { orchestrator, waits } from '../support/orchestrator.ts';

test('not what the process has returned without: a deadline, a question, a group that is cancelled then', async () => {
  const { pass } = orchestrator(
    defineProcess('p', async (ctx) => {
      ctx.background('beside', {}, { onReturn: 'cancel' });
      const members = [{ id: 'done' }, { id: 'on', background: true }];
      const left = ctx.group('left', fanOut, { members }, { onReturn: 'cancel' });
      await left.output;
      const deadline = ctx.sleepUntil(9_000_000).then(() => 'late');
      const answer = ctx.breakpoint('hurry', { question: 'Stop waiting?' }).then(() => 'stopped');
      return await Promise.race([ctx.task('work', {}), deadline, answer]);
    }),
  );
  expect(waits(await pass())).toEqual(['member beside task', 'member left on', 'member left done']);
  expect(waits(await pass([['left', 'done', ok()]]))).toEqual([
    'member beside task',
    'member left on',
    'member work task',
    'gate hurry',
    'sleep 9000000',
  ]);
  expect(await pass([['work', 'task', ok('done')]])).toEqual({ status: 'completed', output: 'done' });
});

test('nothing any more when its cancellation was begun: the pass ends it', async () => {
  const { store, options, pass } = orchestrator(defineProcess('p', async (ctx) => ctx.task('a', {})));
  await pass();
  const dying = dyingStore(store, { atAppend: 1, isWritten: true });
  void cancelRun({ ...options, store: dying, reason: 'enough' });
  await dying.died;
  store.abandon('run');
  expect(await pass([['a', 'task', ok()]])).toEqual({ status: 'cancelled', reason: 'enough' });
  expect((await entriesOf(store)).slice(-3).map(({ type }) => type)).toEqual([
    'group.cancelled',
    'group.ended',
    'run.ended',
  ]);
});
