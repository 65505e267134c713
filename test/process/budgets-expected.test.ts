/** What attempts are expected to use is kept free in their budgets: many at once do not overspend together. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type BudgetPolicy, type Invocation, type Outcome } from 'troupe';
import { fail, hold, later } from 'troupe/harness';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { calling, driven, finished, killed, stage, tell, type Stage } from '../support/running.ts';

const members = (count: number, invocation: Invocation = {}) =>
  Array.from({ length: count }, (_, index) => ({ id: `m${index}`, ...invocation }));
const costing = (costUsd: number, tokens = 0): Outcome => ({ status: 'ok', output: null, usage: { costUsd, tokens } });
const dataOf = async ({ store }: Stage, type: string) =>
  (await entriesOf(store))
    .filter((entry) => entry.type === type)
    .map(
      ({ data }) => data as unknown as { readonly member: string; readonly why?: string; readonly outcome: Outcome },
    );
const begun = async (play: Stage) => (await dataOf(play, 'attempt.started')).map(({ member }) => member);
const refused = async (play: Stage) =>
  (await dataOf(play, 'member.settled')).flatMap(({ member, outcome }) =>
    outcome.status === 'error' ? [[member, outcome.error.message]] : [],
  );
const atOnce = (list: readonly (Invocation & { readonly id: string })[], budget: BudgetPolicy) =>
  calling({ members: list, until: list.length }, { budget, concurrency: 100 });

describe('of a group', () => {
  test('as many begin as fit together; the others follow when those were cheaper', async () => {
    const play = stage(atOnce(members(10), { costUsd: 4, expects: { costUsd: 1 } }), { '*': hold });
    const { run, end } = await driven(play);
    expect(await begun(play)).toEqual(['m0', 'm1', 'm2', 'm3']);
    expect((await dataOf(play, 'attempt.queued'))[0]).toMatchObject({
      member: 'm4',
      why: 'what is under way may use up the budget of group `group`: costUsd 4',
    });
    // 0.25 and 3 under way and 1 are more than 4; 0.5 and 2 and 1 are not.
    play.harness.settle('m0', costing(0.25));
    await settle();
    expect(await begun(play)).toHaveLength(4);
    play.harness.settle('m1', costing(0.25));
    await settle();
    expect(await begun(play)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    for (const member of ['m2', 'm3', 'm4']) play.harness.settle(member, costing(1));
    await settle();
    // 3.5 have been spent: whatever nothing is under way for is not waited for.
    expect(await begun(play)).toHaveLength(5);
    expect(await refused(play)).toEqual(
      ['m5', 'm6', 'm7', 'm8', 'm9'].map((member) => [
        member,
        'BUDGET: the budget of group `group` allows costUsd 4, and 3.5 has been spent; the next attempt is expected to use 1, and is not made.',
      ]),
    );
    expect(await end).toMatchObject({ status: 'completed' });
    await run.close();
  });

  test('a limit may be filled: ten tenths are one', async () => {
    const play = stage(atOnce(members(10, { expects: { costUsd: 0.1 } }), { costUsd: 1 }), { '*': costing(0.1) });
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(await begun(play)).toHaveLength(10);
  });

  test('what one has told is spent, and no longer expected of it', async () => {
    const play = stage(atOnce(members(3), { tokens: 100, expects: { tokens: 50 } }), { '*': hold });
    const { run } = await driven(play);
    play.harness.report('m0', { usage: { tokens: 40 } });
    play.clock.advance(1_000);
    await settle();
    play.harness.settle('m1', costing(0, 5));
    await settle();
    // 40 + 10 + 5 + 50 are too many; 40 + 5 + 50 are not.
    expect(await begun(play)).toEqual(['m0', 'm1']);
    play.harness.settle('m0', costing(0, 41));
    await settle();
    expect(await begun(play)).toEqual(['m0', 'm1', 'm2']);
    await run.close();
  });

  test('an invocation knows better than the budget, also that it costs nothing', async () => {
    const list = [
      { id: 'dear', expects: { costUsd: 3 } },
      { id: 'usual' },
      { id: 'free', expects: {} },
      { id: 'too dear', expects: { costUsd: 5 } },
    ];
    const play = stage(atOnce(list, { costUsd: 3.5, expects: { costUsd: 1 } }), { '*': hold });
    const { run } = await driven(play);
    expect(await begun(play)).toEqual(['dear', 'free']);
    // It would not fit if the others cost nothing.
    expect((await refused(play)).map(([member]) => member)).toEqual(['too dear']);
    await run.close();
  });

  /** Of four dollars the first leaves one: not enough for the second, and for the third. */
  const threeInLine = () =>
    atOnce(
      [
        { id: 'first', expects: { costUsd: 3 } },
        { id: 'dear', expects: { costUsd: 3 } },
        { id: 'cheap', expects: { costUsd: 1 } },
      ],
      { costUsd: 4 },
    );

  test('those that wait go on in their order: none is passed by a cheaper one', async () => {
    const play = stage(threeInLine(), { '*': hold });
    const { run } = await driven(play);
    expect(await begun(play)).toEqual(['first']);
    expect((await dataOf(play, 'attempt.queued')).map(({ why }) => why)).toEqual([
      'what is under way may use up the budget of group `group`: costUsd 4',
      'others waited for room in the budget before it',
    ]);
    play.harness.settle('first', costing(1));
    await settle();
    expect(await begun(play)).toEqual(['first', 'dear']);
    await run.close();
  });

  test('one that is called off makes room for those behind it, and says so in the journal', async () => {
    const play = stage(threeInLine(), { '*': hold });
    const { run } = await driven(play);
    await tell(run, 'stop', { id: 'dear' });
    expect(await begun(play)).toEqual(['first', 'cheap']);
    expect((await dataOf(play, 'attempt.cancelled')).map(({ member }) => member)).toEqual(['dear']);
    await run.close();
  });

  test('one that is called off while it is under way gives back what it did not use', async () => {
    const play = stage(atOnce(members(2), { costUsd: 4, expects: { costUsd: 3 } }), { '*': hold });
    const { run } = await driven(play);
    await tell(run, 'stop', { id: 'm0' });
    expect(await begun(play)).toEqual(['m0', 'm1']);
    await run.close();
  });

  test('a failed attempt gives it back, and its retry asks again', async () => {
    const list = members(2, { expects: { costUsd: 3 }, retry: { attempts: 2, minMs: 1_000, jitter: 0 } });
    const play = stage(atOnce(list, { costUsd: 4 }), {
      m0: [fail('failed', 'no'), costing(0.5)],
      m1: later(10_000, costing(0.5)),
    });
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(await begun(play)).toEqual(['m0', 'm1', 'm0']);
  });

  test('asks, where it is told to, about one that would go over alone; a yes lifts it for those that wait too', async () => {
    const list = [
      { id: 'first', expects: { costUsd: 2 } },
      { id: 'waits', expects: { costUsd: 2 } },
      { id: 'asks', expects: { costUsd: 5 } },
    ];
    const play = stage(atOnce(list, { costUsd: 3, over: 'ask' }), { '*': hold });
    const { run } = await driven(play);
    expect(await dataOf(play, 'gate.opened')).toMatchObject([
      {
        question:
          'the budget of group `group` allows costUsd 3, and 0 has been spent; the next attempt is expected to use 5, and is not made. Go on without this bound?',
      },
    ]);
    expect(await begun(play)).toEqual(['first']);
    await run.answer({ gate: 'budget', approved: true, note: '' });
    await settle();
    expect((await begun(play)).toSorted()).toEqual(['asks', 'first', 'waits']);
    await run.close();
  });

  test('what an invocation expects is checked', async () => {
    const play = stage(atOnce(members(1, { expects: { dollars: 1 } as never }), {}), { '*': costing(0) });
    await finished(play);
    expect((await refused(play))[0]?.[1]).toContain('expected `expects` to be {tokens?, costUsd?} of numbers >= 0');
  });
});

