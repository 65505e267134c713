/** A gate that its coordinator opens again: the process says which of its answers it means. */
import { setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import { coordinator, defineProcess, gate, verifyRun, type Journal } from 'troupe';
import { asking } from '../support/asking.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, killed, open, stage, story } from '../support/running.ts';

describe('a gate that is opened again', () => {
  const looping = defineProcess('looping', async (ctx) => {
    const group = ctx.group('group', asking, undefined);
    let round = 0;
    for await (const { name } of group.checkpoints) {
      round += 1;
      await group.approve('ship', { reject: round < 3, note: `${name} ${round}`, round });
    }
    return group.output;
  });
  const said = [
    ['rejected', 'ship', 'asked 1', 'process'],
    ['rejected', 'ship', 'asked 2', 'process'],
    ['approved', 'ship', 'asked 3', 'process'],
  ];

  test('is answered by its process round by round, once each, wherever the host dies', async () => {
    for (let atAppend = 1; atAppend < 60; atAppend += 1) {
      const play = stage(looping);
      const end = await killed(play, { atAppend, isWritten: atAppend % 2 === 0 });
      const run = await open(play);
      expect(await run.drive()).toEqual({ status: 'completed', output: said });
      await run.close();
      expect((await story(play)).filter((line) => line === 'gate.answered')).toHaveLength(3);
      await verifyRun({ store: play.store, run: 'run', process: looping });
      if (end !== undefined) return;
    }
    throw new Error('the host never got to the end');
  });

  test('counts the answers of others too', async () => {
    let approve: () => void = () => {};
    const process = defineProcess('second', async (ctx) => {
      const group = ctx.group('group', asking, undefined);
      await new Promise<void>((resolve) => (approve = resolve));
      await group.approve('ship', { note: 'mine' });
      await group.approve('ship', { note: 'mine', round: 2 });
      return group.output;
    });
    const { run, end } = await driven(stage(process));
    await run.answer({ gate: 'ship', approved: false, note: 'first' });
    await settle();
    approve();
    expect(await end).toMatchObject({
      output: [
        ['rejected', 'ship', 'first', 'outside'],
        ['approved', 'ship', 'mine', 'process'],
      ],
    });
    await run.close();
  });

  const wrong = [
    { round: 2, code: 'UNKNOWN_GATE', says: 'has had no answer at gate `ship`, so round 2 is not open' },
    { round: 0, code: 'BAD_INPUT', says: 'expected `round` to be a whole number >= 1, got `0`' },
    { round: 1.5, code: 'BAD_INPUT', says: 'expected `round` to be a whole number >= 1, got `1.5`' },
  ];
  test.each(wrong)('has no round $round at first: $code', async ({ round, code, says }) => {
    const process = defineProcess('wrong', async (ctx) => {
      const group = ctx.group('group', asking, undefined);
      for await (const _ of group.checkpoints) await group.approve('ship', { round });
    });
    const run = await open(stage(process));
    const told = await run.drive().then(JSON.stringify, String);
    expect(told).toContain(code);
    expect(told).toContain(says);
    await run.close();
  });

  test('is not answered twice in one round: the second call is told which round to say', async () => {
    const process = defineProcess('twice', async (ctx) => {
      const group = ctx.group('group', asking, undefined);
      for await (const _ of group.checkpoints) await group.approve('ship', { reject: true });
    });
    const run = await open(stage(process));
    await expect(run.drive()).rejects.toThrow('DUPLICATE_NAME: gate `ship` of group `group` was answered before');
    await run.close();
  });
});

/** Asks to ship, again whenever it is reminded; and then to deploy. */
const reminded = coordinator(
  setup({
    types: {} as { events: { readonly type: 'approved' | 'remind' } },
    actions: {
      ship: gate({ name: 'ship', question: 'Ship it?' }),
      deploy: gate({ name: 'deploy', question: 'Deploy it?' }),
    },
  }).createMachine({
    id: 'reminded',
    initial: 'shipping',
    states: {
      shipping: { entry: 'ship', on: { remind: { target: 'shipping', reenter: true }, approved: 'deploying' } },
      deploying: { entry: 'deploy', on: { approved: 'deployed' } },
      deployed: { type: 'final' },
    },
  }),
);

test('an answer that comes while its gate is being opened again is heard once: not by the next host for another gate', async () => {
  let write: () => void = () => {};
  const mayBeWritten = new Promise<void>((resolve) => (write = resolve));
  let opened = 0;
  const slow = (journal: Journal): Journal => ({
    ...journal,
    async append(stream, seq, epoch, events) {
      if (events.some(({ type }) => type === 'gate.opened')) opened += 1;
      if (opened === 2) await mayBeWritten;
      return await journal.append(stream, seq, epoch, events);
    },
  });
  const process = defineProcess('reminded', (ctx) => ctx.group('group', reminded, undefined).output);
  const play = stage(process);
  const { open: openJournal, list } = play.store;
  const { run } = await driven(play, {
    store: { open: async (...given) => slow(await openJournal(...given)), list },
  });
  await run.signal('group', { type: 'remind' }, { id: 'remind' });
  await settle();
  expect(opened).toBe(2);
  const answering = run.answer({ gate: 'ship', approved: true });
  write();
  await answering;
  await settle();
  await run.close();
  const { run: next } = await driven(play);
  await next.stop('seen');
  await next.close();
  expect((await story(play, 'group:group', ['name', 'id'])).slice(2)).toEqual([
    'signal remind',
    'gate.opened ship',
    'gate.answered ship',
    'signal gate 3:0',
    'gate.opened deploy',
  ]);
});
