/** What a process function is given: each part of its context keeps its promise in every iteration. */
import { describe, expect, test } from 'vitest';
import { defineProcess, isProcess, type Context, type GroupHandle } from 'troupe';
import { fail, hold, later, ok, scripted } from 'troupe/harness';
import { entriesOf } from '../support/dying-store.ts';
import { gate } from '../support/gate.ts';
import { passing, settle } from '../support/hand-clock.ts';
import { driven, finished, killed, open, stage, type Stage } from '../support/running.ts';

const completed = (output: unknown) => ({ status: 'completed', output });
const value = (one: number | string) => ({ type: 'value', value: one });
const codeOf = (error: unknown) => (error as { readonly code?: string }).code ?? String(error);
const count = async (still: Stage, type: string) =>
  (await entriesOf(still.store)).filter((entry) => entry.type === type).length;

/** The run's end, undisturbed, and then killed at every append with the end of the next host. */
async function alwaysEnds(
  body: (ctx: Context) => Promise<unknown>,
  script: Parameters<typeof stage>[1],
  end: unknown,
): Promise<void> {
  const process = defineProcess('always', body);
  expect(await finished(stage(process, script))).toEqual(end);
  for (let atAppend = 1; ; atAppend += 1) {
    const still = stage(process, script);
    if ((await killed(still, { atAppend, isWritten: true })) !== undefined) return;
    expect(await finished(still)).toEqual(end);
  }
}

describe('a task', () => {
  test('resolves to its output, and rejects with GROUP_FAILED and what failed', async () => {
    const process = defineProcess('tasks', async (ctx) => {
      const good = await ctx.task('good', { prompt: 'x' });
      const bad = await ctx.task('bad', {}).catch((error: unknown) => ({
        code: codeOf(error),
        details: (error as { details: { group: string } }).details.group,
      }));
      return { good, bad };
    });
    expect(
      await finished(
        stage(process, {
          good: ok({ a: 1 }),
          bad: fail('failed', 'no'),
          task: ({ group }) => (group === 'good' ? ok({ a: 1 }) : fail('failed', 'no')),
        }),
      ),
    ).toEqual(completed({ good: { a: 1 }, bad: { code: 'GROUP_FAILED', details: 'bad' } }));
  });

  test('that fails and is looked at later, or never, ends no Node process', async () => {
    const process = defineProcess('unhandled', async (ctx) => {
      const early = ctx.task('early', {});
      void ctx.task('never looked at', {});
      await ctx.task('late', {});
      return early.catch(codeOf);
    });
    const script = { '*': ({ group }: { group: string }) => (group === 'late' ? later(100, ok()) : fail('failed')) };
    expect(await finished(stage(process, script))).toEqual(completed('GROUP_FAILED'));
  });
});

describe('ctx.log', () => {
  test('notes each message once, however often the function runs, and equal ones as often as they are logged', async () => {
    const process = defineProcess('logging', async (ctx) => {
      ctx.log('begun', { with: 'data' });
      for (const step of [1, 2, 3]) {
        ctx.log('step');
        await ctx.task(`step ${step}`, {});
      }
    });
    for (let atAppend = 1; ; atAppend += 1) {
      const still = stage(process, { '*': ok() });
      const end = await killed(still, { atAppend, isWritten: true });
      await finished(still);
      const logged = (await entriesOf(still.store))
        .filter(({ type }) => type === 'log')
        .map(({ data }) => (data as { readonly message: string }).message);
      expect(logged.toSorted()).toEqual(['begun', 'step', 'step', 'step']);
      if (end !== undefined) return;
    }
  });

  test('refuses what is not JSON', async () => {
    const process = defineProcess('logging', async (ctx) => ctx.log('bad', new Date() as never));
    expect(await finished(stage(process))).toMatchObject({ status: 'failed', error: { code: 'NOT_JSON' } });
  });
});

