/** Fan-out and fan-in: all of them, so many at a time, marked on the way, and back in the order in which they were asked for. */
import fc from 'fast-check';
import { createActor, type AnyActorRef } from 'xstate';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { defineProcess, verifyRun, type Context, type GroupHandle, type Invocation, type JsonValue } from 'troupe';
import { fail, fn, hold, ok, type Script } from 'troupe/harness';
import { fanOut, type FanOutInput, type FanOutOutput } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, stage, type Stage } from '../support/running.ts';

const ids = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `m${index}` }));
const fanning = (input: FanOutInput) =>
  defineProcess('fanning', async (ctx) => ctx.group('group', fanOut, input).output);
const echo: Script = {
  '*': ({ member }) => (member.startsWith('bad') ? fail('failed', `${member} broke`) : ok(member)),
};
const checkpointsOf = async ({ store }: Stage) =>
  (await entriesOf(store))
    .filter(({ type }) => type === 'checkpoint')
    .map(({ data }) => {
      const { name, settled, total } = data as {
        readonly name: string;
        readonly settled: number;
        readonly total: number;
      };
      return `${name}: ${settled} of ${total}`;
    });

describe('members', () => {
  test('all settle, and come back in the order in which they were asked for, in whatever order they ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        async (count, concurrency, choices) => {
          const still = stage(fanning({ members: ids(count), concurrency }), { '*': hold });
          const { run, end } = await driven(still);
          const order: string[] = [];
          for (const choice of choices.slice(0, count)) {
            const open = still.harness.open();
            // At most so many at a time, and never fewer than there could be.
            expect(open.length).toBe(Math.min(concurrency, count - order.length));
            const { member } = open[choice % open.length] as (typeof open)[number];
            order.push(member);
            still.harness.settle(member, ok(member));
            await settle(5);
          }
          const all = ids(count).map(({ id }) => ({ id, output: id }));
          expect(await end).toEqual({
            status: 'completed',
            output: { results: all, failed: [], settled: count, total: count },
          });
          expect(still.harness.calls.map(({ member }) => member)).toEqual(ids(count).map(({ id }) => id));
          await run.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('of whom there are none end at once', async () => {
    expect(await finished(stage(fanning({ members: [] })))).toEqual({
      status: 'completed',
      output: { results: [], failed: [], settled: 0, total: 0 },
    });
  });

  test('that fail are collected, in order, and the others go on (best-effort)', async () => {
    const members = [{ id: 'a' }, { id: 'bad1' }, { id: 'b' }, { id: 'bad2' }];
    const end = await finished(stage(fanning({ members, concurrency: 2 }), echo));
    expect(end).toMatchObject({
      status: 'completed',
      output: {
        results: [
          { id: 'a', output: 'a' },
          { id: 'b', output: 'b' },
        ],
        failed: [
          { id: 'bad1', error: { message: 'bad1 broke' } },
          { id: 'bad2', error: { message: 'bad2 broke' } },
        ],
        settled: 4,
        total: 4,
      },
    });
  });

  test('the first of whom that fails fails the group and stops the others (fail-fast)', async () => {
    const members = [{ id: 'a' }, { id: 'bad' }, { id: 'never asked for' }];
    const still = stage(fanning({ members, concurrency: 2, policy: 'fail-fast' }), { ...echo, a: hold, bad: hold });
    const { run, end } = await driven(still);
    still.harness.settle('bad', fail('failed', { name: 'Error', message: 'bad broke', code: 'BROKEN' }));
    expect(await end).toMatchObject({
      status: 'failed',
      error: { code: 'GROUP_FAILED', message: 'GROUP_FAILED: group `group` failed: member `bad` failed: bad broke' },
    });
    await run.close();
    expect(still.harness.calls.map(({ member }) => member)).toEqual(['a', 'bad']);
    expect(still.harness.open()).toEqual([]);
    const ended = (await entriesOf(still.store)).find(({ type }) => type === 'group.ended');
    expect(ended?.data).toMatchObject({
      status: 'failed',
      error: { code: 'BROKEN', cause: { message: 'bad broke', code: 'BROKEN' } },
    });
  });
});

describe('checkpoints', () => {
  test('are marked after exactly so many settled members, failed ones counted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 6 }),
        async (count, checkpointEvery, concurrency) => {
          const members = ids(count).map(({ id }, index) => ({ id: index % 3 === 1 ? `bad${index}` : id }));
          const still = stage(fanning({ members, checkpointEvery, concurrency }), echo);
          await finished(still);
          const expected = Array.from(
            { length: Math.floor(count / checkpointEvery) },
            (_, index) => `checkpoint ${index + 1}: ${(index + 1) * checkpointEvery} of ${count}`,
          );
          expect(await checkpointsOf(still)).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('are none without checkpointEvery', async () => {
    const still = stage(fanning({ members: ids(5) }), echo);
    await finished(still);
    expect(await checkpointsOf(still)).toEqual([]);
  });
});

describe('input that makes no sense fails the group, saying what is expected', () => {
  const member = ids(1);
  test.each<readonly [string, unknown, string]>([
    [
      'duplicate ids',
      { members: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] },
      'fan-out: two of `members` are called `a`. Names are identities: give the second another id.',
    ],
    [
      'a concurrency of 0',
      { members: member, concurrency: 0 },
      'fan-out: expected `concurrency` to be a whole number >= 1, got `0` (number).',
    ],
    ['half a member at a time', { members: member, concurrency: 1.5 }, 'got `1.5` (number)'],
    [
      'a text as a number',
      { members: member, checkpointEvery: '2' },
      'fan-out: expected `checkpointEvery` to be a whole number >= 1, got `"2"` (string).',
    ],
    [
      'an unknown policy',
      { members: member, policy: 'whatever' },
      'fan-out: expected `policy` to be best-effort or fail-fast, got `"whatever"` (string).',
    ],
    ['no members', {}, 'fan-out: expected `members` to be a list of members, got `undefined` (undefined).'],
    [
      'a member without an id',
      { members: [{ id: 'a' }, { prompt: 'b' }] },
      'fan-out: expected the id of each of `members` to be a text without `::`',
    ],
  ])('%s', async (_what, input, message) => {
    const still = stage(fanning(input as FanOutInput), echo);
    expect(await finished(still)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining(message) as string },
    });
    expect(still.harness.calls).toEqual([]);
  });
});

