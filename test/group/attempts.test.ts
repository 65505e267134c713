/** From what a group wants to what the world did: every way an attempt can end, and begin again. */
import { describe, expect, test } from 'vitest';
import { defineProcess, type Entry, type Harness, type Invocation, type Outcome } from 'troupe';
import { fail, hold, never, ok, scripted } from 'troupe/harness';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { calling, driven, finished, open, stage, story, tell, type Stage } from '../support/running.ts';

const one = (invocation: Invocation = {}) => calling({ members: [{ id: 'a', ...invocation }], until: 1 });
const done = (output: unknown) => ({ status: 'completed', output: [['xstate.done.actor.a', output]] });
const failedWith = (code: string) => ({ status: 'completed', output: [['xstate.error.actor.a', code]] });
const attemptsIn = async (stage: Stage) => (await story(stage)).filter((line) => /^(attempt|member|letter)/.test(line));

describe('an attempt', () => {
  test('is performed after it has been recorded, and settled once', async () => {
    const still = stage(one(), { a: ok(7) });
    expect(await finished(still)).toEqual(done(7));
    expect(await attemptsIn(still)).toEqual(['attempt.started a 1', 'member.settled a 1']);
    expect(still.harness.calls.map(({ key }) => key)).toEqual(['run/group/a#1/1']);
  });

  test('has a key of its own, whatever slashes there are in names', async () => {
    const members = (id: string) => ({ members: [{ id, harness: 'scripted' }], until: 1 });
    const process = defineProcess('slashes', async (ctx) => {
      const groups = [ctx.group('a', caller, members('b/c')), ctx.group('a/b', caller, members('c'))];
      await Promise.all(groups.map(({ output }) => output));
    });
    const still = stage(process, { '*': ok() });
    await finished(still);
    expect(still.harness.calls.map(({ key }) => key)).toEqual(['run/a/b/c#1/1', 'run/a%2Fb/c#1/1']);
  });

  test('that fails is made again with growing waits drawn from its own key, the same on every machine', async () => {
    const retry = { attempts: 4, minMs: 1_000, factor: 2, maxMs: 3_000, jitter: 0.5 };
    const waits = async () => {
      const still = stage(one({ retry }), { a: [fail('failed'), fail('timeout'), fail('crashed'), ok('at last')] });
      expect(await finished(still)).toEqual(done('at last'));
      const entries = await entriesOf(still.store);
      return entries
        .filter(({ type }) => type === 'attempt.failed')
        .map(({ data, at }) => (data as { readonly retryAt: number }).retryAt - at);
    };
    const first = await waits();
    expect(await waits()).toEqual(first);
    for (const [index, most] of [1_000, 2_000, 3_000].entries()) {
      expect(first[index]).toBeLessThanOrEqual(most);
      expect(first[index]).toBeGreaterThanOrEqual(most / 2);
    }
  });

  test('is not made again for a failure that its policy does not name', async () => {
    const still = stage(one({ retry: { attempts: 3, on: ['timeout'] } }), { a: [fail('failed', 'no'), ok()] });
    expect(await finished(still)).toEqual(failedWith('no'));
    expect(still.harness.calls).toHaveLength(1);
  });

  test('waits for its next try across a restart, and not longer', async () => {
    const still = stage(one({ retry: { attempts: 2, minMs: 60_000, jitter: 0 } }), {
      a: [fail('failed'), ok('again')],
    });
    const first = await driven(still);
    expect(still.harness.calls).toHaveLength(1);
    await first.run.close();
    still.clock.advance(59_000);
    const second = await driven(still);
    expect(still.harness.calls).toHaveLength(1);
    still.clock.advance(1_000);
    expect(await second.end).toEqual(done('again'));
    await second.run.close();
  });

  test('that takes longer than timeoutMs is ended, and fails as timeout', async () => {
    const still = stage(one({ timeoutMs: 500 }), { a: hold });
    const { run, end } = await driven(still);
    still.clock.advance(499);
    await settle();
    expect(still.harness.open()).toHaveLength(1);
    still.clock.advance(1);
    expect(await end).toEqual(failedWith('TIMEOUT'));
    await run.close();
  });

  test('whose harness does not end when told is given up', async () => {
    const still = stage(one({ timeoutMs: 500 }), { a: never });
    expect(await finished(still)).toEqual(failedWith('TIMEOUT'));
  });

  test('whose harness rejects fails, and what was thrown is told', async () => {
    const still = stage(one(), { a: { step: 'reject', error: new Error('a bug') } });
    expect(await finished(still)).toEqual(failedWith('a bug'));
  });
});

