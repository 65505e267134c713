/** A host: timers, bounds, trouble with the journal, stopping and closing. */
import { describe, expect, test } from 'vitest';
import { TroupeError, defineProcess, verifyRun, type Journal, type JournalStore } from 'troupe';
import { fn, hold, ok, scripted } from 'troupe/harness';
import { entriesOf, failingStore } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { reminder, type ReminderInput } from '../support/reminder.ts';
import { calling, driven, finished, open, stage, story, tell } from '../support/running.ts';

const reminding = (input: ReminderInput) =>
  defineProcess('reminding', async (ctx) => ctx.group('group', reminder, input).output);
const completed = (output: unknown) => ({ status: 'completed', output });

describe('durable timers', () => {
  test('fire in due order, each at its time', async () => {
    const still = stage(reminding({ inMs: [300, 100, 200, 100], endMs: 1_000 }));
    const startedAt = still.clock.now();
    expect(await finished(still)).toEqual(completed(['1', '3', '2', '0']));
    const fired = (await entriesOf(still.store))
      .filter(({ type }) => type === 'timer.fired')
      .map(({ at }) => at - startedAt);
    expect(fired).toEqual([100, 100, 200, 300, 1_000]);
  });

  test('survive a restart, and keep their moment', async () => {
    const still = stage(reminding({ inMs: [100, 900], endMs: 1_000 }));
    const { run } = await driven(still);
    still.clock.advance(500);
    await settle();
    await run.close();
    const { run: second, end } = await driven(still);
    still.clock.advance(399);
    await settle();
    expect((await story(still)).filter((line) => line.startsWith('timer'))).toHaveLength(1);
    still.clock.advance(101);
    await settle();
    expect(await end).toEqual(completed(['0', '1']));
    await second.close();
  });

  test('that came due while no host lived fire at once, in due order', async () => {
    const still = stage(reminding({ inMs: [300, 100, 200, 5_000], endMs: 10_000 }));
    await driven(still);
    still.store.abandon('run');
    still.clock.setNow(still.clock.now() + 4_000);
    const { run } = await driven(still);
    const fired = (await entriesOf(still.store))
      .filter(({ type }) => type === 'timer.fired')
      .map(({ data }) => (data as { readonly dueAt: number }).dueAt);
    expect(fired).toEqual([1_000_100, 1_000_200, 1_000_300]);
    await run.close();
  });

  test('that are taken back do not fire, after a restart neither', async () => {
    const still = stage(reminding({ inMs: [100, 200], endMs: 1_000 }));
    const { run } = await driven(still);
    await tell(run, 'forget', { name: '0' });
    await run.close();
    expect(await finished(still)).toEqual(completed(['1']));
  });

  test('of a group that has ended are gone', async () => {
    const still = stage(reminding({ inMs: [50_000], endMs: 100 }));
    expect(await finished(still)).toEqual(completed([]));
    expect((await story(still)).at(-1)).toBe('group.ended');
  });
});

