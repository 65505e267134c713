/** Routing, fallback, circuits and rates, as the journal tells them. */
import { describe, expect, test } from 'vitest';
import { verifyRun, type Invocation, type RunOptions } from 'troupe';
import { fail, hold, ok, scripted, type Script } from 'troupe/harness';
import { entriesOf } from '../support/dying-store.ts';
import { passing } from '../support/hand-clock.ts';
import { calling, driven, finished, killed, stage, tell, type Stage } from '../support/running.ts';

const members = (count: number, invocation: Invocation = {}) =>
  Array.from({ length: count }, (_, index) => ({ id: `m${index}`, ...invocation }));

/** A stage of several harnesses. */
function staged(
  invocations: readonly (Invocation & { readonly id: string })[],
  harnesses: RunOptions['harnesses'],
  more: Partial<RunOptions> = {},
): Stage {
  return stage(calling({ members: invocations, until: invocations.length }), {}, { harnesses, ...more });
}

const startsOf = async ({ store }: Stage) =>
  (await entriesOf(store))
    .filter(({ type }) => type === 'attempt.started')
    .map(({ data, at }) => ({
      ...(data as { member: string; harness: string; attempt: number; why: string; rejected?: unknown }),
      at,
    }));

const able = (script: Script = { '*': ok() }, more: Partial<ReturnType<typeof scripted>> = {}) => ({
  ...scripted(script),
  capabilities: ['review'],
  ...more,
});

describe('members that need the same', () => {
  test('take turns in the order in which they were asked for', async () => {
    const play = staged(members(6, { needs: ['review'] }), {
      x: able(),
      y: able(),
      z: { ...able(), capabilities: [] },
    });
    await finished(play);
    expect((await startsOf(play)).map(({ member, harness }) => [member, harness])).toEqual([
      ['m0', 'x'],
      ['m1', 'y'],
      ['m2', 'x'],
      ['m3', 'y'],
      ['m4', 'x'],
      ['m5', 'y'],
    ]);
  });

  test('go where there is most room', async () => {
    const play = staged(members(6, { needs: ['review'] }), {
      wide: able({ '*': hold }, { concurrency: 4 }),
      narrow: able({ '*': hold }, { concurrency: 2 }),
    });
    const { run } = await driven(play);
    const taken = (await startsOf(play)).map(({ harness }) => harness);
    expect(taken.filter((name) => name === 'wide')).toHaveLength(4);
    expect(taken.filter((name) => name === 'narrow')).toHaveLength(2);
    await run.close();
  });

  test('leave in the journal why, and why not the others', async () => {
    const play = staged(members(1, { needs: ['review'], avoid: ['y'] }), { x: able(), y: able() });
    await finished(play);
    expect(await startsOf(play)).toMatchObject([
      { harness: 'x', why: 'is the only one that matches', rejected: [{ harness: 'y', reason: 'is to be avoided' }] },
    ]);
  });

  test('keep their harness and their turn when the host dies (G8)', async () => {
    for (let atAppend = 2; atAppend < 9; atAppend += 1) {
      const play = staged(members(4, { needs: ['review'] }), { x: able(), y: able() });
      await killed(play, { atAppend, isWritten: atAppend % 2 === 0 });
      await finished(play);
      for (const { member, harness } of await startsOf(play))
        expect(harness).toBe(Number(member.slice(1)) % 2 === 0 ? 'x' : 'y');
    }
  });
});

