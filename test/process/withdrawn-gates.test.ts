/** Gates of machines below the coordinator that are gone: nobody is asked for them any more, and what they are told is no silence. */
import { assign, enqueueActions, setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import { answerUnattended, coordinator, defineProcess, verifyRun, type JsonValue } from 'troupe';
import { pipeline, withMachines } from 'troupe/machines';
import { asking } from '../support/asking.ts';
import { entriesOf } from '../support/dying-store.ts';
import { dataOf, openIn, yes } from '../support/nested-gates.ts';
import { driven, finished, killed, stage, tell } from '../support/running.ts';

/** Has a child `asker`, and another in its place, or none, when it is told. */
const replacing = coordinator(
  setup({
    types: {} as { events: { readonly type: string; readonly output: JsonValue } },
    actors: { asking },
    actions: {
      stop: enqueueActions(({ enqueue }) => enqueue.stopChild('asker')),
      begin: assign(({ spawn }) => {
        spawn('asking', { id: 'asker' });
        return {};
      }),
    },
  }).createMachine({
    id: 'replacing',
    entry: 'begin',
    initial: 'waiting',
    on: { again: { actions: ['stop', 'begin'] }, never: { actions: 'stop' }, over: '.over' },
    states: {
      waiting: { on: { 'xstate.done.actor.asker': 'over' } },
      over: { type: 'final', output: ({ event }) => event.output ?? null },
    },
    output: ({ event }) => (event as unknown as { readonly output: JsonValue }).output,
  }),
);
const replacement = defineProcess('replaced', async (ctx) => await ctx.group('group', replacing, undefined).output);

describe('an asker that is gone', () => {
  test('withdraws its gate: nothing is open, and an answer is refused', async () => {
    const play = stage(replacement);
    const { run, end } = await driven(play);
    await tell(run, 'never');
    expect(await openIn(play)).toEqual([]);
    expect(await dataOf(play, 'gate.withdrawn')).toEqual([{ name: 'asker/ship', by: 'asker', incarnation: 1 }]);
    await expect(run.answer({ ...yes('asker/ship'), group: 'group' })).rejects.toThrow('has no gate `asker/ship`');
    await tell(run, 'over');
    await end;
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process: replacement });
  });

  test('is none of its next incarnation, which opens its own', async () => {
    const play = stage(replacement);
    const { run, end } = await driven(play);
    await run.answer({ gate: 'asker/ship', approved: false, note: 'once' });
    await tell(run, 'again');
    expect(await openIn(play)).toEqual(['asker/ship']);
    await run.answer(yes('asker/ship'));
    expect(await end).toEqual({ status: 'completed', output: [['approved', 'ship', '', 'outside']] });
    await run.close();
    const signals = (await dataOf(play, 'signal')).filter(
      (data) => (data as { readonly to?: object }).to !== undefined,
    );
    expect(signals).toMatchObject([{ to: { incarnation: 1 } }, { to: { incarnation: 2 } }]);
    await verifyRun({ store: play.store, run: 'run', process: replacement });
  });

  test('leaves one gate to its next incarnation, wherever the host is killed', async () => {
    const process = defineProcess('again', async (ctx) => {
      const group = ctx.group('group', replacing, undefined);
      let asked = 0;
      for await (const _ of group.checkpoints) {
        asked += 1;
        if (asked === 1) await group.send({ type: 'again' });
        else await group.approve('asker/ship', { note: 'once' });
      }
      return await group.output;
    });
    for (let atAppend = 1; ; atAppend += 1) {
      const play = stage(process);
      const end = await killed(play, { atAppend, isWritten: atAppend % 2 === 0 });
      const output = [['approved', 'ship', 'once', 'process']];
      expect(end ?? (await finished(play))).toEqual({ status: 'completed', output });
      expect(await dataOf(play, 'gate.opened')).toMatchObject([{ incarnation: 1 }, { incarnation: 2 }]);
      expect(await dataOf(play, 'gate.withdrawn')).toEqual([{ name: 'asker/ship', by: 'asker', incarnation: 1 }]);
      expect(await dataOf(play, 'letter.dead')).toEqual([]);
      await verifyRun({ store: play.store, run: 'run', process });
      if (end !== undefined) return;
    }
  });

  test('is not asked for where its host died before that was recorded, and what it was told is a dead letter', async () => {
    const play = stage(replacement);
    await (await driven(play)).run.stop('for now');
    play.store.abandon('run');
    const journal = await play.store.open('run');
    const { epoch } = await journal.lease();
    const { seq } = (await entriesOf(play.store)).findLast(({ stream }) => stream === 'group:group') as { seq: number };
    const data = { id: 'stop it', from: 'outside', event: { type: 'never' } };
    await journal.append('group:group', seq, epoch, [{ type: 'signal', at: play.clock.now(), data }]);
    await journal.close();
    const forked = await play.store.fork?.('run', { at: (await entriesOf(play.store)).length, as: 'run2' });
    expect(forked).toBeDefined();

    // Nobody has folded it yet: as far as the journal says, the gate is open.
    await answerUnattended({ store: play.store, run: 'run2', answer: yes('asker/ship') });
    for (const [name, withdrawals, letters] of [
      ['run', 1, 0],
      ['run2', 0, 1],
    ] as const) {
      const { run } = await driven(play, { run: name });
      expect(await openIn(play, name)).toEqual([]);
      const types = (await entriesOf(play.store, name)).map(({ type }) => type);
      expect(types.filter((type) => type === 'gate.withdrawn')).toHaveLength(withdrawals);
      expect(types.filter((type) => type === 'letter.dead')).toHaveLength(letters);
      await run.stop('seen');
      await run.close();
      await verifyRun({ store: play.store, run: name, process: replacement });
    }
  });

  test('withdraws with its group, and where it ends in the turn in which it asks', async () => {
    const hasty = setup({ types: {} as { emitted: { readonly type: string } } }).createMachine({
      id: 'hasty',
      entry: asking.implementations.actions['openGate'] as never,
      initial: 'over',
      states: { over: { type: 'final' } },
    });
    const process = defineProcess('hasty', async (ctx) => {
      const group = ctx.group('group', withMachines(pipeline, { hasty, asking }), {
        steps: [
          { id: 'h', machine: 'hasty' },
          { id: 'a', machine: 'asking' },
        ],
      });
      group.output.catch(() => {});
      await ctx.breakpoint('stop', { question: 'Stop?' });
      await group.cancel();
    });
    const play = stage(process);
    const { run, end } = await driven(play);
    expect(await openIn(play)).toEqual(['stop', 'a/ship']);
    await run.answer(yes('stop'));
    expect(await end).toMatchObject({ status: 'completed' });
    await run.close();
    const left = (await dataOf(play, 'gate.withdrawn')).map((data) => (data as { readonly by: string }).by);
    expect(left).toEqual(['h', 'a']);
  });
});
