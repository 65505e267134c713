/** Budgets: checked before an attempt, told before they are reached, and what happens over them. */
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { coordinator, defineProcess, gate, verifyRun, type BudgetPolicy, type Invocation, type Outcome } from 'troupe';
import { fail, fn, ok } from 'troupe/harness';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { passing, settle } from '../support/hand-clock.ts';
import { calling, driven, finished, killed, open, stage, story, type Stage } from '../support/running.ts';

const members = (count: number, invocation: Invocation = {}) =>
  Array.from({ length: count }, (_, index) => ({ id: `m${index}`, ...invocation }));
const costing = (costUsd: number, tokens = 0): Outcome => ({ status: 'ok', output: null, usage: { costUsd, tokens } });
const dataOf = async ({ store }: Stage, type: string) =>
  (await entriesOf(store)).filter((entry) => entry.type === type).map(({ data }) => data);
const startsOf = async (play: Stage) => (await dataOf(play, 'attempt.started')).length;

const grouped = (count: number, budget: BudgetPolicy, concurrency = 1) =>
  calling({ members: members(count), until: count }, { budget, concurrency });

describe('of a group', () => {
  test('attempts that are allowed and not begun count too: never one too many', async () => {
    const play = stage(grouped(10, { attempts: 3 }, 10), { '*': ok() });
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(await startsOf(play)).toBe(3);
    const refused = (await dataOf(play, 'member.settled')).filter(
      (data) => (data as unknown as { outcome: Outcome }).outcome.status === 'error',
    );
    expect(refused).toHaveLength(7);
    expect(refused[0]).toMatchObject({
      outcome: {
        class: 'refused',
        error: {
          code: 'BUDGET',
          message: expect.stringContaining(
            'the budget of group `group` allows attempts 3, and 3 has been spent; no further attempt is made.',
          ),
        },
      },
    });
  });

  test.each<[string, BudgetPolicy, Outcome]>([
    ['cost', { costUsd: 1 }, costing(0.4)],
    ['tokens', { tokens: 100 }, costing(0, 40)],
  ])('%s is summed over attempts, and stops the next one', async (_what, budget, outcome) => {
    const process = calling({ members: [{ id: 'first' }], until: 5 }, { budget });
    const play = stage(process, { '*': outcome });
    const { run, end } = await driven(play);
    for (let index = 1; index < 5; index += 1) {
      await run.signal('group', { type: 'spawn', id: `m${index}` }, { id: `s${index}` });
      await settle();
    }
    expect(await end).toMatchObject({
      output: [{}, {}, {}, ['xstate.error.actor.m3', 'BUDGET'], ['xstate.error.actor.m4', 'BUDGET']].map(() =>
        expect.anything(),
      ),
    });
    expect(await startsOf(play)).toBe(3);
    await run.close();
  });

  test('time under way counts before it has ended', async () => {
    const play = stage(calling({ members: [{ id: 'long' }], until: 2 }, { budget: { wallMs: 100 } }), {
      long: { step: 'later', ms: 1_000, outcome: ok() },
    });
    const { run, end } = await driven(play);
    play.clock.advance(150);
    await run.signal('group', { type: 'spawn', id: 'late' }, { id: 's' });
    expect(await passing(play.clock, end)).toMatchObject({
      output: [
        ['xstate.error.actor.late', 'BUDGET'],
        ['xstate.done.actor.long', null],
      ],
    });
    await run.close();
  });

  test('over: stop cancels the group, once', async () => {
    const play = stage(grouped(6, { attempts: 2, over: 'stop' }, 6), { '*': ok() });
    expect(await finished(play)).toMatchObject({ status: 'failed', error: { code: 'CANCELLED' } });
    expect(await dataOf(play, 'group.cancelled')).toEqual([
      { reason: 'the budget of group `group` allows attempts 2, and 2 has been spent; no further attempt is made.' },
    ]);
  });
});