describe('a failure falls back by its class', () => {
  const fallback = { 'rate-limited': ['second', 'third'] } as const;

  test('through the chain, each harness once, without waiting; the reasons are recorded', async () => {
    const limited = able({ '*': fail('rate-limited', 'slow down') });
    const play = staged([{ id: 'a', harness: 'first', fallback }], {
      first: limited,
      second: able({ '*': fail('rate-limited', 'me too') }),
      third: able({ '*': ok('done') }),
    });
    expect(await finished(play)).toMatchObject({ output: [['xstate.done.actor.a', 'done']] });
    expect((await startsOf(play)).map(({ harness, attempt, why, at }) => [harness, attempt, why, at])).toEqual([
      ['first', 1, 'is pinned', 1_000_000],
      ['second', 2, 'falls back from first (rate-limited)', 1_000_000],
      ['third', 3, 'falls back from second (rate-limited)', 1_000_000],
    ]);
  });

  test('with the rule of the run when it has none of its own', async () => {
    const play = staged(
      [{ id: 'a', harness: 'first' }],
      { first: able({ '*': fail('auth', 'who are you') }), second: able() },
      { fallback: { auth: ['second'] } },
    );
    expect(await finished(play)).toMatchObject({ output: [['xstate.done.actor.a', null]] });
  });

  test('ends in the last failure when nobody is left', async () => {
    const bad = able({ '*': fail('rate-limited', 'no') });
    const play = staged([{ id: 'a', harness: 'first', fallback }], { first: bad, second: bad, third: bad });
    expect(await finished(play)).toMatchObject({ output: [['xstate.error.actor.a', 'no']] });
    expect(await startsOf(play)).toHaveLength(3);
  });

  test('never to one that lacks what is needed: the failure stands, and the attempts end', async () => {
    const play = staged([{ id: 'a', harness: 'first', needs: ['review'], fallback }], {
      first: able({ '*': fail('rate-limited', 'no') }),
      second: { ...able(), capabilities: [] },
    });
    expect(await finished(play)).toMatchObject({ output: [['xstate.error.actor.a', 'no']] });
    expect(await startsOf(play)).toHaveLength(1);
  });

  test('wherever the host dies', async () => {
    for (let atAppend = 1; ; atAppend += 1) {
      const play = staged([{ id: 'a', harness: 'first', fallback }], {
        first: able({ '*': fail('rate-limited', 'slow down') }),
        second: able({ '*': ok('done') }),
      });
      const end = await killed(play, { atAppend, isWritten: true });
      expect(end ?? (await finished(play))).toMatchObject({ output: [['xstate.done.actor.a', 'done']] });
      if (end !== undefined) return;
    }
  });
});

