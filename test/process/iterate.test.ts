/** Driving by an outside orchestrator: one pass at a time, and what the run waits for in between. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { answerUnattended, defineProcess, iterate, verifyRun } from 'troupe';
import { fail, hold, ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { gate } from '../support/gate.ts';
import { settle } from '../support/hand-clock.ts';
import { orchestrator, waits } from '../support/orchestrator.ts';
import { reminder } from '../support/reminder.ts';
import { calling, driven, finished, open, stage, tell } from '../support/running.ts';

describe('what a run waits for', () => {
  test('members, each with its invocation, until they are settled', async () => {
    const { pass } = orchestrator(
      defineProcess(
        'p',
        async (ctx) =>
          ctx.group('g', fanOut, { members: [{ id: 'a', prompt: 'do a' }, { id: 'b' }, { id: 'c' }], concurrency: 2 })
            .output,
      ),
    );
    const first = await pass();
    expect(first).toEqual({
      status: 'waiting',
      pending: [
        { type: 'member', group: 'g', member: 'a', incarnation: 1, invocation: { prompt: 'do a' } },
        { type: 'member', group: 'g', member: 'b', incarnation: 1, invocation: {} },
      ],
    });
    expect(await pass()).toEqual(first);
    expect(waits(await pass([['g', 'b', ok(2)]]))).toEqual(['member g a', 'member g c']);
    expect(
      await pass([
        ['g', 'a', ok(1)],
        ['g', 'c', fail('failed', 'no')],
      ]),
    ).toMatchObject({
      status: 'completed',
      output: {
        results: [
          { id: 'a', output: 1 },
          { id: 'b', output: 2 },
        ],
        failed: [{ id: 'c' }],
      },
    });
  });

  test('sleeps and timers, which end in the pass after they are due', async () => {
    const { clock, pass } = orchestrator(
      defineProcess('p', async (ctx) => {
        await ctx.sleepUntil(1_000_100);
        return ctx.group('r', reminder, { inMs: [50], endMs: 200 }).output;
      }),
    );
    expect(waits(await pass())).toEqual(['sleep 1000100']);
    clock.setNow(1_000_100);
    expect(waits(await pass())).toEqual(['timer 1000150']);
    clock.setNow(1_000_160);
    expect(waits(await pass())).toEqual(['timer 1000300']);
    clock.setNow(1_000_300);
    expect(await pass()).toEqual({ status: 'completed', output: ['0'] });
  });

  test('a signal, for a group that wants nothing else: the pass returns instead of waiting for it', async () => {
    const process = defineProcess('p', async (ctx) => ctx.group('g', gate, { count: 1 }).output);
    const { store, clock, pass } = orchestrator(process);
    expect(waits(await pass())).toEqual(['signal g']);
    const still = { ...stage(process), store, clock };
    const { run, end } = await driven(still);
    await run.signal('g', { type: 'value', value: 7 } as { type: string }, { id: 'x' });
    expect(await end).toEqual({ status: 'completed', output: [7] });
    await run.close();
    expect(await pass()).toEqual({ status: 'completed', output: [7] });
  });

  test('an answer at a gate of the run: the pass returns instead of waiting for it', async () => {
    const { store, pass } = orchestrator(
      defineProcess('p', async (ctx) => {
        await settle(1);
        return (await ctx.breakpoint('ship', { question: 'Ship it?' })).note;
      }),
    );
    expect(waits(await pass())).toEqual(['gate ship']);
    expect(waits(await pass())).toEqual(['gate ship']);
    await answerUnattended({ store, run: 'run', answer: { gate: 'ship', approved: true, note: 'yes' } });
    expect(await pass()).toEqual({ status: 'completed', output: 'yes' });
  });

  test('nothing of a group that the returned process left behind is forgotten', async () => {
    const { pass } = orchestrator(defineProcess('p', async (ctx) => void ctx.task('left', {})));
    expect(waits(await pass())).toEqual(['member left task']);
    expect(await pass([['left', 'task', ok()]])).toEqual({ status: 'completed', output: null });
  });

  test('not what the process waits for by itself: that is waited for here', async () => {
    const { pass } = orchestrator(
      defineProcess('p', async (ctx) => {
        for (let turn = 0; turn < 50; turn += 1) await settle(1);
        return ctx.task('late', {});
      }),
    );
    expect(waits(await pass())).toEqual(['member late task']);
  });

  test('and a process that throws has failed, with its groups cancelled', async () => {
    const { store, pass } = orchestrator(
      defineProcess('p', async (ctx) => {
        void ctx.task('left', {});
        await ctx.task('a', {});
      }),
    );
    expect(waits(await pass())).toEqual(['member left task', 'member a task']);
    expect(await pass([['a', 'task', fail('failed', 'no')]])).toMatchObject({
      status: 'failed',
      error: { code: 'GROUP_FAILED' },
    });
    expect((await entriesOf(store)).filter(({ type }) => type === 'group.cancelled')).toHaveLength(1);
  });
});

describe('a settlement', () => {
  const two = defineProcess('p', async (ctx) => {
    const first = await ctx.task('first', {});
    return [first, await ctx.task('second', { retry: { attempts: 2, minMs: 1_000 } })];
  });

  test('may be of a member that another one of the same pass made wanted', async () => {
    const { pass } = orchestrator(two);
    await pass();
    expect(
      await pass([
        ['first', 'task', ok(1)],
        ['second', 'task', ok(2)],
      ]),
    ).toEqual({ status: 'completed', output: [1, 2] });
  });

  test('of nobody who is waited for is refused, naming who is', async () => {
    const { pass } = orchestrator(two);
    await pass();
    await expect(pass([['first', 'tsk', ok()]])).rejects.toMatchObject({
      code: 'UNKNOWN_MEMBER',
      message: expect.stringContaining('it waits for: task') as string,
    });
    await expect(pass([['second', 'task', ok()]])).rejects.toMatchObject({
      code: 'UNKNOWN_GROUP',
      message: expect.stringContaining('open groups: first') as string,
    });
    expect(await pass([['first', 'task', ok(1)]])).toMatchObject({ status: 'waiting' });
    await expect(pass([['first', 'task', ok('again')]])).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER' });
  });

  test('may be of a group that the process opens when it has waited for something of its own', async () => {
    const { pass } = orchestrator(
      defineProcess('p', async (ctx) => {
        void ctx.task('beside', {});
        for (let turn = 0; turn < 100; turn += 1) await setImmediate();
        return await ctx.task('told', {});
      }),
    );
    await pass();
    expect(waits(await pass([['beside', 'task', ok()]]))).toEqual(['member told task']);
    expect(await pass([['told', 'task', ok('done')]])).toEqual({ status: 'completed', output: 'done' });
  });

  test('that failed is an attempt: its policy says whether the member is wanted again, and each has its number', async () => {
    const { store, options, pass } = orchestrator(two);
    await pass();
    await pass([['first', 'task', ok(1)]]);
    expect(waits(await pass([['second', 'task', fail('failed')]]))).toEqual(['member second task']);
    expect(await pass([['second', 'task', ok(2)]])).toEqual({ status: 'completed', output: [1, 2] });
    const attempts = (await entriesOf(store))
      .filter(({ stream, type }) => stream === 'group:second' && /attempt|settled/.test(type))
      .map(({ type, data }) => `${type} ${(data as { readonly attempt: number }).attempt}`);
    expect(attempts).toEqual(['attempt.failed 1', 'member.settled 2']);
    await verifyRun({ store, run: 'run', process: options.process });
  });

  test.each([[undefined], [{ status: 'fine' }], [{ status: 'ok', output: () => 1 }]])(
    'that is no outcome is one of class invalid-output: %j',
    async (outcome) => {
      const { store, pass } = orchestrator(calling({ members: [{ id: 'a' }], until: 1 }));
      await pass();
      expect(await pass([['group', 'a', outcome as never]])).toMatchObject({ status: 'completed' });
      expect((await entriesOf(store)).find(({ type }) => type === 'member.settled')?.data).toMatchObject({
        outcome: { status: 'error', class: 'invalid-output' },
      });
    },
  );

  test('is not needed of a member that asks for something wrong: it is refused at once', async () => {
    const { pass } = orchestrator(calling({ members: [{ id: 'a', timeoutMs: -1 }], until: 1 }));
    expect(await pass()).toMatchObject({ status: 'completed', output: [['xstate.error.actor.a', 'BAD_INPUT']] });
  });
});

test('both ways of driving may take turns on one run', async () => {
  const process = calling({ members: [{ id: 'a' }, { id: 'b' }, { id: 'c' }], until: 3 });
  const still = stage(process, { '*': hold });
  const { run } = await driven(still);
  still.harness.settle('a', ok('driven'));
  await settle();
  await run.stop('hand over');
  await run.close();
  const options = { store: still.store, process, run: 'run', harnesses: {}, clock: still.clock };
  const result = await iterate({ ...options, settlements: [{ group: 'group', member: 'b', outcome: ok('iterated') }] });
  expect(waits(result)).toEqual(['member group c']);
  const second = await driven(still);
  still.harness.settle('c', ok('driven again'));
  expect(await second.end).toEqual({
    status: 'completed',
    output: [
      ['xstate.done.actor.a', 'driven'],
      ['xstate.done.actor.b', 'iterated'],
      ['xstate.done.actor.c', 'driven again'],
    ],
  });
  await second.run.close();
  await verifyRun({ store: still.store, run: 'run', process });
});

test('a pass does not close the orchestrator’s harnesses, and refuses a run that is held', async () => {
  let closed = 0;
  const process = calling({ members: [{ id: 'a' }] });
  const still = stage(process, { '*': hold });
  await iterate({
    store: still.store,
    process,
    run: 'run',
    clock: still.clock,
    harnesses: { mine: { perform: async () => ok(), close: async () => void (closed += 1) } },
  });
  expect(closed).toBe(0);
  const run = await open(still);
  await expect(
    iterate({ store: still.store, process, run: 'run', clock: still.clock, harnesses: {} }),
  ).rejects.toMatchObject({ code: 'RUN_BUSY' });
  const end = run.drive();
  await settle();
  await tell(run, 'end');
  expect(await end).toMatchObject({ status: 'completed' });
  await run.close();
  expect(await finished(still)).toMatchObject({ status: 'completed' });
});

test('background members are waited for after their group has ended', async () => {
  const process = defineProcess('p', async (ctx) => {
    const group = ctx.group('g', fanOut, { members: [{ id: 'a' }, { id: 'slow', background: true }] });
    return (await group.output).total;
  });
  const { store, pass } = orchestrator(process);
  expect(waits(await pass())).toEqual(['member g slow', 'member g a']);
  expect(waits(await pass([['g', 'a', ok(1)]]))).toEqual(['member g slow']);
  expect(waits(await pass())).toEqual(['member g slow']);
  expect(await pass([['g', 'slow', ok(2)]])).toEqual({ status: 'completed', output: 1 });
  expect(await pass()).toEqual({ status: 'completed', output: 1 });
  await verifyRun({ store, run: 'run', process });
});
