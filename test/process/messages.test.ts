/** Messages between members, to the coordinator, from the process and from outside. */
import { assign, sendTo, setup, type AnyActorRef } from 'xstate';
import { describe, expect, test } from 'vitest';
import { coordinator, defineProcess, member, verifyRun, type JsonValue } from 'troupe';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, killed, open, stage } from '../support/running.ts';
import { talkers, withTalk, type Talk } from '../support/talking.ts';

const lettersOf = async (store: Parameters<typeof entriesOf>[0]) =>
  (await entriesOf(store)).filter(({ type }) => type === 'letter.dead').map(({ data }) => data);

describe('between members', () => {
  const conversation: Talk = async (mailbox, id) => {
    if (id === 'a') {
      const answer = await mailbox.ask({ to: 'b', type: 'question', body: { n: 20 } }, { timeoutMs: 60_000 });
      await mailbox.send({ to: '*', type: 'over' });
      return answer.body;
    }
    const heard: JsonValue[] = [];
    for (;;) {
      const messages = await mailbox.inbox({ waitMs: 60_000 });
      if (messages.length === 0) return [...heard, 'timed out'];
      for (const { id: inReplyTo, from, type, body } of messages) {
        if (type === 'over') return heard;
        heard.push([from, type]);
        await mailbox.send({ to: from, type: 'answer', body: { n: (body as { n: number }).n + 1 }, inReplyTo });
      }
    }
  };
  const output = { a: { n: 21 }, b: [['a', 'question']], c: [] };

  test('a question is answered, and a broadcast reaches all but its sender', async () => {
    const play = stage(talkers('a', 'b', 'c'), {}, withTalk(conversation));
    expect(await finished(play)).toEqual({ status: 'completed', output });
    await verifyRun({ store: play.store, run: 'run', process: play.process });
  });

  test('whichever append the host dies at, each message is one entry per recipient and the answer comes', async () => {
    let deaths = 0;
    for (let atAppend = 1; ; atAppend += 1) {
      for (const isWritten of [true, false]) {
        const play = stage(talkers('a', 'b', 'c'), {}, withTalk(conversation));
        const end = await killed(play, { atAppend, isWritten });
        if (end !== undefined) {
          expect(deaths).toBeGreaterThan(10);
          return;
        }
        deaths += 1;
        const result = await finished(play);
        expect(result).toMatchObject({ status: 'completed', output: { a: { n: 21 } } });
        const messages = (await entriesOf(play.store))
          .filter(({ type }) => type === 'message')
          .map(({ data }) => data as { to: string; id: string });
        const keys = messages.map(({ to, id }) => `${to} ${id}`);
        expect(new Set(keys).size).toBe(keys.length);
        await verifyRun({ store: play.store, run: 'run', process: play.process });
      }
    }
  });

  test('order is the order of the journal, for each recipient', async () => {
    const play = stage(
      talkers('reader', 'x', 'y'),
      {},
      withTalk(async (mailbox, id) => {
        if (id !== 'reader') {
          for (let n = 0; n < 20; n += 1) await mailbox.send({ to: 'reader', type: 'n', body: [id, n] });
          return null;
        }
        const read: JsonValue[] = [];
        while (read.length < 40) for (const { body } of await mailbox.inbox({ waitMs: 1_000, max: 7 })) read.push(body);
        return read;
      }),
    );
    const { output: read } = (await finished(play)) as unknown as { output: { reader: JsonValue } };
    const written = (await entriesOf(play.store))
      .filter(({ type }) => type === 'message')
      .map(({ data }) => (data as { body: JsonValue }).body);
    expect(read.reader).toEqual(written);
  });

  test('an unknown recipient is refused, with the nearest names', async () => {
    const play = stage(
      talkers('src/a.ts', 'src/b.ts'),
      {},
      withTalk(async (mailbox) => {
        await mailbox.send({ to: 'src/c.ts', type: 'hello' });
        return null;
      }),
    );
    const { output: said } = (await finished(play)) as unknown as { output: Record<string, string> };
    expect(said['src/a.ts']).toBe(
      'UNKNOWN_MEMBER: group `group` has no member `src/c.ts`. Members: src/a.ts, src/b.ts. Did you mean `src/a.ts` or `src/b.ts`?',
    );
  });

  test.each([
    ['a reserved type', { to: 'a', type: 'xstate.done.actor.a' }, 'RESERVED_EVENT'],
    ['a body that is not JSON', { to: 'a', type: 'x', body: new Map() as never }, 'NOT_JSON'],
    ['a body that is too large', { to: 'a', type: 'x', body: 'x'.repeat(2_000) }, 'ENTRY_TOO_LARGE'],
  ])('%s is refused', async (_what, letter, code) => {
    const play = stage(
      talkers('a'),
      {},
      { ...withTalk(async (mailbox) => (await mailbox.send(letter)).id), payloadBytesMax: 1_000 },
    );
    const { output: said } = (await finished(play)) as unknown as { output: Record<string, string> };
    expect(said['a']).toMatch(new RegExp(`^${code}`));
  });

  test('a full mailbox and a fast sender are refused', async () => {
    const flood: Talk = async (mailbox, id) => {
      if (id === 'slow') return (await mailbox.inbox({ waitMs: 1_000 })).length;
      for (let n = 0; n < 9; n += 1) await mailbox.send({ to: 'slow', type: 'n', body: n });
      return 'all sent';
    };
    // Waits for an answer, and so reads nothing else.
    const deaf: Talk = async (mailbox) => (await mailbox.ask({ to: 'fast', type: 'hello' }, { timeoutMs: 5_000 })).body;
    const full = stage(
      talkers('slow', 'fast'),
      {},
      { ...withTalk((mailbox, id, signal) => (id === 'slow' ? deaf : flood)(mailbox, id, signal)), mailboxMax: 5 },
    );
    expect(((await finished(full)) as unknown as { output: Record<string, string> }).output['fast']).toMatch(
      /^LIMIT: .*5 unread messages/,
    );
    const fast = stage(talkers('fast', 'slow'), {}, { ...withTalk(flood), messagesPerMinuteMax: 4 });
    expect(((await finished(fast)) as unknown as { output: Record<string, string> }).output['fast']).toMatch(
      /^LIMIT: .*4 messages a minute/,
    );
  });

  test.each([Number.NaN, undefined, '10'])('waiting for %o is refused, and other members wait on', async (wait) => {
    const play = stage(
      talkers('a', 'b'),
      {},
      withTalk(async (mailbox, id) => {
        if (id === 'b') return (await mailbox.inbox({ waitMs: 1_000 })).length;
        const timeoutMs = wait as unknown as number;
        return (await mailbox.ask({ to: 'b', type: 'question' }, { timeoutMs })).body;
      }),
    );
    expect(await finished(play)).toMatchObject({
      output: { a: expect.stringContaining('expected to wait a number of milliseconds') as string, b: 0 },
    });
  });

  test('what was refused is sent again as the same letter, and one to all reaches all of them once', async () => {
    const play = stage(
      talkers('free', 'full', 'sender'),
      {},
      withTalk(async (mailbox, id) => {
        if (id !== 'sender') {
          await settle(20);
          const first = await mailbox.inbox();
          return [...first, ...(await mailbox.inbox({ waitMs: 1_000 }))].map(({ type }) => type);
        }
        await mailbox.send({ to: 'full', type: 'first' });
        const refused = await mailbox.send({ to: '*', type: 'news' }).catch((error: Error) => error.message);
        await settle(30);
        return [refused, (await mailbox.send({ to: '*', type: 'news' })).id.split(':').length];
      }),
    );
    expect(await finished(play, { mailboxMax: 1 })).toMatchObject({
      output: {
        free: ['news'],
        full: ['first', 'news'],
        sender: [expect.stringContaining('1 unread messages') as string, 2],
      },
    });
    const news = (await entriesOf(play.store)).filter(({ data }) => (data as { type?: string }).type === 'news');
    expect(news).toHaveLength(2);
  });

  test('what a member had not read when it settled becomes a dead letter', async () => {
    const play = stage(
      talkers('a', 'b'),
      {},
      withTalk(async (mailbox, id) => {
        if (id === 'a') {
          await mailbox.send({ to: 'b', type: 'late', body: 1 });
          await mailbox.send({ to: 'b', type: 'go' });
          return null;
        }
        for (;;) {
          const [first] = await mailbox.inbox({ waitMs: 1_000, max: 1 });
          if (first?.type === 'late') return 'left';
        }
      }),
    );
    await finished(play);
    expect(await lettersOf(play.store)).toMatchObject([{ to: 'b', from: 'a', letter: { type: 'go' } }]);
  });

  test('mail that was not read before the host died is read by the next attempt', async () => {
    let attempts = 0;
    const play = stage(
      talkers('a'),
      {},
      withTalk(async (mailbox, _id, signal) => {
        attempts += 1;
        if (attempts === 1)
          return await new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped')));
        return (await mailbox.inbox({ waitMs: 1_000 })).map(({ id, body }) => [id, body]);
      }),
    );
    const first = await driven(play);
    await first.run.send('group', { to: 'a', type: 'note', body: 'remember', id: 'm1' });
    await first.run.send('group', { to: 'a', type: 'note', body: 'remember', id: 'm1' });
    play.store.abandon('run');
    await settle();
    expect(await finished(play)).toMatchObject({ output: { a: [['m1', 'remember']] } });
  });
});

