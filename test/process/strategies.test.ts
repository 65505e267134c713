/** Waiting for some of several: the first success, a quorum, best effort. */
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type Context } from 'troupe';
import { fail, hold, ok } from 'troupe/harness';
import { finished, killed, stage, story } from '../support/running.ts';

describe('waiting for some of several', () => {
  const branches = (names: readonly string[]) =>
    names.map((name) => (ctx: Context) => ctx.task(name, { prompt: name }));
  const run = (body: (ctx: Context) => Promise<unknown>) => defineProcess('some', body as never);

  test('the first success wins, and the losers are cancelled', async () => {
    const play = stage(
      run((ctx) => ctx.parallel.first(branches(['bad', 'good', 'slow']))),
      { 'bad/task': fail('failed', 'no'), 'good/task': ok('yes'), 'slow/task': hold },
    );
    expect(await finished(play)).toEqual({ status: 'completed', output: 'yes' });
    expect(await story(play, 'group:slow', ['status', 'reason'])).toContain(
      'group.ended cancelled lost: parallel.first is decided',
    );
  });

  test('a loser is cancelled with what the strategies in it have opened', async () => {
    const play = stage(
      run((ctx) =>
        ctx.parallel.first([
          (branch) => branch.parallel.first([(inner) => inner.parallel.first(branches(['deep', 'slow']))]),
          ...branches(['good']),
        ]),
      ),
      { 'good/task': ok('yes'), '*': hold },
    );
    expect(await finished(play)).toEqual({ status: 'completed', output: 'yes' });
    for (const lost of ['group:deep', 'group:slow'])
      expect(await story(play, lost, ['status'])).toContain('group.ended cancelled');
  });

  test('when all fail, the first failure in order is thrown', async () => {
    const play = stage(
      run((ctx) => ctx.parallel.first(branches(['a', 'b']))),
      { 'a/task': fail('failed', 'A'), 'b/task': fail('failed', 'B') },
    );
    expect(await finished(play)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('group `a` failed: A') },
    });
  });

  test('a quorum is enough, and an impossible one ends at once', async () => {
    const script = { 'a/task': ok(1), 'b/task': fail('failed', 'b'), 'c/task': ok(3), 'd/task': hold } as const;
    const names = ['a', 'b', 'c', 'd'];
    const enough = stage(
      run((ctx) => ctx.parallel.quorum(branches(names), { atLeast: 0.5 })),
      script,
    );
    expect(await finished(enough)).toEqual({
      status: 'completed',
      output: [
        { index: 0, result: 1 },
        { index: 2, result: 3 },
      ],
    });
    const lost = stage(
      run((ctx) => ctx.parallel.quorum(branches(names), { atLeast: 4 })),
      script,
    );
    expect(await finished(lost)).toMatchObject({ status: 'failed', error: { code: 'QUORUM_LOST' } });
  });

  test('a share of the branches is no more than that', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `m${index}`);
    const seven = Object.fromEntries(names.slice(0, 7).map((name) => [`${name}/task`, ok()]));
    const play = stage(
      run(async (ctx) => (await ctx.parallel.quorum(branches(names), { atLeast: 0.28 })).length),
      { ...seven, '*': hold },
    );
    expect(await finished(play)).toEqual({ status: 'completed', output: 7 });
  });

  test('best effort keeps the places and never throws', async () => {
    const play = stage(
      run(async (ctx) => {
        const { results, errors, successCount } = await ctx.parallel.bestEffort(branches(['a', 'b', 'c']));
        return {
          results: results.map((one) => one ?? null),
          errors: errors.map((one) => one !== undefined),
          successCount,
        };
      }),
      { 'a/task': ok(1), 'b/task': fail('failed', 'b'), 'c/task': ok(3) },
    );
    expect(await finished(play)).toEqual({
      status: 'completed',
      output: { results: [1, null, 3], errors: [false, true, false], successCount: 2 },
    });
  });

  test.each([
    ['no branches', (ctx: Context) => ctx.parallel.first([])],
    ['promises instead of functions', (ctx: Context) => ctx.parallel.first([Promise.resolve(1) as never])],
    [
      'something else behind a function',
      (ctx: Context) => ctx.parallel.first([...branches(['a']), Promise.resolve(1) as never]),
    ],
    ['more than there are', (ctx: Context) => ctx.parallel.quorum(branches(['a']), { atLeast: 2 })],
    ['a share of nothing', (ctx: Context) => ctx.parallel.quorum(branches(['a']), { atLeast: 0 })],
  ])('%s is bad input', async (_what, body) => {
    const play = stage(run(body));
    expect(await finished(play)).toMatchObject({ status: 'failed', error: { code: 'BAD_INPUT' } });
    expect(await story(play, 'group:a')).toEqual([]);
  });

  test('a decided wait comes out the same wherever the host dies', async () => {
    const process = run(async (ctx) => [
      await ctx.parallel.first(branches(['slow', 'good'])),
      await ctx.task('after', { prompt: 'after' }),
    ]);
    const script = { 'good/task': ok('yes'), 'slow/task': hold, 'after/task': ok('then') } as const;
    for (let atAppend = 1; ; atAppend += 1) {
      const play = stage(process, script);
      const end = await killed(play, { atAppend, isWritten: atAppend % 2 === 0 });
      expect(end ?? (await finished(play))).toEqual({ status: 'completed', output: ['yes', 'then'] });
      await verifyRun({ store: play.store, run: 'run', process });
      if (end !== undefined) return;
    }
  });
});
