/** What a process was refused because a group had not come so far, it is refused again by the host of a later iteration, which has. */
import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { coordinator, defineProcess, gate, member, verifyRun, type Code, type TroupeError } from 'troupe';
import { ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, killed, stage, story } from '../support/running.ts';

/** The code of what `work` rejects with. */
const codeOf = (work: Promise<void>): Promise<Code | 'taken'> =>
  work.then(() => 'taken' as const).catch((error: TroupeError) => error.code);

/** Asks at its gate `ship` when its member has ended. */
const asks = coordinator(
  setup({ actors: { member }, actions: { ask: gate({ name: 'ship', question: 'Ship it?' }) } }).createMachine({
    id: 'asks',
    initial: 'working',
    states: {
      working: { invoke: { src: 'member', id: 'worker', input: {}, onDone: 'asking' } },
      asking: { entry: 'ask', on: { approved: 'done', rejected: 'done' } },
      done: { type: 'final' },
    },
  }),
);
const later = { step: 'later', ms: 100, outcome: ok(null) } as const;

test('a gate that a process was told is unknown is not answered in its name when the run is taken up', async () => {
  const process = defineProcess('early', async (ctx) => {
    const group = ctx.group('group', asks, undefined);
    const code = await codeOf(group.approve('ship'));
    await group.output;
    return code;
  });
  const play = stage(process, { '*': later });
  const first = await driven(play);
  play.clock.advance(100);
  await settle();
  await first.run.close();
  const second = await driven(play);
  expect(await story(play, 'group:group', ['name'])).toContain('gate.opened ship');
  expect(await story(play, 'group:group', ['name'])).not.toContain('gate.answered ship');
  await second.run.answer({ gate: 'ship', approved: true, note: '' });
  expect(await second.end).toEqual({ status: 'completed', output: 'UNKNOWN_GATE' });
  await second.run.close();
  await verifyRun({ store: play.store, run: 'run', process });
});

test('a process that minds an unknown member, and tries again, does the same wherever its host dies', async () => {
  const process = defineProcess('patient', async (ctx) => {
    const group = ctx.group('group', fanOut, { members: [{ id: 'a' }, { id: 'b' }], concurrency: 1 });
    const codes: string[] = [];
    while (codes.at(-1) !== 'taken') {
      codes.push(await codeOf(group.send({ type: 'hello' }, { to: 'b' })));
      await ctx.task(`try ${codes.length}: ${codes.at(-1)}`, {});
    }
    await group.output;
    return codes;
  });
  const script = { 'group/a': later, 'group/b': { ...later, ms: 500 }, '*': { ...later, ms: 60 } };
  const end = { status: 'completed', output: ['UNKNOWN_MEMBER', 'UNKNOWN_MEMBER', 'taken'] };
  expect(await finished(stage(process, script))).toEqual(end);
  for (let atAppend = 1; atAppend < 100; atAppend += 1) {
    const play = stage(process, script);
    const died = (await killed(play, { atAppend, isWritten: true })) === undefined;
    const { status, output } = (await finished(play)) as unknown as typeof end;
    // As often as it takes, by when its host died.
    expect([status, output.at(-1)]).toEqual(['completed', 'taken']);
    await verifyRun({ store: play.store, run: 'run', process });
    if (!died) return;
  }
  throw new Error('the run never ended before its host');
});

test('what is sent to all while nobody is there is not sent to those who are there when the run is taken up', async () => {
  const sleeper = coordinator(
    setup({ actors: { member } }).createMachine({
      id: 'sleeper',
      initial: 'alone',
      states: {
        alone: { after: { 50: 'working' } },
        working: { invoke: { src: 'member', id: 'worker', input: {}, onDone: 'done' } },
        done: { type: 'final' },
      },
    }),
  );
  const process = defineProcess('announces', async (ctx) => {
    const group = ctx.group('group', sleeper, undefined);
    await group.send({ type: 'hello' }, { to: '*' });
    await ctx.task('after', { input: ctx.now() });
    await group.output;
    return 'over';
  });
  const play = stage(process, { 'group/worker': later, '*': ok(null) });
  const first = await driven(play);
  play.clock.advance(60);
  await settle();
  await first.run.close();
  expect(await finished(play)).toEqual({ status: 'completed', output: 'over' });
  expect((await story(play)).join()).not.toContain('message');
  await verifyRun({ store: play.store, run: 'run', process });
});