describe('the coordinator', () => {
  const relay = coordinator(
    setup({
      types: {} as {
        context: { heard: readonly JsonValue[] };
        events: { type: string; body: JsonValue; from: string };
        output: readonly JsonValue[];
      },
      actors: { member },
      actions: {
        note: assign({ heard: ({ context, event }) => [...context.heard, [event.type, event.from, event.body]] }),
        answer: sendTo(
          ({ self, event }) =>
            (self.getSnapshot() as { children: Record<string, AnyActorRef> }).children[event.from] as AnyActorRef,
          ({ context }) => ({ type: 'count', n: context.heard.length }),
        ),
      },
    }).createMachine({
      id: 'relay',
      context: { heard: [] },
      invoke: { src: 'member', id: 'a', input: { harness: 'talk' } },
      initial: 'on',
      states: {
        on: { on: { 'finding': { actions: ['note'] }, 'xstate.done.actor.a': 'over' } },
        over: { type: 'final' },
      },
      output: ({ context }) => context.heard,
    }),
  );

  test('hears a member and the outside as plain events', async () => {
    const process = defineProcess('relay', (ctx) => ctx.group('group', relay, undefined).output);
    const play = stage(
      process,
      {},
      withTalk(async (mailbox) => {
        await mailbox.send({ to: 'coordinator', type: 'finding', body: 'bug' });
        return (await mailbox.inbox({ waitMs: 1_000 })).map(({ type }) => type);
      }),
    );
    const { run, end } = await driven(play);
    await run.send('group', { to: 'coordinator', type: 'finding', body: 'other', id: 'o1' });
    await run.send('group', { to: 'a', type: 'go', id: 'o2' });
    expect(await end).toMatchObject({
      output: [
        ['finding', 'a', 'bug'],
        ['finding', 'outside', 'other'],
      ],
    });
    await run.close();
  });
});