describe('a circuit', () => {
  const breaker = { trips: 2, openMs: 10_000 };
  const flaky = () => able({ 'm0': fail('overloaded', 'busy'), 'm1': fail('overloaded', 'busy'), '*': ok('done') });

  test('that is open sends the next ones elsewhere', async () => {
    const play = stage(
      calling({ members: members(2, { harness: 'x' }), until: 3 }),
      {},
      { harnesses: { x: flaky(), y: able() }, breaker },
    );
    const { run, end } = await driven(play);
    await tell(run, 'spawn', { id: 'next', invocation: { needs: ['review'], prefer: ['x'] } });
    await end;
    expect((await startsOf(play)).map(({ harness }) => harness)).toEqual(['x', 'x', 'y']);
    expect((await startsOf(play)).at(-1)?.rejected).toEqual([
      { harness: 'x', reason: 'is open-circuited until 00:16:50 UTC' },
    ]);
    await run.close();
  });

  test('that stays open for ever stands in nobody else’s way', async () => {
    const never = { trips: 2, openMs: Number.MAX_SAFE_INTEGER, openMsMax: Number.MAX_SAFE_INTEGER };
    const play = stage(
      calling({ members: members(2, { harness: 'x' }), until: 3 }),
      {},
      { harnesses: { x: flaky(), y: able() }, breaker: never },
    );
    const { run, end } = await driven(play);
    await tell(run, 'spawn', { id: 'next', invocation: { needs: ['review'], prefer: ['x'] } });
    await end;
    expect((await startsOf(play)).map(({ harness }) => harness)).toEqual(['x', 'x', 'y']);
    await run.close();
  });

  test('that opens sends those elsewhere that wait for a place', async () => {
    const bad = able({ '*': fail('overloaded', 'busy') }, { concurrency: 1 });
    const process = calling({ members: members(12, { needs: ['review'] }), until: 12 }, { concurrency: 12 });
    const play = stage(
      process,
      {},
      { harnesses: { bad, good: able({ '*': ok('done') }, { concurrency: 1 }) }, breaker },
    );
    const { output } = (await finished(play)) as unknown as { readonly output: readonly (readonly [string, string])[] };
    const failed = output.filter(([type]) => type.startsWith('xstate.error'));
    // The two that opened it, and the one that took their place before that was in the journal.
    expect(failed.length).toBeLessThanOrEqual(3);
    expect(output).toHaveLength(12);
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test('that opens makes those wait that have no other and are tried again', async () => {
    const busy = [fail('overloaded', 'busy'), ok('done')];
    const play = staged(
      members(6, { harness: 'x', retry: { attempts: 2, minMs: 10, jitter: 0 } }),
      { x: able({ '*': busy }, { concurrency: 1 }) },
      { breaker },
    );
    expect(await finished(play)).toMatchObject({
      output: Array.from({ length: 6 }, () => [expect.stringContaining('xstate.done'), 'done']),
    });
    const [, , , ...times] = (await startsOf(play)).map(({ at }) => at - 1_000_000);
    expect(Math.min(...times)).toBe(10_000);
    expect(times).toHaveLength(9);
  });

  test('makes a retry wait until it closes, and the first attempt of what may be tried again; any other is refused', async () => {
    const twice = able({ '*': [fail('overloaded', 'busy'), ok('done')] });
    const play = staged(
      members(2, { harness: 'x', retry: { attempts: 2, minMs: 10, jitter: 0 } }),
      { x: twice },
      { breaker },
    );
    expect(await finished(play)).toMatchObject({
      output: [
        ['xstate.done.actor.m0', 'done'],
        ['xstate.done.actor.m1', 'done'],
      ],
    });
    expect((await startsOf(play)).map(({ at }) => at - 1_000_000)).toEqual([0, 0, 10_000, 10_000]);
  });

  test('is the same for the next host', async () => {
    const process = calling({ members: members(2, { harness: 'x' }) });
    const play = stage(process, {}, { harnesses: { x: flaky() }, breaker });
    const first = await driven(play);
    await first.run.close();
    const second = await driven(play);
    await second.run.signal('group', { type: 'spawn', id: 'late', invocation: { harness: 'x' } } as { type: string }, {
      id: 's1',
    });
    await second.run.signal('group', { type: 'end' }, { id: 's2' });
    const end = (await passing(play.clock, second.end)) as unknown as {
      readonly output: readonly (readonly [string, string])[];
    };
    expect(end.output).toContainEqual(['xstate.error.actor.late', 'NO_HARNESS']);
    await second.run.close();
  });
});

test('the rate of a harness is kept: further attempts wait, in order', async () => {
  const play = staged(members(7, { harness: 'x' }), { x: able({ '*': ok() }, { ratePerMinute: 3 }) });
  await finished(play);
  expect((await startsOf(play)).map(({ member, at }) => [member, at - 1_000_000])).toEqual([
    ['m0', 0],
    ['m1', 0],
    ['m2', 0],
    ['m3', 60_000],
    ['m4', 60_000],
    ['m5', 60_000],
    ['m6', 120_000],
  ]);
});

test('a member that nobody can do says so by its name', async () => {
  const play = staged([{ id: 'src/a.ts', needs: ['web'] }], { x: able() });
  await finished(play);
  const settled = (await entriesOf(play.store)).find(({ type }) => type === 'member.settled');
  expect(settled?.data).toMatchObject({
    outcome: { class: 'refused', error: { message: 'NO_HARNESS: member src/a.ts needs [web]; x lacks [web].' } },
  });
});
