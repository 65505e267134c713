/** Queue, steer, interrupt: how a message reaches a member at work. */
import { describe, expect, test } from 'vitest';
import { defineProcess, type JournalStore, type Letter } from 'troupe';
import { never } from 'troupe/harness';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { passing, settle } from '../support/hand-clock.ts';
import { driven, finished, stage, tell } from '../support/running.ts';
import { talkers, withTalk } from '../support/talking.ts';

describe('modes', () => {
  test('steer reaches a handler at once, and waits like others without one', async () => {
    const play = stage(
      talkers('steered', 'plain'),
      {},
      withTalk(async (mailbox, id) => {
        if (id === 'plain') return (await mailbox.inbox({ waitMs: 1_000 })).map(({ body }) => body);
        return await new Promise((resolve) => mailbox.onSteer(({ body }) => resolve(['steered', body])));
      }),
    );
    const { run, end } = await driven(play);
    await run.send('group', { to: 'steered', type: 'turn', body: 'left', mode: 'steer', id: '1' });
    await run.send('group', { to: 'plain', type: 'turn', body: 'right', mode: 'steer', id: '2' });
    expect(await end).toMatchObject({ output: { steered: ['steered', 'left'], plain: ['right'] } });
    const reads = (await entriesOf(play.store)).filter(({ type }) => type === 'message.read').map(({ data }) => data);
    expect(reads).toMatchObject([
      { member: 'steered', as: 'steer' },
      { member: 'plain', as: 'queue' },
    ]);
    await run.close();
  });

  test('steer whose handler throws waits for the next read, and nobody else is harmed', async () => {
    const play = stage(
      talkers('clumsy', 'sender'),
      {},
      withTalk(async (mailbox, id) => {
        if (id === 'sender') return (await mailbox.send({ to: 'clumsy', type: 'turn', mode: 'steer', id: '1' })).id;
        mailbox.onSteer(() => {
          throw new Error('cannot turn now');
        });
        return (await mailbox.inbox({ waitMs: 1_000 })).map((message) => message.id);
      }),
    );
    expect(await finished(play)).toEqual({ status: 'completed', output: { clumsy: ['1'], sender: '1' } });
    const reads = (await entriesOf(play.store)).filter(({ type }) => type === 'message.read').map(({ data }) => data);
    expect(reads).toMatchObject([{ member: 'clumsy', as: 'queue', ids: ['1'] }]);
  });

  test('interrupt ends the attempt and makes it again with the message waiting', async () => {
    const heard: string[] = [];
    const play = stage(
      talkers('a'),
      {},
      withTalk(async (mailbox, _id, signal) => {
        const [first] = await mailbox.inbox();
        if (first !== undefined) return first.body;
        heard.push('begun');
        return await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      }),
    );
    const { run, end } = await driven(play);
    await run.send('group', { to: 'a', type: 'stop that', body: 'do this', mode: 'interrupt', id: '1' });
    // A talking harness answers an abort with an outcome of its own, which settles it: so this one is cancelled.
    expect(await end).toMatchObject({ status: 'completed' });
    expect(heard).toEqual(['begun']);
    await run.close();
  });

  test('interrupt and the cancellation of an ended group: the attempt ends while that is written, and the run is over', async () => {
    const process = defineProcess('leaving', async (ctx) => {
      const group = ctx.group('group', caller, { members: [{ id: 'slow', background: true }] });
      await group.output;
      await group.cancel('enough');
    });
    const play = stage(process, { slow: never });
    const store: JournalStore = {
      ...play.store,
      async open(name, options) {
        const journal = await play.store.open(name, options);
        return {
          ...journal,
          async append(stream, expectedSeq, epoch, events) {
            if (events.some(({ type }) => type === 'group.cancelled')) {
              play.harness.settle('slow', { status: 'cancelled', reason: 'told to' });
              await settle();
            }
            return await journal.append(stream, expectedSeq, epoch, events);
          },
        };
      },
    };
    const { run, end } = await driven(play, { store });
    await run.send('group', { to: 'slow', type: 'turn', mode: 'interrupt', id: '1' });
    await tell(run, 'end');
    expect(await passing(play.clock, end)).toMatchObject({ status: 'completed' });
    await run.close();
  });
});

test.each([{ inReplyTo: 1n }, { mode: 1n }, { id: 5 }, { type: 5 }, { to: undefined }])(
  'a letter with %o is none: refused to its sender, and nobody else is harmed',
  async (odd) => {
    const letter = { to: 'b', type: 'hint', ...odd } as unknown as Letter;
    const play = stage(
      talkers('a', 'b'),
      {},
      withTalk(async (mailbox, id) => (id === 'a' ? (await mailbox.send(letter)).id : (await mailbox.inbox()).length)),
    );
    expect(await finished(play)).toEqual({
      status: 'completed',
      output: { a: expect.stringContaining('BAD_INPUT') as string, b: 0 },
    });
  },
);