test('10,000 members complete, and one of them costs about as much as one of 100', { timeout: 60_000 }, async () => {
  const costMs = async (count: number) => {
    const harnesses = { scripted: fn(({ member }) => member) };
    const still = stage(fanning({ members: ids(count), checkpointEvery: 1_000 }), {}, { harnesses });
    const startedAt = performance.now();
    const { run, end } = await driven(still);
    const result = await end;
    const tookMs = performance.now() - startedAt;
    await run.close();
    expect(result).toMatchObject({ status: 'completed', output: { settled: count, total: count, failed: [] } });
    const { results } = (result as unknown as { readonly output: FanOutOutput }).output;
    expect(results.map(({ id }) => id)).toEqual(ids(count).map(({ id }) => id));
    return { perMemberUs: Math.round((tookMs * 1_000) / count), still };
  };
  await costMs(100);
  const small = await costMs(100);
  const large = await costMs(10_000);
  await verifyRun({ store: large.still.store, run: 'run', process: large.still.process });
  // Told, not asserted: how fast a machine is, is no promise.
  process.stdout.write(`fan-out, per member: ${small.perMemberUs} µs of 100, ${large.perMemberUs} µs of 10,000\n`);
});

test('as a live XState actor it comes to the same, its members settled by hand', () => {
  const input: FanOutInput = { members: ids(7), concurrency: 3, checkpointEvery: 2 };
  const live = createActor(fanOut, { input: input as never });
  const checkpoints: unknown[] = [];
  live.on('troupe.checkpoint' as never, (event: unknown) =>
    checkpoints.push((event as { readonly settled: number }).settled),
  );
  live.start();
  const asked: string[] = [];
  const settled = new Set<string>();
  while (live.getSnapshot().status === 'active') {
    const { children } = live.getSnapshot() as unknown as { readonly children: Readonly<Record<string, AnyActorRef>> };
    const open = Object.keys(children).filter((id) => !settled.has(id));
    for (const id of open) if (!asked.includes(id)) asked.push(id);
    expect(open.length).toBeLessThanOrEqual(3);
    const id = open.at(-1) as string;
    settled.add(id);
    children[id]?.send({ type: 'troupe.settled', outcome: id === 'm3' ? fail('failed', 'no') : ok(id) } as never);
  }
  const { output, status } = live.getSnapshot() as unknown as {
    readonly status: string;
    readonly output: FanOutOutput;
  };
  expect(status).toBe('done');
  expect(output.results.map(({ id }) => id)).toEqual(['m0', 'm1', 'm2', 'm4', 'm5', 'm6']);
  expect(output.failed.map(({ id }) => id)).toEqual(['m3']);
  expect(asked.toSorted()).toEqual(ids(7).map(({ id }) => id));
  expect(checkpoints).toEqual([2, 4, 6]);
});

test('its input and output are typed', () => {
  const check = (ctx: Context) => {
    const group = ctx.group('typed', fanOut, {
      members: [{ id: 'a', command: ['true'] }],
      concurrency: 1,
      policy: 'fail-fast',
    });
    expectTypeOf(group).toEqualTypeOf<GroupHandle<FanOutOutput>>();
    expectTypeOf(group.output)
      .resolves.toHaveProperty('results')
      .toEqualTypeOf<readonly { readonly id: string; readonly output: JsonValue }[]>();
    // @ts-expect-error a member needs an id
    ctx.group('no id', fanOut, { members: [{ command: ['true'] }] });
    // @ts-expect-error there is no such policy
    ctx.group('policy', fanOut, { members: [], policy: 'whatever' });
    // @ts-expect-error members are needed
    ctx.group('no members', fanOut, {});
    expectTypeOf<FanOutInput['members'][number]>().toExtend<Invocation>();
  };
  expect(check).toBeTypeOf('function');
});
