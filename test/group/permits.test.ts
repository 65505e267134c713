/** Leave to make attempts, asked for many at once: what is allowed and not begun counts, and gives way when it is wanted no longer. */
import { describe, expect, test } from 'vitest';
import { hold, ok } from 'troupe/harness';
import { entriesOf } from '../support/dying-store.ts';
import { calling, driven, stage, tell, type Stage } from '../support/running.ts';

const members = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `m${index}` }));
const typesOf = async ({ store }: Stage, type: string) =>
  (await entriesOf(store))
    .filter((entry) => entry.type === type)
    .map(({ data }) => (data as { member: string }).member);

describe('an attempt that was allowed and waits for its place', () => {
  test('counts against the budget until it begins, and not twice when it has', async () => {
    const play = stage(calling({ members: members(4), until: 4 }, { budget: { attempts: 3 }, concurrency: 1 }), {
      '*': hold,
    });
    const { run, end } = await driven(play);
    // One begun and two queued: the fourth is refused at once.
    expect(await typesOf(play, 'member.settled')).toEqual(['m3']);
    for (const member of ['m0', 'm1', 'm2']) {
      play.harness.settle(member, ok());
      await tell(run, 'nothing');
    }
    expect(await end).toMatchObject({ status: 'completed' });
    expect(await typesOf(play, 'attempt.started')).toEqual(['m0', 'm1', 'm2']);
    await run.close();
  });

  test('gives its leave back when it is wanted no longer', async () => {
    const play = stage(calling({ members: members(3), until: 4 }, { budget: { attempts: 3 }, concurrency: 1 }), {
      '*': hold,
    });
    const { run } = await driven(play);
    await tell(run, 'stop', { id: 'm2' });
    await tell(run, 'spawn', { id: 'other' });
    expect(await typesOf(play, 'member.settled')).toEqual([]);
    await run.close();
  });

  test('is told who performs it in the order in which it was asked for, also by the next host', async () => {
    const play = stage(calling({ members: members(3) }, { budget: { attempts: 2, over: 'ask' }, concurrency: 1 }), {
      '*': hold,
    });
    const first = await driven(play);
    await first.run.close();
    const second = await driven(play);
    // The attempt that was under way has been spent; of the two others one is left, and one asks.
    expect((await entriesOf(play.store)).filter(({ type }) => type === 'gate.opened')).toHaveLength(1);
    await second.run.close();
  });
});