describe('ctx.now()', () => {
  test('is the time of what was last seen: the same in each iteration, and never earlier, wherever the clock goes', async () => {
    const seen: number[][] = [];
    const process = defineProcess('timing', async (ctx) => {
      const times: number[] = [];
      seen.push(times);
      times.push(ctx.now());
      const slow = ctx.task('slow', {});
      await ctx.task('quick', {});
      times.push(ctx.now());
      await slow;
      times.push(ctx.now());
      await ctx.task('last', {});
      times.push(ctx.now());
    });
    const still = stage(process, { '*': hold });
    await driven(still);
    // Another group moves on: that is nothing the process has seen.
    still.clock.advance(2_000);
    still.harness.report('slow/task', { line: 'working' });
    still.clock.advance(5_000);
    await settle();
    // And the machine's clock is set back, twice.
    still.clock.setNow(1_002_000);
    still.harness.settle('quick/task', ok());
    await settle();
    still.clock.setNow(1_001_000);
    still.harness.settle('slow/task', ok());
    await settle();
    still.store.abandon('run');
    await finished({ ...still, harness: scripted({ last: ok(), task: ok() }) });
    const [live = [], again] = seen;
    // The last two: time of a stream never goes back, and neither does that of the process.
    expect(live).toEqual([1_000_000, 1_002_000, 1_007_000]);
    expect(again).toEqual([...live, 1_007_000]);
  });
});

describe('ctx.sleepUntil', () => {
  test('wakes at its moment, at once when that is past, and equal moments together', async () => {
    const process = defineProcess('sleeping', async (ctx) => {
      const woken: string[] = [];
      const sleep = async (name: string, until: Date | number | string) => {
        await ctx.sleepUntil(until);
        woken.push(`${name} ${ctx.now() - 1_000_000}`);
      };
      await ctx.parallel.all([
        sleep('third', new Date(1_000_300)),
        sleep('second', 1_000_200),
        sleep('second too', new Date(1_000_200).toISOString()),
        sleep('past', 5),
      ]);
      await ctx.sleepUntil(1_000_200);
      return woken;
    });
    const still = stage(process);
    expect(await finished(still)).toEqual(completed(['past 0', 'second 200', 'second too 200', 'third 300']));
    expect(await count(still, 'sleep.ended')).toBe(3);
  });

  test('survives restarts, and overdue sleeps end in due order', async () => {
    const process = defineProcess('sleeping', async (ctx) => {
      const woken: number[] = [];
      await ctx.parallel.map([300, 100, 200], async (inMs) => {
        await ctx.sleepUntil(1_000_000 + inMs);
        woken.push(inMs);
      });
      return woken;
    });
    const still = stage(process);
    await driven(still);
    still.store.abandon('run');
    still.clock.setNow(1_009_000);
    expect(await finished(still)).toEqual(completed([100, 200, 300]));
  });

  test('refuses what is no moment, and the run is not ended by it', async () => {
    const still = stage(defineProcess('sleeping', async (ctx) => ctx.sleepUntil('tomorrow')));
    await expect(finished(still)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('got `tomorrow`') as string,
    });
    expect(await count(still, 'run.ended')).toBe(0);
  });
});

