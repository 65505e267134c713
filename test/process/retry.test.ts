/** A failed member is tried again in a new run; the old one stays as it is. */
import { expect, test } from 'vitest';
import { defineProcess, retryRun, verifyRun, type Invocation, type RunResult } from 'troupe';
import { fail, ok, type Script } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { finished, stage } from '../support/running.ts';

const broken = fail('failed', 'no network');

/** Members `a`, `b`, `c` one after the other; `b` is as given. */
function reviewing(b: Partial<Invocation> = {}, groups: readonly string[] = ['review']) {
  return defineProcess('review', async (ctx) => {
    const outputs: unknown[] = [];
    for (const group of groups) {
      const members = ['a', 'b', 'c'].map((id) => ({ id, prompt: id, ...(id === 'b' ? b : {}) }));
      const { results, failed } = await ctx.group(group, fanOut, { members, concurrency: 1 }).output;
      outputs.push([results.map(({ id }) => id), failed.map(({ id }) => id)]);
    }
    return outputs as never;
  });
}

const script: Script = { a: ok('a'), b: [broken, ok('b')], c: ok('c') };
const output = (end: RunResult) => (end.status === 'completed' ? end.output : end);

test('a retry makes the failed attempt once more, keeps what had settled before, and leaves the run as it is', async () => {
  const here = stage(reviewing(), script);
  expect(output(await finished(here))).toEqual([[['a', 'c'], ['b']]]);
  const entries = await entriesOf(here.store);
  const position =
    entries.findIndex(({ type, data }) => type === 'member.settled' && (data as { member: string }).member === 'b') + 1;
  const retry = await retryRun({ store: here.store, run: 'run', member: 'b', clock: here.clock });
  expect(retry).toMatchObject({
    as: 'run-retry-1',
    from: 'run',
    at: position - 1,
    group: 'review',
    member: 'b',
    attempt: 1,
  });
  expect((await entriesOf(here.store, 'run-retry-1')).at(-1)).toMatchObject({
    stream: 'group:review',
    type: 'attempt.failed',
    data: { member: 'b', attempt: 1, class: 'failed', error: { message: 'no network' } },
  });
  expect(output(await finished(here, { run: 'run-retry-1' }))).toEqual([[['a', 'b', 'c'], []]]);
  expect(
    here.harness.calls.filter(({ run }) => run === 'run-retry-1').map(({ member, attempt }) => `${member} ${attempt}`),
  ).toEqual(['b 2', 'c 1']);
  expect(here.harness.swept).toEqual([]);
  await verifyRun({ store: here.store, run: 'run-retry-1', process: here.process });
  expect(await entriesOf(here.store)).toEqual(entries);
});

test('what was written in one append with the failure, before it, is not done again', async () => {
  const process = defineProcess('review', async (ctx) => {
    const members = ['a', 'b'].map((id) => ({ id }));
    return (await ctx.group('review', fanOut, { members }).output).results.map(({ id }) => id);
  });
  const here = stage(process, script);
  await finished(here);
  const { as, entries } = await retryRun({ store: here.store, run: 'run', member: 'b', clock: here.clock });
  expect((await entriesOf(here.store, as)).slice(entries - 1).map(({ type }) => type)).toEqual([
    'member.settled',
    'attempt.failed',
  ]);
  expect(output(await finished(here, { run: as }))).toEqual(['a', 'b']);
  expect(
    here.harness.calls.filter(({ run }) => run === as).map(({ member, attempt }) => `${member} ${attempt}`),
  ).toEqual(['b 2']);
  await verifyRun({ store: here.store, run: as, process });
});

test('a member that may not be restarted is tried again all the same: somebody asked for it', async () => {
  const here = stage(reviewing({ restartable: false }), script);
  await finished(here);
  await retryRun({ store: here.store, run: 'run', member: 'b', as: 'again', clock: here.clock });
  expect(output(await finished(here, { run: 'again' }))).toEqual([[['a', 'b', 'c'], []]]);
});

test('one whose retries are used up gets one more attempt, and fails again if that does', async () => {
  const here = stage(reviewing({ retry: { attempts: 3, minMs: 1 } }), {
    ...script,
    b: [broken, broken, broken, broken, ok('b')],
  });
  expect(output(await finished(here))).toEqual([[['a', 'c'], ['b']]]);
  const first = await retryRun({ store: here.store, run: 'run', member: 'b', clock: here.clock });
  expect(first.attempt).toBe(3);
  expect(output(await finished(here, { run: first.as }))).toEqual([[['a', 'c'], ['b']]]);
  const second = await retryRun({ store: here.store, run: first.as, member: 'b', clock: here.clock });
  expect([second.as, second.attempt]).toEqual(['run-retry-2', 4]);
  expect(output(await finished(here, { run: second.as }))).toEqual([[['a', 'b', 'c'], []]]);
});

test('a member that was refused before its first attempt is tried as if for the first time', async () => {
  const here = stage(reviewing({ harness: 'missing' }), script);
  expect(output(await finished(here))).toEqual([[['a', 'c'], ['b']]]);
  const { as } = await retryRun({ store: here.store, run: 'run', member: 'b', clock: here.clock });
  expect(
    output(
      await finished(here, {
        run: as,
        harnesses: { scripted: here.harness, missing: { perform: async () => ok('b') as never } },
      }),
    ),
  ).toEqual([[['a', 'b', 'c'], []]]);
});

test('what has not failed is BAD_INPUT; unknown names are told the nearest; two groups want to be told apart', async () => {
  const here = stage(reviewing({}, ['review', 'second']), { ...script, b: broken });
  await finished(here);
  const { store } = here;
  await expect(retryRun({ store, run: 'run', member: 'a' })).rejects.toThrow(
    /BAD_INPUT: member `a` of run run did not fail: it is completed in group `review`, it is completed in group `second`/,
  );
  await expect(retryRun({ store, run: 'run', member: 'bb' })).rejects.toThrow(/UNKNOWN_MEMBER: .*Did you mean `b`/);
  await expect(retryRun({ store, run: 'run', group: 'reviw', member: 'b' })).rejects.toThrow(
    /UNKNOWN_GROUP: .*Did you mean `review`/,
  );
  await expect(retryRun({ store, run: 'run', member: 'b' })).rejects.toThrow(
    /BAD_INPUT: .*several groups of run run: review, second/,
  );
  await expect(retryRun({ store, run: 'nope', member: 'b' })).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  const { as, group } = await retryRun({ store, run: 'run', group: 'second', member: 'b', clock: here.clock });
  expect([as, group]).toEqual(['run-retry-1', 'second']);
  expect(await store.list()).toEqual(['run', 'run-retry-1']);
});
