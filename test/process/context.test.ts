/** What a process function is given: each part of its context keeps its promise in every iteration. */
import { describe, expect, test } from 'vitest';
import { defineProcess, isProcess, type Context } from 'troupe';
import { fail, hold, later, ok, scripted } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, killed, stage, type Stage } from '../support/running.ts';

const completed = (output: unknown) => ({ status: 'completed', output });
const codeOf = (error: unknown) => (error as { readonly code?: string }).code ?? String(error);
const count = async (still: Stage, type: string) =>
  (await entriesOf(still.store)).filter((entry) => entry.type === type).length;

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
      void ctx.parallel.map(['mapped'], (name) => ctx.task(name, {}));
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

  test.each([Number.NaN, -9e15, 9e15, 'soon', undefined as never, null as never, {} as never])(
    'refuses %s, which is no time',
    async (until) => {
      const still = stage(defineProcess('sleeping', (ctx) => ctx.sleepUntil(until)));
      await expect(finished(still)).rejects.toThrow('BAD_INPUT: sleepUntil: expected a time');
    },
  );

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

describe('bounds', () => {
  test.each([[Number.POSITIVE_INFINITY], [Number.NaN], [-1]])(
    'of a group are refused when they cannot be recorded: %s',
    async (membersMax) => {
      const body = (ctx: Context) => ctx.group('g', fanOut, { members: [] }, { bounds: { membersMax } }).output;
      const still = stage(defineProcess('bounded', body));
      await expect(finished(still)).rejects.toThrow('expected `bounds.membersMax` to be a finite number >= 0');
      expect(await count(still, 'group.created')).toBe(0);
    },
  );

  test('of a group that are undefined are the default', async () => {
    const bounds = { membersMax: undefined } as unknown as { readonly membersMax: number };
    const still = stage(defineProcess('bounded', (ctx) => ctx.group('g', fanOut, { members: [] }, { bounds }).output));
    await finished(still);
    const created = (await entriesOf(still.store)).find(({ type }) => type === 'group.created');
    expect(created?.data).toMatchObject({ bounds: { membersMax: 100_000 } });
  });

  test.each<[object, string]>([
    [{ budjet: { attempts: 1 } }, 'unknown field `budjet`; did you mean `budget`?'],
    [{ budget: { atempts: 1 } }, 'unknown field `atempts` in `budget`; did you mean `attempts`?'],
    [{ budget: { attempts: -1 } }, 'expected `budget.attempts` to be a whole number >= 0, got `-1`.'],
    [{ budget: { attempts: 1, over: 'die' } }, 'expected `budget.over` to be ask, fail or stop, got `"die"`.'],
    [{ bounds: { memberMax: 3 } }, 'unknown field `memberMax` in `bounds`; did you mean `membersMax`?'],
    [{ onReturn: 'stop' }, 'expected `onReturn` to be cancel or wait, got `"stop"`.'],
    [{ concurrency: 'two' }, 'expected `concurrency` to be a number >= 1, got `"two"`.'],
    [null as never, 'expected its options to be an object, got `null`.'],
  ])('and options of a group are refused where nobody would keep to them: %j', async (options, what) => {
    const body = (ctx: Context) => ctx.group('g', fanOut, { members: [] }, options).output;
    const still = stage(defineProcess('bounded', body));
    await expect(finished(still)).rejects.toThrow(`BAD_INPUT: group \`g\`: ${what}`);
    expect(await count(still, 'group.created')).toBe(0);
  });

  test('a budget may be endless', async () => {
    const budget = { attempts: Number.POSITIVE_INFINITY, costUsd: Number.POSITIVE_INFINITY };
    const process = defineProcess('endless', (ctx) => ctx.group('g', fanOut, { members: [] }, { budget }).output);
    expect(await finished(stage(process), { budget })).toMatchObject({ status: 'completed' });
  });

  test.each<[object, string]>([
    [{ budget: { atempts: 1 } }, 'unknown field `atempts` in `budget`; did you mean `attempts`?'],
    [{ breaker: { trip: 3 } }, 'unknown field `trip` in `breaker`; did you mean `trips`?'],
    [{ fallback: { overload: ['a'] } }, 'unknown field `overload` in `fallback`; did you mean `overloaded`?'],
    [{ schemas: { a: { parse: 1 } } }, 'expected `schemas.a` to be a Standard Schema'],
  ])('rules of a host are refused before anything is created: %j', async (rules, what) => {
    const still = stage(defineProcess('bounded', () => 1));
    await expect(finished(still, rules)).rejects.toThrow(`BAD_INPUT: openRun: ${what}`);
    expect(await still.store.list()).toEqual([]);
  });

  test.each([[{ concurrency: 0 }], [{ concurrency: Number.NaN }], [{ mailboxMax: -1 }], [{ groupsMax: Number.NaN }]])(
    'of a host are refused before anything is created: %j',
    async (bounds) => {
      const still = stage(defineProcess('bounded', () => 1));
      await expect(finished(still, bounds)).rejects.toThrow(
        `BAD_INPUT: openRun: expected \`${Object.keys(bounds)[0]}\``,
      );
      expect(await still.store.list()).toEqual([]);
    },
  );
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

  test.each<[string, (ctx: Context) => Promise<unknown>]>([
    ['all', (ctx) => ctx.parallel.all((async () => 1) as never)],
    ['map', async (ctx) => ctx.parallel.map(null as never, (one) => one)],
    ['first', (ctx) => ctx.parallel.first((async () => 1) as never)],
    ['bestEffort', (ctx) => ctx.parallel.bestEffort((async () => 1) as never)],
    ['quorum', (ctx) => ctx.parallel.quorum((async () => 1) as never)],
  ])('%s wants one list, not several arguments', async (what, waits) => {
    const refusal = new RegExp(`^BAD_INPUT: parallel\\.${what}: expected one list, got (function|null)\\.$`);
    expect(await finished(stage(defineProcess('parallel', waits)))).toEqual({
      status: 'failed',
      error: expect.objectContaining({
        code: 'BAD_INPUT',
        message: expect.stringMatching(refusal) as string,
      }) as object,
    });
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

test('a process is known by its mark, and has a name and a function', () => {
  expect(isProcess(defineProcess('a', () => 1))).toBe(true);
  expect(isProcess({ name: 'a', run: () => 1 })).toBe(false);
  expect(() => defineProcess('', () => 1)).toThrow('BAD_INPUT');
  expect(() => defineProcess('a', undefined as never)).toThrow('BAD_INPUT');
});