describe('a group’s handle', () => {
  test('sends each signal once, under its own id or its type', async () => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 3 });
        await group.send(value('by type'));
        await group.send(value('by id'), { id: 'second' });
        await group.send(value('third'), { id: 'third' });
        return group.output;
      },
      {},
      completed(['by type', 'by id', 'third']),
    );
  });

  test('refuses a second signal of one id in one iteration: the author’s mistake, which cannot be caught away', async () => {
    const still = stage(
      defineProcess('twice', async (ctx) => {
        const group = ctx.group('group', gate, { count: 2 });
        await group.send(value(1));
        await group.send(value(2)).catch(() => {});
        return 'caught';
      }),
    );
    await expect(finished(still)).rejects.toMatchObject({
      code: 'DUPLICATE_NAME',
      message: expect.stringContaining('was sent a signal `value` before') as string,
    });
    const types = (await entriesOf(still.store)).map(({ type }) => type);
    expect(types).not.toContain('run.ended');
    expect(types).not.toContain('group.cancelled');
  });

  test.each([
    ['a type of the engine', { type: 'xstate.done.actor.a' }, 'RESERVED_EVENT'],
    ['a type of troupe', { type: 'troupe.settled' }, 'RESERVED_EVENT'],
    ['what is not JSON', { type: 'value', value: new Map() }, 'NOT_JSON'],
  ])('refuses %s, and the process may go on', async (_what, event, code) => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 1 });
        const refused = await group.send(event).catch(codeOf);
        await group.send(value(1));
        return [refused, await group.output];
      },
      {},
      completed([code, [1]]),
    );
  });

  test('refuses to send to a group that has ended, once the process has seen that end', async () => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 0 });
        const statuses: string[] = [group.status()];
        const refused = await group.send(value(1)).catch(codeOf);
        statuses.push(group.status());
        return [refused, statuses, await group.output];
      },
      {},
      completed(['GROUP_ENDED', ['active', 'completed'], []]),
    );
  });

  test('tells the status as the process has seen it', async () => {
    await alwaysEnds(
      async (ctx) => {
        const good = ctx.group('good', gate, { count: 1 });
        const bad = ctx.group('bad', gate, { count: 1 });
        const before = [good.status(), bad.status()];
        await good.send(value(1));
        await good.output;
        const between = good.status();
        await bad.send({ type: 'break' });
        await bad.output.catch(() => {});
        return [...before, between, bad.status()];
      },
      {},
      completed(['active', 'active', 'completed', 'failed']),
    );
  });

  test('cancels its group: members are stopped, output rejects, and cancelling an ended one changes nothing', async () => {
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 1 });
        await group.cancel('not needed');
        const status = group.status();
        const error = await group.output.catch((thrown: unknown) => thrown as Error);
        await group.cancel('again');
        return [status, codeOf(error), (error as Error).message];
      },
      {},
      completed(['cancelled', 'CANCELLED', 'CANCELLED: group `group` was cancelled: not needed.']),
    );
  });

  test('gives checkpoints in order, to a late subscriber too, to each of several, and ends with the group', async () => {
    const take = async (group: GroupHandle<unknown>) => {
      const names: string[] = [];
      for await (const { name, settled, total } of group.checkpoints) names.push(`${name}: ${settled} of ${total}`);
      return names;
    };
    const all = ['value 1: 1 of 3', 'value 2: 2 of 3', 'value 3: 3 of 3'];
    await alwaysEnds(
      async (ctx) => {
        const group = ctx.group('group', gate, { count: 3 });
        const early = take(group);
        for (const id of ['1', '2', '3']) await group.send(value(id), { id });
        await group.output;
        const late = await take(group);
        return [await early, late];
      },
      {},
      completed([all, all]),
    );
  });

  test('ends its checkpoints when the group fails', async () => {
    const process = defineProcess('failing', async (ctx) => {
      const group = ctx.group('group', gate, { count: 3 });
      await group.send(value(1));
      await group.send({ type: 'break' });
      const seen: number[] = [];
      for await (const { seq } of group.checkpoints) seen.push(seq);
      return [seen.length, await group.output.catch(codeOf)];
    });
    expect(await finished(stage(process))).toEqual(completed([1, 'GROUP_FAILED']));
  });
});

describe('ctx.parallel', () => {
  test('refuses what is neither promise nor function, and a concurrency below one', async () => {
    const process = defineProcess('parallel', async (ctx) => [
      await ctx.parallel.all([1 as never]).catch(codeOf),
      await Promise.resolve()
        .then(() => ctx.parallel.map([1], (one) => one, { concurrency: 0 }))
        .catch(codeOf),
      await ctx.parallel.all([]),
      await ctx.parallel.map([], (one) => one),
    ]);
    expect(await finished(stage(process))).toEqual(completed(['BAD_INPUT', 'BAD_INPUT', [], []]));
  });

  test('maps at most so many items at a time', async () => {
    let running = 0;
    let most = 0;
    const process = defineProcess('mapping', async (ctx) =>
      ctx.parallel.map(
        [1, 2, 3, 4, 5, 6],
        async (item) => {
          running += 1;
          most = Math.max(most, running);
          await ctx.task(`task ${item}`, {});
          running -= 1;
          return item;
        },
        { concurrency: 2 },
      ),
    );
    expect(await finished(stage(process, { '*': ok() }))).toEqual(completed([1, 2, 3, 4, 5, 6]));
    expect(most).toBe(2);
  });
});

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

test('a process is known by its mark, and has a name and a function', () => {
  expect(isProcess(defineProcess('a', () => 1))).toBe(true);
  expect(isProcess({ name: 'a', run: () => 1 })).toBe(false);
  expect(() => defineProcess('', () => 1)).toThrow('BAD_INPUT');
  expect(() => defineProcess('a', undefined as never)).toThrow('BAD_INPUT');
});
