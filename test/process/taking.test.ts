/** Mail taken in hand by one who passes it on: acknowledged when it has arrived, and never lost between. */
import { expect, test } from 'vitest';
import type { JsonValue, Taken } from 'troupe';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, stage } from '../support/running.ts';
import { talkers, withTalk, type Talk } from '../support/talking.ts';

const bodiesOf = ({ messages }: Taken) => messages.map(({ body }) => body);

/** Drives member `a`, who talks when all of these letters have been sent to it. */
async function told(bodies: readonly string[], talk: Talk) {
  let begin = () => {};
  const allSent = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const play = stage(
    talkers('a'),
    {},
    withTalk(async (...args) => {
      await allSent;
      return await talk(...args);
    }),
  );
  const { run, end } = await driven(play);
  for (const body of bodies) await run.send('group', { to: 'a', type: 'note', body, id: body });
  begin();
  await settle();
  return { play, run, end };
}

async function dataOf(play: ReturnType<typeof stage>, type: string) {
  return (await entriesOf(play.store)).filter((entry) => entry.type === type).map(({ data }) => data);
}

test('mail in hand is nobody else’s; put back it is the next reader’s, in order; acknowledged it is read, once', async () => {
  const seen: JsonValue[] = [];
  const { play, run, end } = await told(['one', 'two', 'three'], async (mailbox) => {
    const first = await mailbox.take({ max: 2 });
    seen.push(bodiesOf(first), bodiesOf(await mailbox.take({ max: 0 })), (await mailbox.inbox()).length);
    first.putBack();
    first.acknowledge();
    const again = await mailbox.take();
    seen.push(bodiesOf(again));
    again.acknowledge();
    again.acknowledge();
    again.putBack();
    seen.push(bodiesOf(await mailbox.take()));
    return null;
  });
  await end;
  await run.close();
  expect(seen).toEqual([['one', 'two'], [], 1, ['one', 'two'], []]);
  expect(await dataOf(play, 'message.read')).toMatchObject([{ ids: ['three'] }, { ids: ['one', 'two'] }]);
});

test('of two who wait at once one is given the letter, and the other what comes next or is put back', async () => {
  const { run, end } = await told([], async (mailbox) => {
    const [left, right] = [mailbox.take({ waitMs: 60_000 }), mailbox.take({ waitMs: 60_000 })];
    const first = await Promise.race([left, right]);
    const other = (await Promise.race([left, Promise.resolve(undefined)])) === first ? right : left;
    first.putBack();
    const second = await other;
    second.acknowledge();
    return [bodiesOf(first), bodiesOf(second), (await mailbox.inbox()).length];
  });
  await run.send('group', { to: 'a', type: 'note', body: 'one', id: 'one' });
  expect(await end).toMatchObject({ output: { a: [['one'], ['one'], 0] } });
  await run.close();
});

test('an aborted signal ends the waiting with nothing, before and while it waits; what comes later is kept', async () => {
  const off = new AbortController();
  const { run, end } = await told([], async (mailbox) => {
    const forAnHour = { waitMs: 3_600_000, signal: off.signal };
    const before = [bodiesOf(await mailbox.take(forAnHour)), bodiesOf(await mailbox.take(forAnHour))];
    return [...before, (await mailbox.inbox({ waitMs: 60_000 })).length];
  });
  off.abort();
  await settle();
  await run.send('group', { to: 'a', type: 'note', body: 'one', id: 'one' });
  expect(await end).toMatchObject({ output: { a: [[], [], 1] } });
  await run.close();
});

test('what is in hand when the host dies is given to the next attempt; what was acknowledged and then repeated, too', async () => {
  let attempts = 0;
  const { play, run } = await told(['one', 'two'], async (mailbox, _id, signal) => {
    attempts += 1;
    if (attempts > 1) return bodiesOf(await mailbox.take());
    (await mailbox.take({ max: 1 })).acknowledge();
    await mailbox.take();
    return await new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped')));
  });
  expect(run).toBeDefined();
  play.store.abandon('run');
  await settle();
  expect(await finished(play)).toMatchObject({ output: { a: ['one', 'two'] } });
});

test('what is in hand when the attempt ends was not read: a dead letter', async () => {
  const { play, run, end } = await told(['one'], async (mailbox) => bodiesOf(await mailbox.take()));
  expect(await end).toMatchObject({ output: { a: ['one'] } });
  await run.close();
  expect(await dataOf(play, 'letter.dead')).toMatchObject([{ to: 'a', letter: { body: 'one' } }]);
});

test('a repeated letter says so, and is not sent again', async () => {
  const { play, run, end } = await told([], async (mailbox) => {
    const letter = { to: 'coordinator', type: 'note', body: 1, id: 'mine' };
    return [await mailbox.send(letter), await mailbox.send(letter)];
  });
  expect(await end).toMatchObject({ output: { a: [{ id: 'mine' }, { id: 'mine', isRepeat: true }] } });
  await run.close();
  expect(await dataOf(play, 'message')).toHaveLength(1);
});
