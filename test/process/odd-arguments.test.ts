/** What plain JavaScript hands to a handle, a run or a mailbox in the place of what is expected is refused in a sentence. */
import { expect, test } from 'vitest';
import {
  answerUnattended,
  cancelRun,
  defineProcess,
  forkRun,
  iterate,
  retryRun,
  sendUnattended,
  type Context,
  type GroupHandle,
  type Run,
} from 'troupe';
import { fn, hold, type TaskContext } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf, memoryStore } from '../support/dying-store.ts';
import { driven, finished, stage } from '../support/running.ts';

const members = [{ id: 'a' }];
const opens = (ctx: Context) => ctx.group('group', fanOut, { members });
const go = { type: 'go' };
const odd = (value: unknown) => value as never;

test.each<[string, (group: GroupHandle<unknown>) => Promise<void>, string]>([
  ['no event', (group) => group.send(odd(null)), 'group `group`: expected an event with a text as `type`, got null.'],
  ['a bigint', (group) => group.send(odd(1n)), 'group `group`: expected an event with a text as `type`, got 1.'],
  [
    'options that are none',
    (group) => group.send(go, odd(null)),
    'options of `go` to group `group`: expected an object { id, to, mode }, got null.',
  ],
  [
    'the recipient alone as options',
    (group) => group.send(go, odd('a')),
    'options of `go` to group `group`: expected an object { id, to, mode }, got string.',
  ],
  [
    'no recipient',
    (group) => group.send(go, { to: odd(null) }),
    '`to` of `go` to group `group`: expected a text, got null.',
  ],
  [
    'a number as id',
    (group) => group.send(go, { id: odd(5) }),
    '`id` of `go` to group `group`: expected a text, got number.',
  ],
  [
    'a misspelt mode',
    (group) => group.send(go, { to: 'a', mode: odd('interupt') }),
    'message `go` to `a`: expected `mode` to be queue, steer or interrupt, got `interupt`.',
  ],
])('a handle refuses to send %s, and the process may go on', async (_what, sends, message) => {
  const process = defineProcess('sends', async (ctx) => {
    const group = opens(ctx);
    const refused = await sends(group).catch((error: unknown) => (error as Error).message);
    await group.cancel('heard');
    return refused;
  });
  const play = stage(process, { '*': hold });
  expect(await finished(play)).toEqual({ status: 'completed', output: `BAD_INPUT: ${message}` });
  expect((await entriesOf(play.store)).map(({ type }) => type)).not.toContain('message');
});

test.each([
  [null, 'answer at gate `ship` of group `group`: expected an object { reject, note, round }, got null.'],
  [true, 'answer at gate `ship` of group `group`: expected an object { reject, note, round }, got boolean.'],
  [{ reject: 'no' }, '`reject` at gate `ship` of group `group`: expected true or false, got string.'],
])('an answer of the process with options %j stops the run', async (options, message) => {
  const play = stage(defineProcess('answers', (ctx) => opens(ctx).approve('ship', odd(options))));
  await expect(finished(play)).rejects.toMatchObject({ code: 'BAD_INPUT', message: `BAD_INPUT: ${message}` });
});

test.each<[string, (run: Run) => Promise<unknown>, string]>([
  [
    'signal without options',
    (run) => run.signal('group', go, odd(undefined)),
    'expected an object { id } behind the event',
  ],
  [
    'signal without an id',
    (run) => run.signal('group', go, odd({})),
    '`id` of signal `go` to group `group`: expected a text',
  ],
  ['signal without an event', (run) => run.signal('group', odd(null), { id: '1' }), 'got null.'],
  [
    'signal without a type',
    (run) => run.signal('group', odd({}), { id: '1' }),
    'expected an event with a text as `type`',
  ],
  [
    'send without a message',
    (run) => run.send('group', odd(undefined)),
    'message: expected an object { to, type, body }',
  ],
  [
    'send without a group',
    (run) => run.send(odd(5), odd({})),
    'name of a group to send to: expected a text, got number.',
  ],
  [
    'send to the coordinator without an id',
    (run) => run.send('group', odd({ to: 'coordinator', type: 'go' })),
    'got string, string, undefined, undefined, undefined.',
  ],
  [
    'answer nothing',
    (run) => run.answer(odd(undefined)),
    'expected an object { gate, approved, note }, got undefined.',
  ],
  ['answer neither yes nor no', (run) => run.answer(odd({ gate: 'ship' })), '`approved`: expected true or false'],
  [
    'answer `no`',
    (run) => run.answer({ gate: 'ship', approved: odd('no') }),
    '`approved`: expected true or false, got string.',
  ],
  [
    'answer with an error',
    (run) => run.answer({ gate: 'ship', approved: true, note: odd(new Error('x')) }),
    '`note`: expected a text',
  ],
  ['stop without a reason', (run) => run.stop(odd(undefined)), 'reason to stop driving run run: expected a text'],
])('a run does not %s', async (_what, does, message) => {
  const process = defineProcess('asks', async (ctx) => {
    opens(ctx);
    return await ctx.breakpoint('ship', { question: 'Ship it?' });
  });
  const play = stage(process, { '*': hold });
  const { run } = await driven(play);
  const before = (await entriesOf(play.store)).length;
  const error = { code: 'BAD_INPUT', message: expect.stringContaining(message) as string };
  await expect(does(run)).rejects.toMatchObject(error);
  expect(await entriesOf(play.store)).toHaveLength(before);
  await run.cancel('enough');
  await run.close();
});