describe('concurrency', () => {
  test.each([
    ['of the group', { concurrency: 2 }, {}, undefined],
    ['of the harness', {}, {}, 2],
    ['of the host', {}, { concurrency: 2 }, undefined],
  ])(
    '%s is never exceeded and always used, and members start in their order',
    async (_whose, groupOptions, options, harnessConcurrency) => {
      let running = 0;
      const seen: number[] = [];
      const order: string[] = [];
      const resolves: (() => void)[] = [];
      const harness = fn(
        async ({ member }) => {
          running += 1;
          seen.push(running);
          order.push(member);
          await new Promise<void>((resolve) => resolves.push(resolve));
          running -= 1;
        },
        harnessConcurrency === undefined ? {} : { concurrency: harnessConcurrency },
      );
      const members = Array.from({ length: 9 }, (_, index) => ({ id: `m${index}` }));
      const still = stage(
        calling({ members, until: 9 }, groupOptions),
        {},
        { harnesses: { scripted: harness }, ...options },
      );
      const { run, end } = await driven(still);
      while (resolves.length > 0) {
        expect(running).toBe(Math.min(2, 9 - (order.length - running)));
        resolves.shift()?.();
        await settle();
      }
      expect(await end).toMatchObject({ status: 'completed' });
      expect(Math.max(...seen)).toBe(2);
      expect(order).toEqual(members.map(({ id }) => id));
      await run.close();
    },
  );

  test('of the group may be changed by the next host', async () => {
    const members = Array.from({ length: 4 }, (_, index) => ({ id: `m${index}` }));
    const still = stage(calling({ members }, { concurrency: 1 }), { '*': hold });
    const { run } = await driven(still);
    expect(still.harness.open()).toHaveLength(1);
    await run.stop('to change it');
    await run.close();
    const next = await driven({ ...still, process: calling({ members }, { concurrency: 3 }) });
    expect(still.harness.open()).toHaveLength(3);
    await next.run.close();
  });
});

describe('bounds', () => {
  const rejects = async (body: Parameters<typeof defineProcess>[1], options: object) => {
    const still = stage(defineProcess('bounded', body), { '*': ok() }, options);
    const run = await open(still);
    const error: unknown = await run.drive().catch((thrown: unknown) => thrown);
    await run.close();
    // The author mends it, and the run goes on: nothing is recorded as failed.
    expect((await entriesOf(still.store)).map(({ type }) => type)).not.toContain('run.ended');
    return error;
  };

  test('groupsMax', async () => {
    const error = await rejects(async (ctx) => ctx.parallel.map(['a', 'b', 'c'], (name) => ctx.task(name, {})), {
      groupsMax: 2,
    });
    expect(error).toMatchObject({
      code: 'LIMIT',
      message: expect.stringContaining('expected at most 2 groups in a run (groupsMax), and `c` is one more') as string,
    });
  });

  test('payloadBytesMax, of the input of a group', async () => {
    const error = await rejects(async (ctx) => ctx.task('big', { input: 'x'.repeat(2_000) }), {
      payloadBytesMax: 1_000,
    });
    expect(error).toMatchObject({
      code: 'ENTRY_TOO_LARGE',
      message: expect.stringContaining('input of group `big`: expected at most 1000 bytes') as string,
    });
  });

  test('payloadBytesMax, of the input of a run', async () => {
    const still = stage(calling({}), {}, { payloadBytesMax: 1_000, input: 'x'.repeat(2_000) });
    await expect(open(still)).rejects.toMatchObject({ code: 'ENTRY_TOO_LARGE' });
  });

  test('payloadBytesMax, of a signal: refused, and the group goes on', async () => {
    const still = stage(calling({}), {}, { payloadBytesMax: 1_000 });
    const { run, end } = await driven(still);
    await expect(tell(run, 'end', { text: 'x'.repeat(2_000) })).rejects.toMatchObject({ code: 'ENTRY_TOO_LARGE' });
    await tell(run, 'end');
    expect(await end).toEqual(completed([]));
    await run.close();
  });

  test('membersMax: the group fails, naming the bound', async () => {
    const members = Array.from({ length: 5 }, (_, index) => ({ id: `m${index}` }));
    const still = stage(calling({ members }, { bounds: { membersMax: 3 } }), { '*': hold });
    expect(await finished(still)).toMatchObject({
      status: 'failed',
      error: { code: 'GROUP_FAILED', message: expect.stringContaining('membersMax') as string },
    });
    expect(still.harness.calls).toEqual([]);
  });
});

