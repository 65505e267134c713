import { expect, test } from 'vitest';
import { fail, hold, later, never, ok, scripted } from '../../src/harness/index.ts';
import { attemptAt, errorOf } from './support.ts';

test('attempts are answered by their number, and one performed again is answered alike', async () => {
  const harness = scripted({ 'a': [fail('crashed', 'first'), ok(2)], '*': ok('any') });
  const answers = [1, 2, 1].map((attempt) => harness.perform(attemptAt({}, { member: 'a', attempt })));
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(['error', 'ok', 'error']);
  expect(await harness.perform(attemptAt({}, { member: 'b', attempt: 7 }))).toEqual(ok('any'));
});

test('a script can be of one group, or a function of the attempt', async () => {
  const harness = scripted({ 'g/a': ok('g'), 'a': ({ group, attempt }) => ok(`${group} ${attempt}`) });
  expect(await harness.perform(attemptAt({}, { group: 'g', member: 'a' }))).toEqual(ok('g'));
  expect(await harness.perform(attemptAt({}, { group: 'h', member: 'a' }))).toEqual(ok('h 1'));
});

test('what the script says nothing about is refused, not invented', async () => {
  const harness = scripted({ a: [ok()] });
  expect(errorOf(await harness.perform(attemptAt({}, { member: 'a', attempt: 2 })))).toMatchObject({
    class: 'refused',
    code: 'SCRIPT_MISSING',
    message: 'the script says nothing about attempt 2 of member `group/a`.',
  });
  expect(errorOf(await harness.perform(attemptAt({}, { member: 'constructor' }))).code).toBe('SCRIPT_MISSING');
});

test('every performance is kept as it was asked for, in order', async () => {
  const harness = scripted({ '*': ok() });
  const first = attemptAt({ prompt: 'one' }, { member: 'a' });
  const second = attemptAt({ prompt: 'two' }, { member: 'b', attempt: 2 });
  for (const attempt of [first, second, first]) await harness.perform(attempt);
  expect(harness.calls.map(({ key }) => key)).toEqual([first.key, second.key, first.key]);
  const { run, key } = second;
  expect(harness.calls[1]).toEqual({
    run,
    key,
    group: 'group',
    member: 'b',
    attempt: 2,
    invocation: { prompt: 'two' },
  });
});

test('a held attempt is settled by hand, the oldest first', async () => {
  const harness = scripted({ '*': hold });
  const answers = [1, 2].map((attempt) => harness.perform(attemptAt({}, { member: 'a', attempt })));
  expect(harness.open().map(({ attempt }) => attempt)).toEqual([1, 2]);
  harness.settle('a', ok(1));
  harness.settle('group/a', ok(2));
  expect(await Promise.all(answers)).toEqual([ok(1), ok(2)]);
  expect(harness.open()).toEqual([]);
  expect(() => harness.settle('a', ok(3))).toThrow('UNKNOWN_MEMBER: member `a` has no open attempt. Open: none.');
});

test('an abort cancels what is held, and changes nothing for what never settles', async () => {
  const harness = scripted({ a: hold, b: never });
  const attempts = ['a', 'b'].map((member) => attemptAt({}, { member }));
  const answers = attempts.map((attempt) => harness.perform(attempt));
  for (const attempt of attempts) attempt.abort('enough');
  expect(await answers[0]).toEqual({ status: 'cancelled', reason: 'enough' });
  expect(harness.open().map(({ member }) => member)).toEqual(['b']);
  harness.settle('b', ok('late'));
  expect(await answers[1]).toEqual(ok('late'));
});

test('an attempt aborted before it is asked for is cancelled at once', async () => {
  const attempt = attemptAt({});
  attempt.abort('before');
  expect(await scripted().perform(attempt)).toEqual({ status: 'cancelled', reason: 'before' });
});

test('a later outcome comes by the clock, and not after an abort', async () => {
  const timers = new Map<number, () => void>();
  const clock = {
    now: () => 100,
    wakeAt: (atMs: number, callback: () => void) => {
      timers.set(atMs, callback);
      return () => void timers.delete(atMs);
    },
  };
  const harness = scripted({ a: later(50, ok('slow')), b: later(60, ok('slower')) }, { clock });
  const a = harness.perform(attemptAt({}, { member: 'a' }));
  const attempt = attemptAt({}, { member: 'b' });
  const b = harness.perform(attempt);
  attempt.abort('stop');
  expect([...timers.keys()]).toEqual([150]);
  timers.get(150)?.();
  expect(await a).toEqual(ok('slow'));
  expect(await b).toEqual({ status: 'cancelled', reason: 'stop' });
});

test('a harness with a bug rejects', async () => {
  const harness = scripted({ a: { step: 'reject', error: new Error('bug') } });
  await expect(harness.perform(attemptAt({}, { member: 'a' }))).rejects.toThrow('bug');
});

test('a test can wait until an attempt is asked for, and report its progress', async () => {
  const harness = scripted();
  const both = Promise.all([harness.asked(), harness.asked({ member: 'b' }), harness.asked({ count: 2 })]);
  const a = attemptAt({}, { member: 'a' });
  void harness.perform(a);
  void harness.perform(attemptAt({}, { member: 'b' }));
  await both;
  harness.report('a', { line: 'on it' });
  expect(a.lines).toEqual(['on it']);
});

test('a sweep is kept, and what it swept never settles', async () => {
  const harness = scripted();
  const attempt = attemptAt({}, { member: 'a' });
  let isSettled = false;
  void harness.perform(attempt).finally(() => (isSettled = true));
  await harness.sweep?.(attempt.key);
  expect(harness.swept).toEqual([attempt.key]);
  expect(harness.open()).toEqual([]);
  attempt.abort('later');
  await new Promise((resolve) => setImmediate(resolve));
  expect(isSettled).toBe(false);
});
