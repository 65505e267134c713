/** Budgets and what has been asked for already: who waits for a place is asked about again when there is one, and what is under way is watched. */
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type BudgetPolicy, type Harness, type Outcome } from 'troupe';
import { hold, later, type Attempt } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { calling, driven, finished, killed, stage, tell, type Stage } from '../support/running.ts';

const members = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `m${index}` }));
const costing = (costUsd: number): Outcome => ({ status: 'ok', output: null, usage: { costUsd } });
const dataOf = async ({ store }: Stage, type: string) =>
  (await entriesOf(store))
    .filter((entry) => entry.type === type)
    .map(({ data }) => data as unknown as { readonly member: string; readonly outcome: Outcome });
/** Reports are recorded once a second. */
const told = async (play: Stage, member: string, costUsd: number) => {
  play.harness.report(member, { usage: { costUsd } });
  play.clock.advance(1_000);
  await settle();
};
const begun = async (play: Stage) => (await dataOf(play, 'attempt.started')).map(({ member }) => member);
const codes = async (play: Stage) =>
  (await dataOf(play, 'member.settled')).map(({ outcome }) =>
    outcome.status === 'error' ? outcome.error.code : outcome.status,
  );
/** All are asked for at once, and have a place one after the other. */
const oneByOne = (count: number, budget: BudgetPolicy) =>
  calling({ members: members(count), until: count }, { budget, concurrency: 1 });

