import { afterEach, expect, test } from 'vitest';
import { fn, type Letter, type TaskContext } from '../../src/harness/index.ts';
import { noMailbox } from '../support/no-mailbox.ts';
import { attemptAt, errorOf, until } from './support.ts';

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
process.on('unhandledRejection', note);
afterEach(() => expect(unhandled).toEqual([]));

test('what a function returns is the output', async () => {
  const harness = fn(async ({ prompt, input }) => ({ prompt, input, none: undefined }));
  const attempt = attemptAt({ prompt: 'say', input: [1] });
  expect(await harness.perform(attempt)).toEqual({ status: 'ok', output: { prompt: 'say', input: [1] } });
});

test('a function that returns nothing has output null', async () => {
  expect(await fn(() => {}).perform(attemptAt({}))).toEqual({ status: 'ok', output: null });
});

test('a function is told whose attempt it is, and by which key', async () => {
  const attempt = attemptAt({ input: 1 }, { attempt: 3 });
  const told: unknown[] = [];
  await fn((task, context) => void told.push(task, context.attempt, context.key)).perform(attempt);
  const { run, group, member, key } = attempt;
  expect(told).toEqual([{ input: 1, run, group, member }, 3, key]);
});

test('a function says what it is doing, until its attempt is over', async () => {
  let kept: TaskContext | undefined;
  const attempt = attemptAt({});
  await fn((_task, context) => {
    kept = context;
    context.progress('half way');
    context.progress({ line: 'nearly', data: { done: 9 } });
  }).perform(attempt);
  kept?.progress('too late');
  expect(attempt.reports).toEqual([{ line: 'half way' }, { line: 'nearly', data: { done: 9 } }]);
});

test('an output that is not JSON is an error that names its path', async () => {
  const outcome = await fn(() => ({ items: [1, { when: new Date(0) }] })).perform(attemptAt({}));
  expect(errorOf(outcome)).toMatchObject({ class: 'invalid-output', code: 'NOT_JSON' });
  expect(errorOf(outcome).message).toContain('output.items[1].when');
});

test('a throw is an error of its own class, or failed', async () => {
  const thrown = async (value: unknown) => errorOf(await fn(() => Promise.reject(value)).perform(attemptAt({})));
  expect(await thrown(new Error('plain'))).toMatchObject({ class: 'failed', message: 'plain' });
  expect(await thrown(Object.assign(new Error('later'), { class: 'rate-limited' }))).toMatchObject({
    class: 'rate-limited',
  });
  expect(await thrown(Object.assign(new Error('odd'), { class: 'no such class' }))).toMatchObject({ class: 'failed' });
  expect(await thrown(null)).toMatchObject({ class: 'failed' });
  const atOnce = fn(() => {
    throw new Error('at once');
  });
  expect(errorOf(await atOnce.perform(attemptAt({}))).message).toBe('at once');
});

test('a function aborted before its start is not called', async () => {
  const attempt = attemptAt({});
  attempt.abort('not needed');
  let calls = 0;
  expect(await fn(() => (calls += 1)).perform(attempt)).toEqual({ status: 'cancelled', reason: 'not needed' });
  expect(calls).toBe(0);
});

test('a function that gives up on its signal is cancelled, with the reason', async () => {
  for (const giveUp of [(signal: AbortSignal) => signal.throwIfAborted(), () => undefined]) {
    const attempt = attemptAt({});
    const ended = fn(async (_task, { signal }) => {
      await until(() => signal.aborted);
      return giveUp(signal);
    }).perform(attempt);
    attempt.abort(new Error('group ended'));
    expect(await ended).toEqual({ status: 'cancelled', reason: 'group ended' });
  }
});