describe('of the run', () => {
  const two = defineProcess('two', async (ctx) => {
    const first = ctx.group('first', caller, { members: [{ id: 'a' }], until: 1 });
    const second = ctx.group('second', caller, { members: [{ id: 'b' }], until: 1 });
    return [(await first.output).length, (await second.output).length];
  });

  test('one group waits for what is under way in another', async () => {
    const play = stage(two, { '*': hold }, { budget: { costUsd: 1, expects: { costUsd: 0.6 } } });
    const { run, end } = await driven(play);
    expect(await begun(play)).toEqual(['a']);
    play.harness.settle('a', costing(0.3));
    await settle();
    expect(await begun(play)).toEqual(['a', 'b']);
    play.harness.settle('b', costing(0.3));
    expect(await end).toMatchObject({ output: [1, 1] });
    await run.close();
  });
});

const cents = fc.integer({ min: 0, max: 100 });
const works = fc.array(
  fc.record({ expects: cents, uses: cents, ms: fc.integer({ min: 1, max: 50 }), fails: fc.boolean() }),
  { minLength: 1, maxLength: 8 },
);

test('whatever is expected and used: none uses more than it said, and the bill stays within the budget; every member settles', async () => {
  await fc.assert(
    fc.asyncProperty(works, cents, fc.integer({ min: 1, max: 8 }), async (list, limit, concurrency) => {
      const wanted = list.map(({ expects }, index) => ({
        id: `m${index}`,
        expects: { costUsd: expects / 100 },
        retry: { attempts: 2, minMs: 1, jitter: 0 },
      }));
      const script = Object.fromEntries(
        list.map(({ expects, uses, ms, fails }, index) => {
          const usage = { costUsd: Math.min(uses, expects) / 100 };
          const outcome: Outcome = fails
            ? { status: 'error', class: 'failed', error: { name: 'E', message: 'no' }, usage }
            : { status: 'ok', output: null, usage };
          return [`m${index}`, later(ms, outcome)];
        }),
      );
      const process = calling(
        { members: wanted, until: list.length },
        { budget: { costUsd: limit / 100 }, concurrency },
      );
      const play = stage(process, script);
      expect(await finished(play)).toMatchObject({ status: 'completed' });
      const spent = (await entriesOf(play.store)).reduce((sum, { type, data }) => {
        const { usage, outcome } = data as { readonly usage?: Outcome['usage']; readonly outcome?: Outcome };
        return ['attempt.failed', 'member.settled'].includes(type)
          ? sum + ((usage ?? outcome?.usage)?.costUsd ?? 0)
          : sum;
      }, 0);
      expect(Math.round(spent * 100)).toBeLessThanOrEqual(limit);
      await verifyRun({ store: play.store, run: 'run', process });
    }),
    { numRuns: 60 },
  );
});