describe('what a harness says', () => {
  const said = async (outcome: unknown, more = {}) => {
    const harness: Harness = { perform: async () => outcome as Outcome };
    const still = stage(one(), {}, { harnesses: { scripted: harness }, ...more });
    expect(await finished(still)).toMatchObject({ status: 'completed' });
    const settled = (await entriesOf(still.store)).find(({ type }) => type === 'member.settled') as Entry;
    return (settled.data as { readonly outcome: unknown }).outcome as Outcome;
  };

  test.each([
    [
      'is not JSON',
      { status: 'ok', output: { at: new Date(0) } },
      'output of member `a`.at: expected JSON, got a Date',
    ],
    [
      'is too large',
      { status: 'ok', output: 'x'.repeat(2_000) },
      'expected at most 1000 bytes of JSON, got 2002; put large data into a file and return its path',
    ],
    ['is nothing', undefined, 'returned no outcome'],
    [
      'cannot be read',
      {
        status: 'ok',
        output: {
          get answer() {
            throw new Error('not now');
          },
        },
      },
      'what its harness returned cannot be read: not now',
    ],
    ['is no outcome', { done: true }, 'expected its harness to return an outcome with status ok, error or cancelled'],
  ])('%s: the member fails as invalid-output', async (_what, outcome, message) => {
    expect(await said(outcome, { payloadBytesMax: 1_000 })).toMatchObject({
      status: 'error',
      class: 'invalid-output',
      error: { message: expect.stringContaining(message) as string },
    });
  });

  test('in error is recorded as a plain and bounded error, whatever it was', async () => {
    const outcome = await said({ status: 'error', class: 'on-fire', error: new TypeError('x'.repeat(100_000)) });
    expect(outcome).toMatchObject({ status: 'error', class: 'failed', error: { name: 'TypeError' } });
    expect(JSON.stringify(outcome).length).toBeLessThan(20_000);
  });

  test('of why it was cancelled is bounded too: an entry that no journal takes would stop the host', async () => {
    const outcome = await said({ status: 'cancelled', reason: 'x'.repeat(9_000_000) });
    expect(outcome).toMatchObject({ status: 'error', class: 'failed', error: { name: 'CancelledError' } });
    expect(JSON.stringify(outcome).length).toBeLessThan(20_000);
  });
});

describe('a member that nobody can perform is refused', () => {
  const refused = async (invocation: Invocation, options = {}) => {
    const still = stage(one({ retry: { attempts: 5, on: ['refused'] }, ...invocation }), { a: ok() }, options);
    expect(await finished(still)).toMatchObject({ status: 'completed' });
    const settled = (await entriesOf(still.store)).find(({ type }) => type === 'member.settled') as Entry;
    expect(settled.data).toMatchObject({ outcome: { status: 'error', class: 'refused' } });
    return (settled.data as { readonly outcome: { readonly error: { readonly message: string } } }).outcome.error
      .message;
  };

  test('because no harness fits', async () => {
    expect(await refused({ needs: ['web'] })).toBe('NO_HARNESS: member a needs [web]; scripted lacks [web].');
    expect(await refused({ harness: 'ghost' })).toContain(
      'asks for harness `ghost`; ghost is not declared (declared: scripted)',
    );
    expect(await refused({}, { defaultHarness: undefined })).toContain('there is no default');
  });

  test('because what is wanted is wrong', async () => {
    expect(await refused({ timeoutMs: -1 })).toContain(
      'the input of member `a`: expected `timeoutMs` to be a number >= 1, got `-1` (number)',
    );
    expect(await refused({ command: [] })).toContain('`command`');
    expect(await refused({ promt: 'hello' } as Invocation)).toContain('unknown field `promt`');
    expect(await refused({ retry: { attempts: 0 } })).toContain(
      'retry: expected `attempts` to be a whole number from 1 to 100',
    );
  });
});

