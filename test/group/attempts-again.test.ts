/** Attempts that a host left: after a crash, and after it was told to stop. */
import { describe, expect, test } from 'vitest';
import type { Harness, Invocation } from 'troupe';
import { hold, later, ok } from 'troupe/harness';
import { memoryStore } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { calling, driven, finished, killed, stage, story, type Stage } from '../support/running.ts';

const one = (invocation: Invocation = {}) => calling({ members: [{ id: 'a', ...invocation }], until: 1 });
const done = (output: unknown) => ({ status: 'completed', output: [['xstate.done.actor.a', output]] });
const failedWith = (code: string) => ({ status: 'completed', output: [['xstate.error.actor.a', code]] });
const attemptsIn = async (stage: Stage) => (await story(stage)).filter((line) => /^(attempt|member|letter)/.test(line));

/** Kills the host when so much of the group's story has been written: this entry is the last. */
async function killedAfter(stage: Stage, last: string): Promise<void> {
  for (let atAppend = 1; atAppend < 50; atAppend += 1) {
    const tried = { ...stage, store: memoryStore() };
    if ((await killed(tried, { atAppend, isWritten: true })) !== undefined) break;
    if ((await story(tried)).at(-1)?.startsWith(last) !== true) continue;
    await killed(stage, { atAppend, isWritten: true });
    return;
  }
  throw new Error(`no append ends with ${last}`);
}

describe('after a crash', () => {
  const interrupt = async (invocation: Invocation = {}, options = {}) => {
    const still = stage(one(invocation), { a: later(10, ok('well')) }, options);
    await killedAfter(still, 'attempt.started');
    return still;
  };

  test('what was left is swept by the key of its attempt before another is made', async () => {
    const still = await interrupt();
    const order: string[] = [];
    const harness: Harness = {
      perform: async ({ key }) => {
        order.push(`perform ${key}`);
        return ok('well');
      },
      sweep: async (key) => void order.push(`sweep ${key}`),
    };
    expect(await finished(still, { harnesses: { scripted: harness } })).toEqual(done('well'));
    expect(order).toEqual(['sweep run/group/a#1/1', 'perform run/group/a#1/2']);
    expect(await attemptsIn(still)).toEqual([
      'attempt.started a 1',
      'attempt.failed a 1',
      'attempt.started a 2',
      'member.settled a 2',
    ]);
  });

  test('it is swept again when the host dies before that is recorded', async () => {
    const still = await interrupt();
    const swept: string[] = [];
    const dies: Harness = { perform: async () => ok(), sweep: (key) => new Promise<void>(() => swept.push(key)) };
    const second = await driven(still, { harnesses: { scripted: dies } });
    still.store.abandon('run');
    expect(await finished(still)).toEqual(done('well'));
    expect([...swept, ...still.harness.swept]).toEqual(['run/group/a#1/1', 'run/group/a#1/1']);
    void second;
  });

  test('what cannot be swept is not made again: the coordinator decides', async () => {
    const still = await interrupt();
    const harness: Harness = { perform: async () => ok(), sweep: async () => Promise.reject(new Error('still there')) };
    expect(await finished(still, { harnesses: { scripted: harness } })).toEqual(failedWith('INTERRUPTED'));
  });

  test('what is never done with being swept is given up alike, and holds up nobody', async () => {
    const still = await interrupt();
    const harness: Harness = { perform: async () => ok(), sweep: () => new Promise<void>(() => {}) };
    expect(await finished(still, { harnesses: { scripted: harness } })).toEqual(failedWith('INTERRUPTED'));
  });

  test('with restartable: false it is swept and settled as INTERRUPTED', async () => {
    const still = await interrupt({ restartable: false });
    expect(await finished(still)).toEqual(failedWith('INTERRUPTED'));
    expect(still.harness.swept).toEqual(['run/group/a#1/1']);
    expect(await attemptsIn(still)).toEqual(['attempt.started a 1', 'member.settled a 1']);
  });

  test('no more than interruptionsMax attempts are lost before the coordinator decides', async () => {
    const still = stage(one({ retry: { attempts: 9 } }), { a: hold }, { interruptionsMax: 2 });
    for (let host = 0; host < 3; host += 1) {
      await driven(still);
      still.store.abandon('run');
    }
    expect(await finished(still)).toEqual(failedWith('INTERRUPTED'));
    expect((await attemptsIn(still)).filter((line) => line.startsWith('attempt.started'))).toHaveLength(3);
  });

  test('a harness that can takes the attempt up where it is: no second attempt', async () => {
    const still = await interrupt();
    const taken: string[] = [];
    const harness: Harness = {
      perform: async () => ok('made again'),
      reattach: async ({ key, attempt }) => {
        taken.push(`${key} ${attempt}`);
        return ok('taken up');
      },
    };
    expect(await finished(still, { harnesses: { scripted: harness } })).toEqual(done('taken up'));
    expect(taken).toEqual(['run/group/a#1/1 1']);
    expect(await attemptsIn(still)).toEqual(['attempt.started a 1', 'member.settled a 1']);
  });

  test('what cannot be taken up is swept and made again', async () => {
    const still = await interrupt();
    const order: string[] = [];
    const harness: Harness = {
      perform: async () => ok('made again'),
      reattach: async () => undefined,
      sweep: async (key) => void order.push(key),
    };
    expect(await finished(still, { harnesses: { scripted: harness } })).toEqual(done('made again'));
    expect(order).toEqual(['run/group/a#1/1']);
  });
});

describe('a host that is told to stop', () => {
  test('ends its attempts, which are made again by the next, and are no failure', async () => {
    const still = stage(one(), { a: [hold, ok('later')] });
    const { run, end } = await driven(still);
    await run.stop('maintenance');
    expect(await end).toEqual({ status: 'stopped', reason: 'maintenance' });
    await run.close();
    expect(await finished(still)).toEqual(done('later'));
    expect(await attemptsIn(still)).toEqual([
      'attempt.started a 1',
      'attempt.cancelled a 1',
      'attempt.started a 2',
      'member.settled a 2',
    ]);
  });

  test('does not have an attempt made twice that must not be: it is settled as INTERRUPTED', async () => {
    const still = stage(one({ restartable: false }), { a: hold });
    const { run } = await driven(still);
    await run.stop('maintenance');
    await run.close();
    expect(await finished(still)).toEqual(failedWith('INTERRUPTED'));
    expect(still.harness.calls).toHaveLength(1);
  });

  test('starts nothing more', async () => {
    const still = stage(calling({ members: [{ id: 'a' }, { id: 'b' }] }, { concurrency: 1 }), { '*': hold });
    const { run } = await driven(still);
    await run.stop('maintenance');
    await settle();
    expect(still.harness.calls.map(({ member }) => member)).toEqual(['a']);
    await run.close();
  });
});