test('what a function has spent counts however it ends, also when it is cancelled', async () => {
  for (const end of [() => 'done', () => Promise.reject(new Error('broken')), () => undefined]) {
    const attempt = attemptAt({});
    const ended = fn(async (_task, { signal, spent }) => {
      spent({ tokens: 3 });
      spent({ tokens: 4, costUsd: 0.5 });
      await until(() => signal.aborted);
      return end();
    }).perform(attempt);
    attempt.abort('stop');
    expect(await ended).toMatchObject({ usage: { tokens: 7, costUsd: 0.5 } });
  }
});

test('an amount that is none is left out, and takes nothing with it that was told before or comes after', async () => {
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY, -1_000, '7' as unknown as number]) {
    const outcome = await fn((_task, { spent }) => {
      spent({ tokens: 100, costUsd: 1 });
      spent({ tokens: none, costUsd: none });
      spent({ tokens: 20, costUsd: 0.5 });
    }).perform(attemptAt({}));
    expect(outcome).toMatchObject({ usage: { tokens: 120, costUsd: 1.5 } });
  }
});

test('a value returned soon after the abort still counts', async () => {
  const attempt = attemptAt({});
  const ended = fn(async (_task, { signal }) => {
    await until(() => signal.aborted);
    return 'nearly missed';
  }).perform(attempt);
  attempt.abort('stop');
  expect(await ended).toEqual({ status: 'ok', output: 'nearly missed' });
});

test('no timer is left when a function ends in its grace', async () => {
  let timers = 0;
  const clock = {
    now: () => 0,
    wakeAt: () => {
      timers += 1;
      return () => void (timers -= 1);
    },
  };
  const attempt = attemptAt({});
  const ended = fn((_task, { signal }) => until(() => signal.aborted), { clock }).perform(attempt);
  attempt.abort('stop');
  expect(timers).toBe(1);
  await ended;
  expect(timers).toBe(0);
});

test('a function that ignores its signal is cancelled after the grace, and its late end goes unheard', async () => {
  for (const late of [() => 'late', () => Promise.reject(new Error('late'))]) {
    let wake: (() => void) | undefined;
    const clock = {
      now: () => 1_000,
      wakeAt: (atMs: number, callback: () => void) => {
        expect(atMs).toBe(1_250);
        wake = callback;
        return () => {};
      },
    };
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const attempt = attemptAt({});
    const ended = fn(() => released.then(late), { graceMs: 250, clock }).perform(attempt);
    attempt.abort('stop');
    attempt.abort('stop again');
    wake?.();
    expect(await ended).toEqual({ status: 'cancelled', reason: 'stop' });
    release();
    await released;
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('a function that is aborted before its first wait has its grace, and no more', async () => {
  const attempt = attemptAt({});
  const harness = fn(
    () => {
      attempt.abort('at once');
      return new Promise(() => {});
    },
    { graceMs: 10 },
  );
  expect(await harness.perform(attempt)).toEqual({ status: 'cancelled', reason: 'at once' });
});

test('a function talks to its group by the mailbox of its attempt', async () => {
  const told: unknown[] = [];
  const mailbox = {
    ...noMailbox,
    send: async (letter: Letter) => {
      told.push(letter);
      return { id: 'm1' };
    },
    members: () => [{ id: 'a', status: 'running' }],
    checkpoint: async (mark: { readonly name: string }) => void told.push(mark.name),
  };
  const harness = fn(async (_task, { send, inbox, members, checkpoint }) => {
    await checkpoint({ name: 'half', settled: 1, total: 2 });
    return [await send({ to: 'b', type: 'hello' }), await inbox(), members()];
  });
  expect(await harness.perform(attemptAt({}, { mailbox }))).toEqual({
    status: 'ok',
    output: [{ id: 'm1' }, [], [{ id: 'a', status: 'running' }]],
  });
  expect(told).toEqual(['half', { to: 'b', type: 'hello' }]);
});

test('capabilities and concurrency are declared as given', () => {
  expect(fn(() => 1, { capabilities: ['a'], concurrency: 2 })).toMatchObject({ capabilities: ['a'], concurrency: 2 });
  expect(Object.keys(fn(() => 1))).toEqual(['writesOutput', 'perform']);
});