describe('of a member', () => {
  test('all its attempts count', async () => {
    const play = stage(
      calling({ members: [{ id: 'a', retry: { attempts: 9, jitter: 0 }, budget: { attempts: 2 } }], until: 1 }),
      { '*': fail('failed', 'no') },
    );
    expect(await finished(play)).toMatchObject({ output: [['xstate.error.actor.a', 'BUDGET']] });
    expect(await startsOf(play)).toBe(2);
  });

  test('what a failed attempt used counts too', async () => {
    const expensive: Outcome = {
      status: 'error',
      class: 'failed',
      error: { name: 'E', message: 'no' },
      usage: { costUsd: 3 },
    };
    const play = stage(calling({ members: [{ id: 'a', retry: { attempts: 9 }, budget: { costUsd: 5 } }], until: 1 }), {
      '*': expensive,
    });
    expect(await finished(play)).toMatchObject({ output: [['xstate.error.actor.a', 'BUDGET']] });
    expect(await startsOf(play)).toBe(2);
  });
});

describe('of the run', () => {
  const two = defineProcess('two', async (ctx) => {
    const first = await ctx.group('first', caller, { members: members(2), until: 2 }).output;
    const second = await ctx.group('second', caller, { members: members(3), until: 3 }).output;
    return [first.length, second.map(([type]) => type.split('.')[1] as string)];
  });

  test('all groups count together', async () => {
    const play = stage(two, { '*': ok() }, { budget: { attempts: 3 } });
    expect(await finished(play)).toMatchObject({ output: [2, expect.arrayContaining(['done', 'error', 'error'])] });
    expect(await startsOf(play)).toBe(3);
  });

  test('also those that the next host has not opened yet', async () => {
    // The process opens `second` first on its way back: a budget that counted open groups only would give it two more.
    for (let atAppend = 1; atAppend < 20; atAppend += 1) {
      const play = stage(two, { '*': ok() }, { budget: { attempts: 3 } });
      await killed(play, { atAppend, isWritten: true });
      await finished(play);
      const keys = (await entriesOf(play.store)).filter(({ type }) => type === 'attempt.started');
      expect(keys.length).toBe(3);
    }
  });

  test('a share of it is told once, each limit for itself, whoever drives', async () => {
    const budget: BudgetPolicy = { attempts: 5, costUsd: 1, warnAt: 0.6 };
    for (let atAppend = 0; atAppend < 24; atAppend += 1) {
      const play = stage(two, { '*': costing(0.2) }, { budget });
      if (atAppend > 0) await killed(play, { atAppend, isWritten: true });
      await finished(play);
      const warnings = (await dataOf(play, 'budget.warned')) as unknown as readonly { whose: string; what: string }[];
      const keys = warnings.map(({ whose, what }) => `${whose} ${what}`);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys).toContain('the run attempts');
      if (atAppend === 0) expect(keys.toSorted()).toEqual(['the run attempts', 'the run costUsd']);
    }
  });
});

test('a gate of a machine cannot be called as the budget’s is: its approval would lift the budget', async () => {
  const asked = { name: 'budget', question: 'Is this within our budget?' };
  expect(() => gate(asked)).toThrow('BAD_INPUT: gate: expected another name than `budget`');
  const asking = coordinator(
    setup({ actions: { ask: gate(() => asked) } }).createMachine({ id: 'asking', entry: 'ask' }),
  );
  const process = defineProcess('asks', (ctx) => ctx.group('group', asking, null).output);
  expect(await finished(stage(process))).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('expected another name than `budget`') as string },
  });
});

