/** Gates of a group that has ended: its machines hear no answer any more, and so none is taken for them. */
import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { answerUnattended, coordinator, defineProcess, gate, member, type Harness } from 'troupe';
import { ok } from 'troupe/harness';
import { settle } from '../support/hand-clock.ts';
import { dataOf, openIn, yes } from '../support/nested-gates.ts';
import { driven, finished, killed, stage, story, tell } from '../support/running.ts';

/** Asks, and is over without an answer; a member of its goes on. */
const impatient = coordinator(
  setup({
    types: {} as { events: { readonly type: 'over' } },
    actors: { member },
    actions: { ask: gate({ name: 'ship', question: 'Ship it?' }) },
  }).createMachine({
    id: 'impatient',
    initial: 'asking',
    invoke: { src: 'member', id: 'left', input: { background: true } },
    states: { asking: { entry: 'ask', on: { over: 'over' } }, over: { type: 'final' } },
  }),
);
const refusal = 'UNKNOWN_GATE: group `group` has ended, and hears no answer at its gate `ship`; open gates: none.';

test('a process is told so, in each iteration, wherever its host dies', async () => {
  const process = defineProcess('impatient', async (ctx) => {
    const group = ctx.group('group', impatient, undefined);
    await group.send({ type: 'over' });
    await group.output;
    return await group.approve('ship').catch((error: unknown) => (error as Error).message);
  });
  for (let atAppend = 1; ; atAppend += 1) {
    const play = stage(process, { '*': ok(null) });
    const end = await killed(play, { atAppend, isWritten: true });
    expect(await finished(play)).toEqual({ status: 'completed', output: refusal });
    expect(await story(play)).not.toContain('gate.answered');
    if (end !== undefined) return;
  }
});

test('nobody else is asked, while a background member goes on and asks itself', async () => {
  const process = defineProcess('impatient', async (ctx) => {
    const group = ctx.group('group', impatient, undefined);
    await group.output;
    await ctx.sleepUntil(9e12);
  });
  let over: () => void = () => {};
  const isOver = new Promise<void>((resolve) => (over = resolve));
  const asks: Harness = {
    async perform(attempt) {
      await isOver;
      return ok((await attempt.gate({ name: 'ship', question: 'Mine?' })).approved);
    },
  };
  const play = stage(process, {}, { harnesses: { scripted: asks } });
  const { run } = await driven(play);
  await tell(run, 'over');
  expect(await openIn(play)).toEqual([]);
  await expect(run.answer({ ...yes('ship'), group: 'group' })).rejects.toThrow(refusal);
  over();
  await settle();
  expect(await openIn(play)).toEqual(['left/ship']);
  await run.answer({ ...yes('left/ship'), group: 'group' });
  await run.stop('seen');
  await run.close();
  expect((await dataOf(play, 'member.settled')).length).toBe(1);
  const answer = { ...yes('ship'), group: 'group' };
  await expect(answerUnattended({ store: play.store, run: 'run', answer })).rejects.toThrow('UNKNOWN_GATE');
});