test('the process sends to a member once, however often it runs', async () => {
  const process = defineProcess('sender', async (ctx) => {
    const group = ctx.group('group', fanOut, { members: [{ id: 'a', harness: 'talk' }] });
    await group.send({ type: 'task', n: 1 }, { to: 'a' });
    return (await group.output).results[0]?.output;
  });
  const talk: Talk = async (mailbox) =>
    (await mailbox.inbox({ waitMs: 60_000 })).map(({ from, type, body }) => [from, type, body]);
  for (let atAppend = 1; ; atAppend += 1) {
    const play = stage(process, {}, withTalk(talk));
    const end = await killed(play, { atAppend, isWritten: true });
    const result = end ?? (await finished(play));
    expect(result).toEqual({ status: 'completed', output: [['process', 'task', { n: 1 }]] });
    const sent = (await entriesOf(play.store)).filter(({ type }) => type === 'message');
    expect(sent).toHaveLength(1);
    if (end !== undefined) break;
  }
});

test('a message to an ended group is refused', async () => {
  const play = stage(
    talkers('a'),
    {},
    withTalk(async () => 'done'),
  );
  await finished(play);
  const run = await open(play);
  await expect(run.send('group', { to: 'a', type: 'x', id: '1' })).rejects.toThrow(/UNKNOWN_GROUP|GROUP_ENDED/);
  await run.close();
});