describe('over: ask', () => {
  const process = calling({ members: members(3), until: 3 }, { budget: { attempts: 1, over: 'ask' }, concurrency: 3 });

  test('opens one gate, and approval lifts the budget', async () => {
    const play = stage(process, { '*': ok() });
    const { run, end } = await driven(play);
    expect(await dataOf(play, 'gate.opened')).toEqual([
      {
        name: 'budget',
        question:
          'the budget of group `group` allows attempts 1, and 1 has been spent; no further attempt is made. Go on without this bound?',
      },
    ]);
    expect(await startsOf(play)).toBe(1);
    await run.answer({ gate: 'budget', approved: true, note: 'go' });
    expect(await end).toMatchObject({ status: 'completed' });
    expect(await startsOf(play)).toBe(3);
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test.each<['fail' | 'stop', string]>([
    ['fail', 'completed'],
    ['stop', 'failed'],
  ])('approval does not lift a budget of the run that nobody was asked about (over: %s)', async (over, status) => {
    const play = stage(process, { '*': ok() }, { budget: { attempts: 2, over } });
    const { run, end } = await driven(play);
    await run.answer({ gate: 'budget', approved: true, note: '' });
    expect(await end).toMatchObject({ status });
    expect(await startsOf(play)).toBe(2);
    await run.close();
  });

  test('rejection refuses who waits, and who comes later', async () => {
    const play = stage(process, { '*': ok() });
    const { run, end } = await driven(play);
    await run.answer({ gate: 'budget', approved: false, note: 'too dear' });
    expect(await end).toMatchObject({
      output: [
        ['xstate.done.actor.m0', null],
        ['xstate.error.actor.m1', 'BUDGET'],
        ['xstate.error.actor.m2', 'BUDGET'],
      ],
    });
    await run.close();
  });

  test.each([true, false])('the answer (approved: %s) counts wherever the host dies', async (approved) => {
    for (let atAppend = 1; atAppend < 16; atAppend += 1) {
      for (const isWritten of [true, false]) {
        const play = stage(process, { '*': ok() });
        await killed(play, { atAppend, isWritten }).catch(() => 'waits');
        play.store.abandon('run');
        const run = await open(play);
        const end = run.drive();
        await settle();
        await run.answer({ gate: 'budget', approved, note: '' }).catch(() => {});
        const heard = (
          (await passing(play.clock, end)) as unknown as { output: readonly (readonly [string, string])[] }
        ).output;
        const done = heard.filter(([type]) => type.startsWith('xstate.done'));
        // What a dying host took with it was spent all the same.
        if (approved) expect(done).toHaveLength(3);
        else expect(done.length).toBeLessThanOrEqual(1);
        expect((await story(play)).filter((line) => line === 'gate.opened')).toHaveLength(1);
        await run.close();
      }
    }
  });

  test('an answer given while its host dies is heard by the next', async () => {
    for (let atAppend = 1; atAppend < 8; atAppend += 1) {
      const play = stage(process, { '*': ok() });
      const first = await driven(play);
      await first.run.close();
      const died = (async () => {
        const { dyingStore } = await import('../support/dying-store.ts');
        const store = dyingStore(play.store, { atAppend, isWritten: true });
        const run = await Promise.race([open(play, { store }), store.died]);
        if (run === undefined) return;
        void run.drive().catch(() => {});
        await settle();
        await Promise.race([run.answer({ gate: 'budget', approved: true, note: '' }).catch(() => {}), store.died]);
        await settle();
      })();
      await died;
      play.store.abandon('run');
      const run = await open(play);
      const end = run.drive();
      await settle();
      await run.answer({ gate: 'budget', approved: true, note: '' }).catch(() => {});
      expect(await passing(play.clock, end)).toMatchObject({ status: 'completed' });
      await run.close();
    }
  });
});

test('a function says what it has spent, failed or not', async () => {
  const spender = fn((_task, { attempt, spent }) => {
    spent({ costUsd: 0.25 });
    spent({ costUsd: 0.25, tokens: 10 });
    if (attempt === 1) throw new Error('once more');
    return 'done';
  });
  const play = stage(
    calling({ members: [{ id: 'a', harness: 'spender', retry: { attempts: 2 } }], until: 1 }),
    {},
    { harnesses: { spender } },
  );
  await finished(play);
  expect(await dataOf(play, 'attempt.failed')).toMatchObject([{ usage: { costUsd: 0.5, tokens: 10 } }]);
  expect(await dataOf(play, 'member.settled')).toMatchObject([{ outcome: { usage: { costUsd: 0.5, tokens: 10 } } }]);
});