test('an answer without a note has an empty one', async () => {
  const play = stage(defineProcess('asks', (ctx) => ctx.breakpoint('ship', { question: 'Ship it?' })));
  const { run, end } = await driven(play);
  await run.answer({ gate: 'ship', approved: true });
  expect(await end).toEqual({ status: 'completed', output: { approved: true, note: '' } });
  await run.close();
});

test.each<[string, (context: TaskContext) => unknown, string]>([
  [
    'ask without options',
    ({ ask }) => ask({ ...go, to: 'coordinator' }, odd(undefined)),
    'asks: expected an object { timeoutMs }',
  ],
  [
    'ask nothing',
    ({ ask }) => ask(odd(null), { timeoutMs: 0 }),
    'message: expected an object { to, type, body }, got null.',
  ],
  [
    'send nothing',
    ({ send }) => send(odd(undefined)),
    'message: expected an object { to, type, body }, got undefined.',
  ],
  ['read with null', ({ inbox }) => inbox(odd(null)), 'reads: expected an object { waitMs, max }, got null.'],
  [
    'read at most NaN',
    ({ inbox }) => inbox({ max: Number.NaN }),
    'expected `max` to be a number of messages, got NaN.',
  ],
  ['take at most `1`', ({ take }) => take({ max: odd('1') }), 'expected `max` to be a number of messages, got string.'],
  ['spend null', ({ spent }) => spent(odd(null)), 'spent: expected an object { tokens, costUsd }, got null.'],
  ['spend a number', ({ spent }) => spent(odd(5)), 'spent: expected an object { tokens, costUsd }, got number.'],
])('a member cannot %s', async (_what, does, message) => {
  const odds = fn(async (_task, context) => void (await does(context)));
  const play = stage(
    defineProcess('odd', (ctx) => ctx.task('a', {})),
    {},
    { harnesses: { scripted: odds } },
  );
  const failed = { status: 'failed', error: { message: expect.stringContaining(message) as string } };
  expect(await finished(play)).toMatchObject(failed);
});

test.each<[string, (ctx: Context) => Promise<unknown>, string]>([
  ['map without a function', (ctx) => ctx.parallel.map([1], odd(undefined)), 'parallel.map: expected a function'],
  ['map with null', (ctx) => ctx.parallel.map([1], String, odd(null)), 'options of parallel.map: expected an object'],
  [
    'all of a list with a hole',
    (ctx) => ctx.parallel.all(odd(Array.from({ length: 1 }))),
    'expected item 0 to be a promise',
  ],
  [
    'quorum with null',
    (ctx) => ctx.parallel.quorum([() => 1], odd(null)),
    'options of parallel.quorum: expected an object',
  ],
  ['quorum of a symbol', (ctx) => ctx.parallel.quorum([() => 1], { atLeast: odd(Symbol('x')) }), 'got `Symbol(x)`'],
])('a process cannot wait by %s', async (_what, waits, message) => {
  const end = await finished(stage(defineProcess('waits', async (ctx) => waits(ctx))));
  const error = { code: 'BAD_INPUT', message: expect.stringContaining(message) as string };
  expect(end).toMatchObject({ status: 'failed', error });
});

const store = memoryStore();
const run = { store, run: 'run', process: defineProcess('none', () => 1), harnesses: {} };

test.each<[string, () => Promise<unknown>, string]>([
  ['forkRun()', () => forkRun(odd(undefined)), 'forkRun: expected its options to be an object'],
  ['forkRun({})', () => forkRun(odd({})), 'forkRun: expected `store` to be a store of journals'],
  ['forkRun({ store })', () => forkRun(odd({ store })), 'forkRun: expected `from` to be a text'],
  ['retryRun({ store, run })', () => retryRun(odd({ store, run: 'run' })), 'retryRun: expected `member` to be a text'],
  [
    'cancelRun without a reason',
    () => cancelRun(odd({ store, run: 'run' })),
    'cancelRun: expected `reason` to be a text',
  ],
  [
    'settlements that are no list',
    () => iterate({ ...run, settlements: odd({}) }),
    'expected `settlements` to be a list, got `{}`.',
  ],
  [
    'a settlement of nobody',
    () => iterate({ ...run, settlements: [odd(null)] }),
    'expected `settlements[0]` to be an object { group, member',
  ],
  [
    'sendUnattended no letter',
    () => sendUnattended({ store, run: 'run', group: 'g', letter: odd(null) }),
    'message: expected an object',
  ],
  [
    'answerUnattended nothing',
    () => answerUnattended({ store, run: 'run', answer: odd({}) }),
    '`gate`: expected a text',
  ],
])('%s is refused', async (_what, does, message) => {
  const error = { code: 'BAD_INPUT', message: expect.stringContaining(message) as string };
  await expect(does()).rejects.toMatchObject(error);
});
