/** Background members: the end of their group does not stop them, their results are recorded as they come, and the run waits. */
import { setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import {
  coordinator,
  defineProcess,
  member,
  readRun,
  verifyRun,
  type Context,
  type Migration,
  type OldInput,
  type OpenOptions,
} from 'troupe';
import { fail, hold, later, ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { waitsFor } from '../../src/cli/waits-for.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, killed, stage, story, type Stage } from '../support/running.ts';

const members = [
  { id: 'a', prompt: 'a' },
  { id: 'slow', prompt: 'slow', background: true, retry: { attempts: 2, minMs: 10, jitter: 0 } },
] as const;

/** Fans out, takes the results, works on, and says what it saw of the background member. */
const leaving = (machine: typeof fanOut) =>
  defineProcess('leaving', async (ctx) => {
    const group = ctx.group('group', machine, { members });
    const { results, total } = await group.output;
    const before = group.settled().length;
    await ctx.task('next', { prompt: 'next' });
    return { results, total, before, status: group.status() };
  });
const process = leaving(fanOut);

const output = { results: [{ id: 'a', output: 'A' }], total: 1, before: 1, status: 'completed' };
const script = { 'a': ok('A'), 'next/task': ok('N'), 'slow': later(500, ok('S')) } as const;

const view = async (play: Stage) => {
  const journal = await play.store.open('run');
  try {
    return await readRun(journal);
  } finally {
    await journal.close();
  }
};

const ends = async (play: Stage, stream?: string) =>
  (await story(play, stream, ['member', 'status'])).filter((line) =>
    /^(group.ended|member.settled|attempt.c)/.test(line),
  );

describe('a background member', () => {
  test('lets its group end and the process go on; the run ends after it, with its result recorded', async () => {
    const play = stage(process, { ...script, slow: hold });
    const { run, end } = await driven(play);
    let isOver = false;
    void end.then(() => (isOver = true));
    await settle();
    expect(isOver).toBe(false);
    const during = await view(play);
    expect(during.groups.get('group')).toMatchObject({ status: 'completed' });
    expect(waitsFor(during)).toEqual([{ type: 'member', group: 'group', member: 'slow', status: 'running' }]);
    play.harness.settle('slow', ok('S'));
    expect(await end).toEqual({ status: 'completed', output });
    await run.close();
    expect(await ends(play)).toEqual(['member.settled a', 'group.ended completed', 'member.settled slow']);
    expect(await story(play, 'group:group', [])).not.toContain('letter.dead');
    expect((await view(play)).groups.get('group')?.members.get('slow')).toMatchObject({ status: 'completed' });
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test('is tried again after its group has ended, by the next host too', async () => {
    const play = stage(process, { ...script, a: later(5, ok('A')), slow: [fail('failed', 'no'), hold, hold] });
    const first = await driven(play);
    play.clock.advance(6);
    await settle();
    expect(await ends(play)).toContain('group.ended completed');
    const waiting = { type: 'member', group: 'group', member: 'slow', status: 'waiting' };
    expect(waitsFor(await view(play))).toEqual([waiting]);
    play.clock.advance(20);
    await settle();
    await first.run.close();
    const second = await driven(play);
    play.harness.settle('slow', ok('S'));
    expect(await second.end).toEqual({ status: 'completed', output });
    await second.run.close();
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test('that settles in the same moment as the last one that is waited for is no longer going on', async () => {
    const play = stage(process, { ...script, a: hold, slow: hold });
    const { run, end } = await driven(play);
    play.harness.settle('a', ok('A'));
    play.harness.settle('slow', ok('S'));
    expect(await end).toMatchObject({ status: 'completed' });
    await run.close();
    // Both in one append: the end, decided by the first, is recorded behind the second.
    expect(await ends(play)).toEqual(['member.settled a', 'member.settled slow', 'group.ended completed']);
    expect((await view(play)).groups.get('group')?.goingOn.size).toBe(0);
    expect(await finished(play)).toMatchObject({ status: 'completed' });
  });

  test.each<[string, Partial<Migration>]>([
    ['its state', {}],
    ['its inputs', { events: ({ data }: OldInput) => data }],
  ])(
    'goes on under a machine that takes groups over from %s: what has ended stays with the old one',
    async (_how, how) => {
      const play = stage(process, { ...script, slow: hold });
      await (await driven(play)).run.close();
      const next = coordinator(fanOut.provide({}), {
        version: 'next',
        migrate: [{ from: fanOut, ...how } as Migration],
      }) as typeof fanOut;
      const changed = { ...play, process: leaving(next) };
      const { run, end } = await driven(changed);
      play.harness.settle('slow', ok('S'));
      expect(await end).toEqual({ status: 'completed', output });
      await run.close();
      expect((await ends(play)).filter((line) => line !== 'attempt.cancelled slow')).toEqual([
        'member.settled a',
        'group.ended completed',
        'member.settled slow',
      ]);
      expect(await story(play, 'group:group', [])).not.toContain('group.migrated');
      expect(await story(play, 'group:group', ['reason'])).not.toContain('attempt.cancelled no longer wanted');
      await verifyRun({ store: play.store, run: 'run', process: changed.process });
    },
  );

  test('its results are the same wherever the host dies', async () => {
    for (const isWritten of [true, false]) {
      for (let atAppend = 1; ; atAppend += 1) {
        const play = stage(process, script);
        const end = await killed(play, { atAppend, isWritten });
        expect(end ?? (await finished(play))).toEqual({ status: 'completed', output });
        expect((await ends(play)).filter((line) => line !== 'attempt.cancelled slow')).toEqual([
          'member.settled a',
          'group.ended completed',
          'member.settled slow',
        ]);
        await verifyRun({ store: play.store, run: 'run', process });
        if (end !== undefined) break;
      }
    }
  });

  test('that settles first is heard by nobody who waits, and counted by settled()', async () => {
    const play = stage(
      defineProcess('quick', async (ctx) => {
        const group = ctx.group('group', fanOut, { members, checkpointEvery: 1 });
        const marks: string[] = [];
        for await (const { name, total } of group.checkpoints) marks.push(`${name} of ${total}`);
        return { ...(await group.output), marks, heard: group.settled().map(({ member: id }) => id) };
      }),
      { a: later(50, ok('A')), slow: ok('S') },
    );
    expect(await finished(play)).toMatchObject({
      output: { marks: ['checkpoint 1 of 1'], heard: ['slow', 'a'], results: [{ id: 'a', output: 'A' }], failed: [] },
    });
  });
});

describe('only being told ends it:', () => {
  const held = { ...script, slow: hold } as const;
  const left = (body: (ctx: Context) => Promise<unknown>) => defineProcess('left', body as never);
  const opened = (ctx: Context, options?: OpenOptions) => ctx.group('group', fanOut, { members }, options);
  const cancelled = ['member.settled a', 'group.ended completed', 'attempt.cancelled slow'];

  test.each([
    [
      'its handle is cancelled',
      async (ctx: Context) => {
        const group = opened(ctx);
        await group.output;
        await group.cancel('enough');
        return group.status();
      },
      { status: 'completed', output: 'completed' },
    ],
    [
      'the group was opened with onReturn: cancel',
      async (ctx: Context) => (await opened(ctx, { onReturn: 'cancel' }).output).total,
      { status: 'completed', output: 1 },
    ],
    [
      'the process fails',
      async (ctx: Context) => {
        await opened(ctx).output;
        throw new Error('broken');
      },
      { status: 'failed' },
    ],
  ])('%s', async (_how, body, end) => {
    const play = stage(left(body), held);
    expect(await finished(play)).toMatchObject(end);
    expect(await ends(play)).toEqual(cancelled);
    expect(waitsFor(await view(play))).toEqual([]);
    await verifyRun({ store: play.store, run: 'run', process: play.process });
  });

  test('the run is cancelled', async () => {
    const play = stage(process, held);
    const { run, end } = await driven(play);
    await run.cancel('enough');
    expect(await end).toEqual({ status: 'cancelled', reason: 'enough' });
    await run.close();
    expect(await ends(play)).toEqual(cancelled);
  });

  test('onReturn: cancel ends background work and groups that nobody awaits', async () => {
    const play = stage(
      left((ctx) => {
        ctx.background('bg', { prompt: 'bg' }, { onReturn: 'cancel' });
        ctx.group('group', fanOut, { members: [{ id: 'a' }] }, { onReturn: 'cancel' });
        return ctx.task('next', { prompt: 'next' });
      }),
      { 'next/task': ok('N'), '*': hold },
    );
    expect(await finished(play)).toEqual({ status: 'completed', output: 'N' });
    expect(await ends(play, 'group:bg')).toEqual(['group.ended cancelled', 'attempt.cancelled task']);
  });

  test('onReturn: cancel holds for what a branch opens when the process has returned already', async () => {
    const play = stage(
      left((ctx) => {
        const late = () => ctx.background('bg', { prompt: 'bg' }, { onReturn: 'cancel' });
        void ctx.task('first', { prompt: 'first' }).then(late);
        return Promise.resolve('returned');
      }),
      { 'first/task': ok('F'), '*': hold },
    );
    expect(await finished(play)).toEqual({ status: 'completed', output: 'returned' });
    expect(await ends(play, 'group:bg')).toEqual(['group.ended cancelled', 'attempt.cancelled task']);
  });

  test('its coordinator stops it, or a nested coordinator that it belongs to ends', async () => {
    const inner = setup({ actors: { member } }).createMachine({
      id: 'inner',
      invoke: { src: 'member', id: 'deep', input: { prompt: 'deep', background: true } },
      initial: 'working',
      states: { working: { after: { 10: 'over' } }, over: { type: 'final' } },
    });
    const outer = coordinator(
      setup({ actors: { member, inner } }).createMachine({
        id: 'outer',
        initial: 'first',
        states: {
          first: {
            invoke: { src: 'member', id: 'left', input: { prompt: 'left', background: true } },
            after: { 5: 'second' },
          },
          second: { invoke: { src: 'inner', id: 'inner', onDone: 'over' } },
          over: { type: 'final' },
        },
      }),
    );
    const play = stage(
      left((ctx) => ctx.group('group', outer, undefined).output),
      { '*': hold },
    );
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect((await ends(play)).toSorted()).toEqual([
      'attempt.cancelled inner::deep',
      'attempt.cancelled left',
      'group.ended completed',
    ]);
  });
});

test('a failed group leaves its background members too, and a budget asks for them after its end', async () => {
  const play = stage(
    defineProcess('failing', async (ctx) => {
      const group = ctx.group(
        'group',
        fanOut,
        { members: [members[0], { ...members[1], retry: { attempts: 3, minMs: 10 } }], policy: 'fail-fast' },
        { budget: { attempts: 2, over: 'ask' } },
      );
      return await group.output.catch(() => 'caught');
    }),
    { a: fail('failed', 'no'), slow: [later(50, fail('failed', 'once')), ok('S')] },
  );
  const { run, end } = await driven(play);
  for (let step = 0; step < 4; step += 1) {
    play.clock.advance(100);
    await settle();
  }
  expect(waitsFor(await view(play))).toMatchObject([
    { type: 'gate', gate: 'budget', group: 'group' },
    { member: 'slow' },
  ]);
  await run.answer({ gate: 'budget', group: 'group', approved: true, note: '' });
  expect(await end).toEqual({ status: 'completed', output: 'caught' });
  await run.close();
  expect(await ends(play)).toEqual(['member.settled a', 'group.ended failed', 'member.settled slow']);
});
