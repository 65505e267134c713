/** How a process ends, and what opening its run again finds. */
import { describe, expect, test } from 'vitest';
import { defineProcess } from 'troupe';
import { hold, later, ok } from 'troupe/harness';
import { entriesOf } from '../support/dying-store.ts';
import { passing } from '../support/hand-clock.ts';
import { driven, finished, open, stage, type Stage } from '../support/running.ts';

const completed = (output: unknown) => ({ status: 'completed', output });
const count = async (still: Stage, type: string) =>
  (await entriesOf(still.store)).filter((entry) => entry.type === type).length;

describe('how a process ends', () => {
  test('by throwing: its groups are cancelled, and the run has failed', async () => {
    const process = defineProcess('throwing', async (ctx) => {
      void ctx.task('under way', {});
      await ctx.task('first', {});
      throw Object.assign(new Error('enough'), { code: 'ENOUGH' });
    });
    const still = stage(process, { '*': ({ group }) => (group === 'first' ? ok() : hold) });
    expect(await finished(still)).toMatchObject({
      status: 'failed',
      error: { name: 'Error', message: 'enough', code: 'ENOUGH' },
    });
    expect(still.harness.open()).toEqual([]);
    const ends = (await entriesOf(still.store))
      .filter(({ type }) => type.endsWith('.ended'))
      .map(({ stream, data }) => `${stream} ${(data as { status: string }).status}`);
    expect(ends).toEqual(['group:first completed', 'group:under way cancelled', 'run failed']);
  });

  test('by throwing at once: what it had just asked for is cancelled too', async () => {
    const process = defineProcess('throwing', async (ctx) => {
      void ctx.task('never starts', {});
      throw new Error('changed my mind');
    });
    expect(await finished(stage(process, { '*': hold }))).toMatchObject({
      status: 'failed',
      error: { message: 'changed my mind' },
    });
  });

  test('by throwing while a branch answers each cancellation with another group: those are cancelled too', async () => {
    const process = defineProcess('stubborn', async (ctx) => {
      void (async () => {
        for (const name of ['first', 'second', 'third']) await ctx.task(name, {}).catch(() => {});
      })();
      throw new Error('enough');
    });
    const still = stage(process, { '*': hold });
    expect(await finished(still)).toMatchObject({ status: 'failed' });
    expect(await count(still, 'group.ended')).toBe(3);
  });

  test('by returning while groups run: it waits for them, and for those that follow from them', async () => {
    const process = defineProcess('early', async (ctx) => {
      void ctx.task('first', {}).then(async () => ctx.task('second', {}));
      return 'returned';
    });
    const still = stage(process, { '*': later(50, ok()) });
    expect(await finished(still)).toEqual(completed('returned'));
    const ends = (await entriesOf(still.store))
      .filter(({ type }) => type.endsWith('.ended'))
      .map(({ stream }) => stream);
    expect(ends).toEqual(['group:first', 'group:second', 'run']);
  });

  test('with an output that is not JSON: nothing is recorded, and the mended process goes on', async () => {
    const still = stage(
      defineProcess('output', async (ctx) => [await ctx.task('a', {}), { at: [new Date(0)] }]),
      { '*': ok(1) },
    );
    await expect(finished(still)).rejects.toMatchObject({
      code: 'NOT_JSON',
      message: expect.stringContaining('output of the process[1].at[0]: expected JSON, got a Date') as string,
    });
    const mended = defineProcess('output', async (ctx) => [await ctx.task('a', {})]);
    expect(await finished({ ...still, process: mended })).toEqual(completed([1]));
    expect(still.harness.calls).toHaveLength(1);
  });

  test('with nothing: its output is null', async () => {
    expect(await finished(stage(defineProcess('nothing', async () => {})))).toEqual(completed(null));
  });
});

test.each([
  [
    'process',
    () => 'a function alone',
    'openRun: expected `process` to be a process, defineProcess(name, fn), got a function.',
  ],
  ['harnesses', { mine: async () => ok() }, 'openRun: expected `harnesses.mine` to be a harness'],
  ['harnesses', undefined, 'openRun: expected `harnesses` to be an object of harnesses by name, got `undefined`.'],
  ['store', {}, 'openRun: expected `store` to be a store of journals'],
])('a run is not begun, let alone failed, with another thing as its %s', async (part, value, message) => {
  const still = stage(defineProcess('whole', () => 'ran'));
  await expect(open(still, { [part]: value })).rejects.toThrow(`BAD_INPUT: ${message}`);
  expect(await still.store.list()).toEqual([]);
  expect(await finished(still)).toEqual(completed('ran'));
});

describe('a run that is opened again', () => {
  const echo = defineProcess('echo', async (ctx, input: unknown) => [input, await ctx.task('a', {})]);

  test('when it has ended tells its result, and runs nothing', async () => {
    const still = stage(echo as never, { '*': ok(1) }, { input: { x: 1 } });
    const end = await finished(still);
    expect(end).toEqual(completed([{ x: 1 }, 1]));
    const entries = await entriesOf(still.store);
    expect(await finished(still)).toEqual(end);
    expect(await entriesOf(still.store)).toEqual(entries);
    expect(still.harness.calls).toHaveLength(1);
  });

  test('must be of the same process, with the same input or none, whether it has ended or not', async () => {
    const still = stage(echo as never, { '*': hold }, { input: { x: 1, y: 2 } });
    const { run } = await driven(still);
    await run.close();
    const check = async () => {
      await expect(open(still, { process: defineProcess('other', () => 1) })).rejects.toMatchObject({
        code: 'BAD_INPUT',
        message: expect.stringContaining('run run belongs to process `echo`, and was opened with `other`') as string,
      });
      await expect(open(still, { input: { x: 2, y: 2 } })).rejects.toMatchObject({
        code: 'BAD_INPUT',
        message: expect.stringContaining('was created with input') as string,
      });
      await (await open(still, { input: { y: 2, x: 1 } })).close();
    };
    await check();
    const last = await driven(still, { input: undefined });
    still.harness.settle('a/task', ok(1));
    expect(await last.end).toEqual(completed([{ x: 1, y: 2 }, 1]));
    await last.run.close();
    await check();
  });

  test('while another host lives is busy', async () => {
    const still = stage(echo as never, { '*': hold });
    const { run } = await driven(still);
    await expect(open(still)).rejects.toMatchObject({ code: 'RUN_BUSY' });
    await passing(still.clock, run.close());
  });
});