describe('a journal that fails', () => {
  const io = () => new TroupeError('JOURNAL_IO', 'no space left on device');
  const members = [{ id: 'a' }, { id: 'b' }];

  test.each([
    ['JOURNAL_IO', io],
    ['EPOCH_STALE', () => new TroupeError('EPOCH_STALE', 'another host took the run over')],
  ])(
    'with %s, at whichever append: driving rejects, attempts are ended, and the next host goes on',
    async (code, error) => {
      let failures = 0;
      for (let atAppend = 1; ; atAppend += 1) {
        const still = stage(calling({ members, until: 2 }), {
          a: { step: 'later', ms: 10, outcome: ok(1) },
          b: { step: 'later', ms: 20, outcome: ok(2) },
        });
        const store = failingStore(still.store, { atAppend, error });
        const attempt = finished(still, { store });
        const result = await attempt.then(
          (end) => end,
          (thrown: unknown) => thrown,
        );
        if (!(result instanceof Error)) break;
        failures += 1;
        expect(result).toMatchObject({ code });
        expect(still.harness.open()).toEqual([]);
        still.store.abandon('run');
        expect(await finished(still)).toMatchObject({ status: 'completed' });
        await verifyRun({ store: still.store, run: 'run', process: still.process });
      }
      expect(failures).toBeGreaterThan(6);
    },
  );

  test('because another host took the run over: the first one notices at its next append, and stops', async () => {
    const still = stage(calling({ members, until: 2 }), { '*': hold });
    const first = await driven(still);
    still.store.abandon('run');
    const harness = scripted({ '*': hold }, { clock: still.clock });
    const second = await driven({ ...still, harness });
    await expect(first.run.signal('group', { type: 'end' }, { id: 'late' })).rejects.toMatchObject({
      code: 'EPOCH_STALE',
    });
    await expect(first.end).rejects.toMatchObject({ code: 'EPOCH_STALE' });
    await first.run.close();
    expect(still.harness.open()).toEqual([]);
    // What the second host has under way goes on.
    expect(harness.open().map(({ attempt }) => attempt)).toEqual([2, 2]);
    for (const id of ['a', 'b']) harness.settle(id, ok(id));
    expect(await second.end).toEqual(
      completed([
        ['xstate.done.actor.a', 'a'],
        ['xstate.done.actor.b', 'b'],
      ]),
    );
    await second.run.close();
  });

  test('while a side file is made: the run stops, and the member is not blamed', async () => {
    const still = stage(calling({ members, until: 2 }), { '*': ok() });
    const withoutFiles = (journal: Journal): Journal => ({ ...journal, sideFile: () => Promise.reject(io()) });
    const store: JournalStore = {
      ...still.store,
      open: async (run, options) => withoutFiles(await still.store.open(run, options)),
    };
    await expect(finished(still, { store })).rejects.toMatchObject({ code: 'JOURNAL_IO' });
    expect(await finished(still)).toEqual(
      completed([
        ['xstate.done.actor.a', null],
        ['xstate.done.actor.b', null],
      ]),
    );
  });
});

describe('closing', () => {
  test('twice is closing once, and ends what is under way', async () => {
    const still = stage(calling({ members: [{ id: 'a' }] }), { a: hold });
    const { run, end } = await driven(still);
    await Promise.all([run.close(), run.close()]);
    await run.close();
    expect(await end).toEqual({ status: 'stopped', reason: 'the host was closed' });
    expect(still.harness.open()).toEqual([]);
    await (await still.store.open('run')).lease();
  });
});

test('an observer that throws, or rejects, harms nothing', async () => {
  const bad = () => {
    throw new Error('a watcher with a bug');
  };
  const worse = (async () => Promise.reject(new Error('an async one'))) as () => never;
  for (const watch of [bad, worse]) {
    const still = stage(
      calling({ members: [{ id: 'a' }], until: 1 }),
      { a: hold },
      { observer: { entry: watch, replayed: watch, progress: watch, log: watch, notice: watch } },
    );
    const { run, end } = await driven(still);
    still.harness.report('a', { line: 'working' });
    still.harness.settle('a', ok());
    expect(await end).toMatchObject({ status: 'completed' });
    await run.close();
  }
});
