/** What was asked of a group is acknowledged when it is durable, not when its journal has given up. */
import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { TroupeError, coordinator, defineProcess, gate, type Journal, type JournalStore } from 'troupe';
import { driven, finished, stage } from '../support/running.ts';

const asking = coordinator(
  setup({ actions: { ask: gate({ name: 'ship', question: 'Ship it?' }) } }).createMachine({
    id: 'asking',
    initial: 'asking',
    states: { asking: { entry: 'ask', on: { approved: 'over' } }, over: { type: 'final' } },
    output: 'shipped',
  }),
);

test('an answer that was lost with the journal is not acknowledged, and its gate stays open', async () => {
  const play = stage(defineProcess('asking', (ctx) => ctx.group('group', asking, undefined).output));
  const full = (journal: Journal): Journal => ({
    ...journal,
    async append(stream, expectedSeq, epoch, events) {
      if (events.some(({ type }) => type === 'gate.answered')) throw new TroupeError('JOURNAL_IO', 'no space left');
      return await journal.append(stream, expectedSeq, epoch, events);
    },
  });
  const store: JournalStore = {
    list: () => play.store.list(),
    open: async (run, options) => full(await play.store.open(run, options)),
  };
  const { run } = await driven(play, { store });
  const answer = { group: 'group', gate: 'ship', approved: true, note: '' };
  await expect(run.answer(answer)).rejects.toMatchObject({ code: 'JOURNAL_IO' });
  await run.close();
  const again = await driven(play);
  await again.run.answer(answer);
  await again.run.close();
  expect(await finished(play)).toEqual({ status: 'completed', output: 'shipped' });
});
