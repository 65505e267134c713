/** Questions and checkpoints that nobody could answer or read are refused to whoever makes them. */
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { checkpoint, coordinator, defineProcess, gate, type Context, type Harness } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { waitsFor } from '../../src/cli/waits-for.ts';
import { emptyRun, foldRun } from '../../src/process/run-view.ts';
import { entriesOf } from '../support/dying-store.ts';
import { driven, finished, stage } from '../support/running.ts';

const members = [{ id: 'a', harness: 'marking' }];
const marking = (mark: unknown): Harness => ({
  async perform({ mailbox }) {
    await mailbox.checkpoint(mark as never);
    return ok(null);
  },
});

test.each<[string, (ctx: Context) => Promise<unknown>, string]>([
  ['a question alone', (ctx) => ctx.breakpoint('go', 'Go?' as never), 'got `{"name":"go"}`'],
  ['a name alone', (ctx) => ctx.breakpoint('go', undefined as never), 'got `{"name":"go"}`'],
  ['no name', (ctx) => ctx.breakpoint('', { question: 'Go?' }), 'got `{"name":"","question":"Go?"}`'],
  [
    'a question in the place of the name',
    (ctx) => ctx.breakpoint({ question: 'Go?' } as never, 1 as never),
    '(object)',
  ],
])('a breakpoint with %s stops the run, which has not ended', async (_what, asks, got) => {
  const play = stage(defineProcess('asks', asks));
  const refused = finished(play);
  await expect(refused).rejects.toThrow('BAD_INPUT: ctx.breakpoint(name, { question }): expected { name, question }');
  await expect(refused).rejects.toThrow(got);
  const types = (await entriesOf(play.store)).map(({ type }) => type);
  expect(types).not.toContain('gate.opened');
  expect(types).not.toContain('run.ended');
});

test('so does a checkpoint of the process without its numbers: it waited without end', async () => {
  const play = stage(
    defineProcess('marks', async (ctx) => {
      const group = ctx.group('group', fanOut, { members: [] });
      await group.checkpoint('half' as never);
    }),
  );
  await expect(finished(play)).rejects.toThrow(
    'BAD_INPUT: checkpoint of group `group`: expected { name, settled, total }, a text that is not empty and two numbers, got `"half"`.',
  );
});

test.each(['half', { name: 'half', settled: 1 }, { name: 'half', settled: 1n, total: 2 }, 1n, undefined])(
  'a member hears what is wrong with its checkpoint: %s',
  async (mark) => {
    const process = defineProcess('marks', (ctx) => ctx.group('group', fanOut, { members }).output);
    const play = stage(process, {}, { harnesses: { marking: marking(mark) } });
    const failed = [{ id: 'a', error: { code: 'BAD_INPUT' } }];
    expect(await finished(play)).toMatchObject({ status: 'completed', output: { failed } });
    expect((await entriesOf(play.store)).map(({ type }) => type)).not.toContain('checkpoint');
  },
);

test.each<[string, (ctx: Context) => Promise<unknown>, string]>([
  [
    'an error as the reason to cancel: another iteration would have read `{}`',
    (ctx) => ctx.background('a', {}).cancel(new Error('enough') as never),
    'reason to cancel group `a`: expected a text, got object (its `message` is one).',
  ],
  [
    'a note that is none',
    (ctx) => ctx.background('a', {}).approve('ship', { note: 5 as never }),
    'note at gate `ship` of group `a`: expected a text, got number.',
  ],
  [
    'a gate that is none',
    (ctx) => ctx.background('a', {}).approve(undefined as never),
    'name of a gate of group `a`: expected a text, got undefined.',
  ],
])('%s stops the run, which has not ended', async (_what, says, message) => {
  const play = stage(defineProcess('says', says));
  await expect(finished(play)).rejects.toMatchObject({ code: 'BAD_INPUT', message: `BAD_INPUT: ${message}` });
  expect((await entriesOf(play.store)).map(({ type }) => type)).not.toContain('run.ended');
});

test('a run is not cancelled without a reason: the next host would not have known that it was', async () => {
  const { run } = await driven(
    stage(
      defineProcess('p', async (ctx) => ctx.task('a', {})),
      { '*': hold },
    ),
  );
  expect(() => run.cancel(undefined as never)).toThrow(
    'BAD_INPUT: reason to cancel run run: expected a text, got undefined.',
  );
  await run.cancel('enough');
  await run.close();
});

test('a machine hears it when it is made', () => {
  expect(() => checkpoint('half' as never)).toThrow('BAD_INPUT: checkpoint: expected { name, settled, total }');
  expect(() => gate({ name: 'ship' } as never)).toThrow('BAD_INPUT: gate: expected { name, question }');
  expect(() => gate({ question: 'Ship it?' } as never)).toThrow('BAD_INPUT: gate: expected { name, question }');
});

test.each([undefined, '', 7])(
  'a gate that is called %s at last fails its group, which would wait at it for ever',
  async (name) => {
    const asking = coordinator(
      setup({ actions: { ask: gate(() => ({ name, question: 'Ship it?' }) as never) } }).createMachine({
        id: 'asking',
        entry: 'ask',
      }),
    );
    const process = defineProcess('asks', (ctx) => ctx.group('group', asking, null).output);
    expect(await finished(stage(process))).toMatchObject({
      status: 'failed',
      error: {
        message: expect.stringContaining('gate: expected a `name` that is a text and not empty, got `{') as string,
      },
    });
  },
);

test('a recorded question without its words can be looked at', () => {
  const view = emptyRun('run');
  const entry = { v: 1, stream: 'run', seq: 1, at: 1, epoch: 1, type: 'gate.opened', data: { name: 'go' } };
  foldRun(view, entry);
  expect(waitsFor(view)).toMatchObject([{ type: 'gate', gate: 'go', question: '' }]);
});