test('the same when the host dies anywhere, and the next goes on', async () => {
  const list = members(4, { expects: { costUsd: 1 } });
  let died = 0;
  for (let atAppend = 1; atAppend < 60; atAppend += 1) {
    const play = stage(atOnce(list, { costUsd: 2 }), { '*': later(10, costing(0.5)) });
    if ((await killed(play, { atAppend, isWritten: true })) === undefined) died += 1;
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    const settled = await dataOf(play, 'member.settled');
    expect(settled).toHaveLength(4);
    expect(settled.filter(({ outcome }) => outcome.status === 'ok').length).toBeGreaterThanOrEqual(3);
  }
  expect(died).toBeGreaterThan(10);
});

test('what was kept free for one that could not be taken up, and was called off meanwhile, is free again', async () => {
  const list = [
    { id: 'dear', expects: { costUsd: 2 } },
    { id: 'cheap', expects: { costUsd: 1 } },
  ];
  const play = stage(atOnce(list, { costUsd: 3 }), { '*': hold });
  await driven(play);
  play.store.abandon('run');
  let isSwept = () => {};
  const sweep = (key: string) =>
    key.includes('dear') ? new Promise<void>((resolve) => (isSwept = resolve)) : Promise.resolve();
  const scripted = { ...play.harness, reattach: async () => undefined, sweep };
  const { run } = await driven(play, { harnesses: { scripted } });
  await tell(run, 'stop', { id: 'dear' });
  isSwept();
  await settle();
  await tell(run, 'spawn', { id: 'other', invocation: { expects: { costUsd: 2 } } });
  expect((await begun(play)).at(-1)).toBe('other');
  await run.close();
});

test('what is taken up is kept free before those ask that had waited for it', async () => {
  const list = [{ id: 'again', retry: { attempts: 2 } }, { id: 'm1' }, { id: 'm2' }];
  const play = stage(atOnce(list, { costUsd: 2, expects: { costUsd: 1 } }), {
    'again': [fail('failed', 'no'), hold],
    '*': hold,
  });
  await driven(play);
  play.clock.advance(1_000);
  await settle();
  expect(await begun(play)).toEqual(['again', 'm1', 'm2']);
  play.store.abandon('run');
  const scripted = { ...play.harness, reattach: play.harness.perform };
  const { run } = await driven(play, { harnesses: { scripted } });
  expect(await begun(play)).toEqual(['again', 'm1', 'm2']);
  play.harness.settle('m1', costing(0));
  await settle();
  await run.close();
});