describe('a member that its coordinator stops', () => {
  test('while its attempt is under way: that is ended and recorded', async () => {
    const still = stage(calling({ members: [{ id: 'a' }] }), { a: hold });
    const { run } = await driven(still);
    await tell(run, 'stop', { id: 'a' });
    expect(await attemptsIn(still)).toEqual(['attempt.started a 1', 'attempt.cancelled a 1']);
    await run.close();
  });

  test('and whose result comes nevertheless: a dead letter, and nobody hears it', async () => {
    const still = stage(calling({ members: [{ id: 'a' }] }), { a: never });
    const { run, end } = await driven(still);
    await tell(run, 'stop', { id: 'a' });
    still.harness.settle('a', ok('too late'));
    await settle();
    await tell(run, 'end');
    expect(await end).toEqual({ status: 'completed', output: [] });
    expect(await attemptsIn(still)).toEqual(['attempt.started a 1', 'attempt.cancelled a 1', 'letter.dead']);
    await run.close();
  });

  test('while it waits for a place, or for its next try: it never starts', async () => {
    const members = [{ id: 'a', retry: { attempts: 2 } }, { id: 'b' }, { id: 'c' }];
    const still = stage(calling({ members }, { concurrency: 1 }), { a: fail('failed'), b: hold, c: ok() });
    const { run } = await driven(still);
    await tell(run, 'stop', { id: 'a' });
    await tell(run, 'stop', { id: 'c' });
    still.clock.advance(60_000);
    await settle();
    expect(await attemptsIn(still)).toEqual([
      'attempt.started a 1',
      'attempt.queued b 1',
      'attempt.queued c 1',
      'attempt.failed a 1',
      'attempt.started b 1',
      'attempt.cancelled a 1',
      'attempt.cancelled c 1',
    ]);
    await run.close();
  });

  test('in the turn that spawned it: nothing of it dangles', async () => {
    const still = stage(calling({ members: [{ id: 'a' }] }), { a: hold, b: hold });
    const { run } = await driven(still);
    await tell(run, 'respawn', { id: 'a' });
    await tell(run, 'end');
    await settle();
    const lines = await attemptsIn(still);
    expect(lines.filter((line) => line.startsWith('attempt.started'))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('attempt.cancelled'))).toHaveLength(2);
    await run.close();
  });

  test('and spawned again, before its first attempt has ended, keeps both apart across a crash', async () => {
    const still = stage(calling({ members: [{ id: 'a' }], until: 1 }), { a: never });
    const { run } = await driven(still);
    await tell(run, 'respawn', { id: 'a' });
    expect(still.harness.calls.map(({ key }) => key)).toEqual(['run/group/a#1/1']);
    still.store.abandon('run');
    const next = scripted({ a: ok('second') }, { clock: still.clock });
    expect(await finished({ ...still, harness: next })).toEqual(done('second'));
    expect(next.swept).toEqual(['run/group/a#1/1']);
    expect(next.calls.map(({ key }) => key)).toEqual(['run/group/a#2/1']);
    void run;
  });

  test('was stopped by a host that died before it could say so: swept and recorded by the next', async () => {
    const still = stage(calling({ members: [{ id: 'a' }] }), { a: never });
    const { run } = await driven(still);
    await tell(run, 'stop', { id: 'a' });
    still.store.abandon('run');
    const second = await driven(still);
    expect(still.harness.swept).toEqual(['run/group/a#1/1']);
    expect((await attemptsIn(still)).at(-1)).toBe('attempt.cancelled a 1');
    await second.run.cancel('enough');
    await second.run.close();
  });
});

describe('progress', () => {
  test('is recorded at most once in its interval: what came last, bounded and as JSON', async () => {
    const still = stage(one(), { a: hold }, { progressEveryMs: 1_000 });
    const { run, end } = await driven(still);
    for (let line = 1; line <= 50; line += 1) still.harness.report('a', { line: `line ${line}` });
    still.harness.report('a', { data: { big: 'x'.repeat(2_000_000) } });
    still.clock.advance(999);
    await settle();
    expect((await story(still)).filter((line) => line.startsWith('member.progress'))).toEqual([]);
    still.clock.advance(1);
    await settle();
    still.harness.report('a', { line: 'y'.repeat(5_000) });
    still.clock.advance(1_000);
    await settle();
    still.harness.report('a', { line: 'never recorded: the settlement says it all' });
    still.harness.settle('a', ok());
    await end;
    const progress = (await entriesOf(still.store))
      .filter(({ type }) => type === 'member.progress')
      .map(({ data }) => (data as { readonly progress: unknown }).progress);
    expect(progress).toEqual([
      { line: 'line 50', data: { left: expect.stringContaining('expected at most 1000000 bytes') as string } },
      { line: `${'y'.repeat(999)}…` },
    ]);
    await run.close();
  });
});

test('each open member has the number of its attempt, whoever settled the ones before', async () => {
  const still = stage(one({ retry: { attempts: 3, minMs: 10, jitter: 0 } }), {
    a: [fail('failed'), fail('failed'), ok('third')],
  });
  expect(await finished(still)).toEqual(done('third'));
  expect(still.harness.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  await (await open(still)).close();
});