describe('who waits for a place', () => {
  const dear = later(5, costing(0.4));

  test('is refused when what went before has used the budget up', async () => {
    const play = stage(oneByOne(10, { costUsd: 1 }), { '*': dear });
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(await begun(play)).toEqual(['m0', 'm1', 'm2']);
    expect(await codes(play)).toEqual([...Array(3).fill('ok'), ...Array(7).fill('BUDGET')]);
  });

  test.each<[string, object]>([
    ['the harness', { capabilities: [], concurrency: 1 }],
    ['the rate of the harness', { ratePerMinute: 1 }],
  ])('also where the place is that of %s', async (_whose, limits) => {
    const process = calling({ members: members(10), until: 10 }, { budget: { costUsd: 1 }, concurrency: 10 });
    const play = stage(process, { '*': dear });
    Object.assign(play.harness, limits);
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(await begun(play)).toEqual(['m0', 'm1', 'm2']);
  });

  test('also by the budget of the run, for what another group has spent', async () => {
    const process = defineProcess('two', async (ctx) => {
      const groups = ['first', 'second'].map((name) => ctx.group(name, fanOut, { members: members(5) }));
      await Promise.all(groups.map((group) => group.output));
    });
    const play = stage(process, { '*': dear }, { budget: { costUsd: 1 }, concurrency: 1 });
    await finished(play);
    expect(await begun(play)).toHaveLength(3);
    expect((await codes(play)).filter((code) => code === 'BUDGET')).toHaveLength(7);
  });

  test('over: stop cancels the group then, and those that waited end in the journal', async () => {
    const play = stage(oneByOne(5, { costUsd: 1, over: 'stop' }), { '*': dear });
    expect(await finished(play)).toMatchObject({ status: 'failed', error: { code: 'CANCELLED' } });
    expect(await begun(play)).toEqual(['m0', 'm1', 'm2']);
    expect((await dataOf(play, 'attempt.cancelled')).map(({ member }) => member)).toEqual(['m3', 'm4']);
  });

  test('over: ask asks once, and a yes lets all of them go on', async () => {
    const process = oneByOne(6, { costUsd: 1, over: 'ask' });
    const play = stage(process, { '*': costing(0.4) });
    const { run, end } = await driven(play);
    expect(await begun(play)).toEqual(['m0', 'm1', 'm2']);
    expect(await dataOf(play, 'gate.opened')).toHaveLength(1);
    await run.answer({ gate: 'budget', approved: true, note: '' });
    expect(await end).toMatchObject({ status: 'completed' });
    expect((await begun(play)).toSorted()).toEqual(members(6).map(({ id }) => id));
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test('over: ask refuses them all after a no, also who comes later', async () => {
    const play = stage(oneByOne(6, { costUsd: 1, over: 'ask' }), { '*': costing(0.4) });
    const { run, end } = await driven(play);
    await run.answer({ gate: 'budget', approved: false, note: 'too dear' });
    expect(await end).toMatchObject({ status: 'completed' });
    expect(await codes(play)).toEqual(['ok', 'ok', 'ok', 'BUDGET', 'BUDGET', 'BUDGET']);
    await run.close();
  });

  test('a no is kept to when more is waiting for its place', async () => {
    const process = calling({ members: members(3), until: 4 }, { budget: { costUsd: 1, over: 'ask' }, concurrency: 1 });
    const play = stage(process, { 'm0': costing(2), '*': hold });
    const { run } = await driven(play);
    await run.answer({ gate: 'budget', approved: false, note: '' });
    await tell(run, 'spawn', { id: 'late' });
    expect(await codes(play)).toEqual(['ok', 'BUDGET', 'BUDGET', 'BUDGET']);
    await run.close();
  });

  test('one that is called off while it waits for the answer has ended in the journal', async () => {
    const play = stage(oneByOne(4, { costUsd: 1, over: 'ask' }), { '*': costing(0.4) });
    const { run } = await driven(play);
    await tell(run, 'stop', { id: 'm3' });
    expect((await dataOf(play, 'attempt.cancelled')).map(({ member }) => member)).toEqual(['m3']);
    await run.close();
  });

  test('also one that had waited for what was under way before', async () => {
    const budget: BudgetPolicy = { costUsd: 1, expects: { costUsd: 1 }, over: 'ask' };
    const play = stage(calling({ members: members(2), until: 3 }, { budget }), { '*': hold });
    const { run } = await driven(play);
    play.harness.settle('m0', costing(1));
    await settle();
    expect(await dataOf(play, 'gate.opened')).toHaveLength(1);
    await tell(run, 'stop', { id: 'm1' });
    expect((await dataOf(play, 'attempt.cancelled')).map(({ member }) => member)).toEqual(['m1']);
    await run.close();
  });

  test('leaves its place to the next: one that costs nothing, while a dear one waits for those under way', async () => {
    const list = [
      { id: 'first', expects: { costUsd: 1 } },
      { id: 'second', expects: { costUsd: 1 } },
      { id: 'third', expects: {} },
    ];
    const process = calling({ members: list, until: 3 }, { budget: { costUsd: 2 }, concurrency: 2 });
    const play = stage(process, { '*': hold });
    const { run } = await driven(play);
    expect(await begun(play)).toEqual(['first', 'second']);
    // It had said 1: nothing is left for the second attempt of anybody who costs something.
    await told(play, 'first', 1.5);
    play.harness.settle('second', costing(0.1));
    await settle();
    expect(await begun(play)).toEqual(['first', 'second', 'third']);
    await run.close();
  });

  test('wherever the host dies, none begins that should not', async () => {
    for (let atAppend = 1; atAppend < 40; atAppend += 1) {
      for (const isWritten of [true, false]) {
        const play = stage(oneByOne(6, { costUsd: 1 }), { '*': dear });
        await killed(play, { atAppend, isWritten });
        expect(await finished(play)).toMatchObject({ status: 'completed' });
        // What was lost with its host had told nothing of its cost.
        expect((await codes(play)).filter((code) => code === 'ok')).toHaveLength(3);
        expect(await codes(play)).toHaveLength(6);
      }
    }
  });
});

describe('what is under way', () => {
  const atOnce = (budget: BudgetPolicy) => calling({ members: members(3), until: 3 }, { budget, concurrency: 3 });

  test('over: stop ends it as soon as it tells that too much has been spent', async () => {
    const play = stage(atOnce({ costUsd: 1, over: 'stop' }), { '*': hold });
    const { run, end } = await driven(play);
    await told(play, 'm0', 0.5);
    await told(play, 'm1', 0.5);
    // A limit may be filled.
    expect(await dataOf(play, 'group.cancelled')).toEqual([]);
    await told(play, 'm2', 0.01);
    expect(await end).toMatchObject({ status: 'failed', error: { code: 'CANCELLED' } });
    expect(await dataOf(play, 'group.cancelled')).toEqual([
      { reason: 'the budget of group `group` allows costUsd 1, and 1.01 has been spent; no further attempt is made.' },
    ]);
    expect(await dataOf(play, 'attempt.cancelled')).toHaveLength(3);
    await run.close();
  });

  test('what one tells just before its end counts once, also while both are on their way to the journal', async () => {
    const play = stage(atOnce({ costUsd: 8, over: 'stop' }), { '*': hold });
    const { run } = await driven(play);
    play.clock.advance(2_000);
    play.harness.report('m0', { usage: { costUsd: 5 } });
    play.clock.advance(1);
    play.harness.settle('m0', costing(5));
    await settle();
    expect((await entriesOf(play.store)).slice(-2).map(({ type }) => type)).toEqual([
      'member.progress',
      'member.settled',
    ]);
    await run.close();
  });

  test('a group that is done when it has gone over is not stopped: nothing of it would spend more', async () => {
    const play = stage(calling({ members: members(1), until: 1 }, { budget: { costUsd: 1, over: 'stop' } }), {
      '*': costing(5),
    });
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(await dataOf(play, 'group.cancelled')).toEqual([]);
  });

  test('a background member that goes on after the end of its group is ended as well', async () => {
    const process = calling({ members: [{ id: 'slow', background: true }] }, { budget: { costUsd: 1, over: 'stop' } });
    const play = stage(process, { '*': hold });
    const { run, end } = await driven(play);
    await tell(run, 'end');
    await told(play, 'slow', 2);
    expect(await end).toMatchObject({ status: 'completed' });
    expect(await dataOf(play, 'attempt.cancelled')).toHaveLength(1);
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test('a budget of the run stops every group that has something under way', async () => {
    const process = defineProcess('two', async (ctx) => {
      const groups = ['first', 'second'].map((name) => ctx.group(name, caller, { members: members(1), until: 1 }));
      const ends = await Promise.allSettled(groups.map((group) => group.output));
      return ends.map(({ status }) => status);
    });
    const play = stage(process, { '*': hold }, { budget: { costUsd: 1, over: 'stop' } });
    const { run, end } = await driven(play);
    await told(play, 'first/m0', 2);
    expect(await end).toMatchObject({ output: ['rejected', 'rejected'] });
    await run.close();
  });

  test.each<BudgetPolicy['over']>(['fail', 'ask'])('over: %s lets it end', async (over) => {
    const play = stage(atOnce({ costUsd: 1, over: over ?? 'fail' }), { '*': hold });
    const { run, end } = await driven(play);
    await told(play, 'm0', 5);
    for (const { id } of members(3)) play.harness.settle(id, costing(5));
    expect(await end).toMatchObject({ status: 'completed' });
    await run.close();
  });

  test('is warned of when it tells, not when the next attempt begins', async () => {
    const play = stage(atOnce({ costUsd: 1 }), { '*': hold });
    const { run } = await driven(play);
    await told(play, 'm0', 0.85);
    expect(await dataOf(play, 'budget.warned')).toEqual([
      { whose: 'group `group`', what: 'costUsd', spent: 0.85, limit: 1 },
    ]);
    await run.close();
  });
});

describe('what is told and not recorded yet', () => {
  const spender = (end: () => never) =>
    ({
      async perform({ progress }: Attempt) {
        progress({ usage: { costUsd: 5 } });
        return end();
      },
    }) satisfies Harness;

  test('counts when the attempt ends without saying what it used', async () => {
    const harness = spender(() => {
      throw new Error('no');
    });
    const process = calling(
      { members: [{ id: 'a', harness: 'spender', retry: { attempts: 3, minMs: 1, jitter: 0 } }], until: 1 },
      { budget: { costUsd: 1 } },
    );
    const play = stage(process, {}, { harnesses: { spender: harness } });
    expect(await finished(play)).toMatchObject({ output: [['xstate.error.actor.a', 'BUDGET']] });
    expect(await begun(play)).toEqual(['a']);
  });

  test('counts of one that is called off, too', async () => {
    const play = stage(calling({ members: members(2), until: 2 }, { budget: { costUsd: 1 }, concurrency: 1 }), {
      '*': hold,
    });
    const { run } = await driven(play);
    play.harness.report('m0', { usage: { costUsd: 5 } });
    await tell(run, 'stop', { id: 'm0' });
    expect(await codes(play)).toEqual(['BUDGET']);
    await run.close();
  });
});

test('time in which there was no host is not charged to whoever was lost with the one before', async () => {
  const process = calling({ members: members(2), until: 2 }, { budget: { wallMs: 60_000 }, concurrency: 2 });
  let lost = 0;
  for (let atAppend = 1; atAppend < 10; atAppend += 1) {
    const play = stage(process, { '*': later(10_000, costing(0)) });
    if ((await killed(play, { atAppend, isWritten: false })) === undefined) play.clock.advance(3_600_000);
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(await codes(play)).toEqual(['ok', 'ok']);
    lost += (await dataOf(play, 'attempt.failed')).length;
    await verifyRun({ store: play.store, run: 'run', process });
  }
  expect(lost).toBeGreaterThan(2);
});
