/** Gates, checkpoints of members and of the process, and background work. */
import { assign, setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import { coordinator, defineProcess, member, verifyRun, type Harness } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { asking } from '../support/asking.ts';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, killed, open, stage, story } from '../support/running.ts';

describe('a gate of a coordinator', () => {
  const process = defineProcess('gated', (ctx) => ctx.group('group', asking, undefined).output);

  test('waits for its answer, may be opened again, and an answered one stays answered', async () => {
    const play = stage(process);
    const { run, end } = await driven(play);
    await run.answer({ gate: 'ship', approved: false, note: 'not yet' });
    await settle();
    await run.answer({ group: 'group', gate: 'ship', approved: true, note: 'now' });
    expect(await end).toEqual({
      status: 'completed',
      output: [
        ['rejected', 'ship', 'not yet', 'outside'],
        ['approved', 'ship', 'now', 'outside'],
      ],
    });
    await expect(run.answer({ gate: 'ship', approved: true, note: '' })).rejects.toThrow('UNKNOWN_GATE');
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test('is answered where it is open: not in a group that is over, and in one of several only by its name', async () => {
    const play = stage(
      defineProcess('gated', async (ctx) => {
        await ctx.group('over', asking, undefined).cancel();
        const groups = ['one', 'two'].map((name) => ctx.group(name, asking, undefined).output);
        return (await ctx.parallel.all(groups)).flat(2);
      }),
    );
    const { run, end } = await driven(play);
    const answer = (note: string) => ({ gate: 'ship', approved: true, note });
    await expect(run.answer(answer(''))).rejects.toThrow('open in several places: group one, group two');
    await run.answer({ ...answer('by name'), group: 'two' });
    await run.answer(answer('the only one'));
    expect(await end).toMatchObject({
      output: ['approved', 'ship', 'the only one', 'outside', 'approved', 'ship', 'by name', 'outside'],
    });
    await run.close();
  });

  test('survives its host at every append', async () => {
    for (let atAppend = 1; atAppend < 40; atAppend += 1) {
      const play = stage(process);
      const died = await killed(play, { atAppend, isWritten: true }).catch(() => 'stuck');
      play.store.abandon('run');
      const run = await open(play);
      const end = run.drive();
      await settle();
      await run.answer({ gate: 'ship', approved: true, note: '' }).catch(() => {});
      expect(await end).toEqual({ status: 'completed', output: [['approved', 'ship', '', 'outside']] });
      await run.close();
      expect((await story(play)).filter((line) => line === 'gate.opened')).toHaveLength(1);
      if (died === 'stuck') return;
    }
    throw new Error('the host never got as far as the gate');
  });
});

test('a gate that somebody answers a moment before the process does is answered, in each iteration', async () => {
  let approve: () => void = () => {};
  const process = defineProcess('approving', async (ctx) => {
    const group = ctx.group('group', asking, undefined);
    await new Promise<void>((resolve) => (approve = resolve));
    const said = await group.approve('ship').then(
      () => 'approved',
      () => 'refused',
    );
    await ctx.task(said, {});
    return group.output;
  });
  const play = stage(process, { '*': hold });
  const first = await driven(play);
  const answer = first.run.answer({ gate: 'ship', approved: true, note: 'first' });
  approve();
  await answer;
  await settle();
  await first.run.close();
  const second = await driven(play);
  approve();
  await settle();
  play.harness.settle('approved/task', ok());
  expect(await second.end).toEqual({ status: 'completed', output: [['approved', 'ship', 'first', 'outside']] });
  await second.run.close();
});

describe('a breakpoint of the process', () => {
  const process = defineProcess(
    'stop here',
    async (ctx) => await ctx.breakpoint('look', { question: 'Go on?', data: { at: 1 } }),
  );

  test('is durable, and its answer is the same in each iteration', async () => {
    const play = stage(process);
    const first = await driven(play);
    await first.run.close();
    const second = await driven(play);
    await second.run.answer({ gate: 'look', approved: false, note: 'no' });
    expect(await second.end).toEqual({ status: 'completed', output: { approved: false, note: 'no' } });
    await second.run.close();
    expect((await entriesOf(play.store)).filter(({ type }) => type === 'gate.opened')).toHaveLength(1);
  });

  test('is opened by who asks again, when what was asked first is no JSON', async () => {
    const play = stage(
      defineProcess('again', async (ctx) => {
        const question = 'Go on?';
        const asked = ctx.breakpoint('look', { question, data: new Map() as never });
        return await asked.catch(() => ctx.breakpoint('look', { question, data: [] }));
      }),
    );
    const { run, end } = await driven(play);
    await run.answer({ gate: 'look', approved: true, note: '' });
    expect(await end).toEqual({ status: 'completed', output: { approved: true, note: '' } });
    await run.close();
  });

  test('takes one answer: a second that comes at the same moment is refused', async () => {
    const play = stage(process);
    const { run, end } = await driven(play);
    const answers = [true, false].map((approved) => run.answer({ gate: 'look', approved, note: '' }));
    expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(answers[1]).rejects.toThrow('UNKNOWN_GATE');
    expect(await end).toEqual({ status: 'completed', output: { approved: true, note: '' } });
    await run.close();
    expect((await entriesOf(play.store)).filter(({ type }) => type === 'gate.answered')).toHaveLength(1);
  });
});

describe('checkpoints', () => {
  test('members and the process write them too, each name once', async () => {
    const process = defineProcess('marks', async (ctx) => {
      const group = ctx.group('group', fanOut, { members: [{ id: 'a', harness: 'marking' }] });
      const started = { name: 'started', settled: 0, total: 1 };
      await Promise.all([group.checkpoint(started), group.checkpoint(started)]);
      const seen: string[] = [];
      for await (const { name } of group.checkpoints) seen.push(name);
      return seen.toSorted();
    });
    const marking = {
      async perform({ mailbox }: Parameters<Harness['perform']>[0]) {
        const half = { name: 'half', settled: 1, total: 2 };
        await Promise.all([mailbox.checkpoint({ ...half, data: { x: 1 } }), mailbox.checkpoint(half)]);
        await mailbox.checkpoint(half);
        return ok(null);
      },
    };
    for (let atAppend = 1; ; atAppend += 1) {
      const play = stage(process, {}, { harnesses: { marking } });
      const end = (await killed(play, { atAppend, isWritten: true })) ?? (await finished(play));
      expect(end).toEqual({ status: 'completed', output: ['half', 'started'] });
      const marks = (await entriesOf(play.store))
        .filter(({ type }) => type === 'checkpoint')
        .map(({ data }) => (data as { name: string }).name);
      expect(marks.toSorted()).toEqual(['half', 'started']);
      if (atAppend > 20) break;
    }
  });
});

test('a member that is spawned again marks its checkpoints again, each once, wherever the host dies', async () => {
  const again = coordinator(
    setup({ types: {} as { context: { lives: number }; output: number }, actors: { member } }).createMachine({
      id: 'again',
      context: { lives: 0 },
      initial: 'working',
      states: {
        working: {
          entry: assign({ lives: ({ context }) => context.lives + 1 }),
          invoke: { src: 'member', id: 'a', input: { harness: 'marking' }, onDone: 'deciding' },
        },
        deciding: { always: [{ guard: ({ context }) => context.lives < 3, target: 'working' }, 'over'] },
        over: { type: 'final' },
      },
      output: ({ context }) => context.lives,
    }),
  );
  const marking: Harness = {
    async perform({ mailbox }) {
      const half = { name: 'half', settled: 1, total: 2 };
      await mailbox.checkpoint(half);
      await mailbox.checkpoint(half);
      return ok(null);
    },
  };
  const process = defineProcess('lives', (ctx) => ctx.group('group', again, undefined).output);
  for (let atAppend = 1; ; atAppend += 1) {
    const play = stage(process, {}, { harnesses: { marking } });
    const undisturbed = await killed(play, { atAppend, isWritten: atAppend % 2 === 0 });
    expect(undisturbed ?? (await finished(play))).toEqual({ status: 'completed', output: 3 });
    const marks = (await entriesOf(play.store)).filter(({ type }) => type === 'checkpoint').map(({ data }) => data);
    const half = { name: 'half', settled: 1, total: 2, by: 'a' };
    expect(marks).toEqual([half, { ...half, incarnation: 2 }, { ...half, incarnation: 3 }]);
    if (undisturbed !== undefined) break;
  }
});

describe('background work', () => {
  test('the process goes on, sees results as they come, and the run ends after it', async () => {
    const process = defineProcess('background', async (ctx) => {
      const slow = ctx.background('slow', { prompt: 'slow' });
      const before = slow.settled().length;
      await ctx.task('quick', { prompt: 'quick' });
      return { before, after: slow.settled().length, status: slow.status() };
    });
    const play = stage(process, { 'quick/task': ok(1), 'slow/task': hold });
    const { run, end } = await driven(play);
    let isOver = false;
    void end.then(() => (isOver = true));
    await settle();
    expect(isOver).toBe(false);
    play.harness.settle('slow/task', ok(2));
    expect(await end).toEqual({ status: 'completed', output: { before: 0, after: 0, status: 'active' } });
    await run.close();
  });

  test('polling between sleeps is the same in each iteration', async () => {
    const process = defineProcess('polling', async (ctx) => {
      const slow = ctx.background('slow', { prompt: 'slow' });
      const polls: number[] = [];
      for (let until = ctx.now() + 10; polls.length < 5; until += 10) {
        await ctx.sleepUntil(until);
        polls.push(slow.settled().length);
      }
      return polls;
    });
    const later = { 'slow/task': { step: 'later', ms: 25, outcome: ok(1) } } as const;
    const expected = await finished(stage(process, later));
    expect(expected).toMatchObject({ status: 'completed' });
    for (let atAppend = 4; atAppend < 12; atAppend += 1) {
      const play = stage(process, later);
      const end = (await killed(play, { atAppend, isWritten: true })) ?? (await finished(play));
      expect(end.status).toBe('completed');
      const once = await finished(play);
      expect(await finished(play)).toEqual(once);
      await verifyRun({ store: play.store, run: 'run', process });
    }
  });
});
