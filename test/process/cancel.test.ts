/** Ending a run from outside: by its host, by letter, and without a host. */
import { describe, expect, test } from 'vitest';
import { cancelRun, defineProcess, readRun, verifyRun, type Journal, type Request, type Requests } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { entriesOf } from '../support/dying-store.ts';
import { gate } from '../support/gate.ts';
import { passing, settle } from '../support/hand-clock.ts';
import { driven, finished, killed, open, stage, type Stage } from '../support/running.ts';

const process = defineProcess('two', async (ctx) =>
  ctx.parallel.all([ctx.task('a', {}), ctx.task('b', {}), ctx.group('gate', gate, { count: 1 }).output]),
);
const cancelled = (reason: string) => ({ status: 'cancelled', reason });

async function endsIn(still: Stage): Promise<string[]> {
  const entries = await entriesOf(still.store);
  return entries
    .filter(({ type }) => type.endsWith('.ended'))
    .map(({ stream, data }) => `${stream} ${(data as { readonly status: string }).status}`);
}
const allCancelled = ['group:a cancelled', 'group:b cancelled', 'group:gate cancelled', 'run cancelled'];

describe('a driven run', () => {
  test('is cancelled with its groups and members, once, whoever else asks', async () => {
    const still = stage(process, { '*': hold });
    const { run, end } = await driven(still);
    await Promise.all([run.cancel('enough'), run.cancel('really')]);
    expect(await end).toEqual(cancelled('enough'));
    await run.close();
    expect(still.harness.open()).toEqual([]);
    expect((await endsIn(still)).toSorted()).toEqual(allCancelled);
    const entries = await entriesOf(still.store);
    expect(entries.filter(({ type }) => type === 'run.cancelled')).toHaveLength(1);
    expect(entries.filter(({ type }) => type === 'attempt.cancelled')).toHaveLength(2);
    expect(entries.at(-1)).toMatchObject({ stream: 'run', type: 'run.ended' });
    expect(await finished(still)).toEqual(cancelled('enough'));
    await verifyRun({ store: still.store, run: 'run', process });
  });

  test('is cancelled, not failed, although its process answers the cancellation by throwing, or with another group', async () => {
    const stubborn = defineProcess('stubborn', async (ctx) => {
      await ctx.task('first', {}).catch(() => ctx.task('second', {}));
      throw new Error('never heard');
    });
    const still = stage(stubborn, { '*': hold });
    const { run, end } = await driven(still);
    await run.cancel('enough');
    expect(await end).toEqual(cancelled('enough'));
    await run.close();
    expect(await endsIn(still)).toEqual(['group:first cancelled', 'run cancelled']);
  });

  test('stops being driven, with the error, when something left behind cannot be swept; it is cancelled by the next host', async () => {
    const still = stage(process, { '*': hold });
    await driven(still);
    still.store.abandon('run');
    // What the process has not opened again is cancelled by its ledger.
    const elsewhere = { ...still, process: defineProcess('two', () => new Promise(() => {})) };
    const sweep = () => Promise.reject(new Error('no rights'));
    const { run, end } = await driven(elsewhere, { harnesses: { scripted: { ...still.harness, sweep } } });
    await expect(run.cancel('enough')).rejects.toThrow('no rights');
    await expect(end).rejects.toThrow('no rights');
    await run.close();
    expect(await finished(still)).toEqual(cancelled('enough'));
  });

  test('ends once, also when its process is done with the cancellation before the host is', async () => {
    const still = stage(process, { '*': hold });
    const { open: openJournal, list } = still.store;
    const slow = (journal: Journal): Journal => ({
      ...journal,
      async *read(stream, fromSeq) {
        await settle();
        yield* journal.read(stream, fromSeq);
      },
    });
    const { run, end } = await driven(still, {
      store: { open: async (...given) => slow(await openJournal(...given)), list },
    });
    await settle();
    await run.cancel('enough');
    expect(await end).toEqual(cancelled('enough'));
    await run.close();
    expect((await endsIn(still)).toSorted()).toEqual(allCancelled);
  });

  test('that is ending has ended: cancelling it changes nothing', async () => {
    const still = stage(defineProcess('quick', () => 1));
    const run = await open(still);
    expect(await run.drive()).toEqual({ status: 'completed', output: 1 });
    await run.cancel('too late');
    await run.close();
    expect(await endsIn(still)).toEqual(['run completed']);
  });

  test('killed while it was being cancelled is cancelled by the next host', async () => {
    for (let atAppend = 1; atAppend < 40; atAppend += 1) {
      const still = stage(process, { '*': hold });
      const first = await driven(still);
      await first.run.close();
      // A host that takes the run up, is told to cancel, and dies at one of its appends.
      let asked = false;
      const requests: Requests = {
        list: async () => (asked ? [] : [{ id: 'letter', type: 'cancel', reason: 'enough' }]),
        remove: async () => {
          asked = true;
        },
      };
      const end = await killed(still, { atAppend, isWritten: true }, { requests });
      const wasRecorded = (await entriesOf(still.store)).some(({ type }) => type === 'run.cancelled');
      if (!wasRecorded) continue;
      expect(await finished(still)).toEqual(cancelled('enough'));
      expect((await endsIn(still)).toSorted()).toEqual(allCancelled);
      if (end !== undefined) return;
    }
    throw new Error('was never cancelled');
  });
});

describe('a run that no host drives', () => {
  test('is cancelled: what its hosts left is swept, and every group ends', async () => {
    const still = stage(process, { '*': hold });
    await driven(still);
    still.store.abandon('run');
    const swept: string[] = [];
    const harnesses = { scripted: { perform: async () => ok(), sweep: async (key: string) => void swept.push(key) } };
    const { store, clock } = still;
    expect(await cancelRun({ store, run: 'run', reason: 'enough', harnesses, clock })).toEqual(cancelled('enough'));
    expect(swept.toSorted()).toEqual(['run/a/task#1/1', 'run/b/task#1/1']);
    expect((await endsIn(still)).toSorted()).toEqual(allCancelled);
    await verifyRun({ store, run: 'run', process });
    expect(await finished(still)).toEqual(cancelled('enough'));
    expect(await cancelRun({ store, run: 'run', reason: 'again', harnesses, clock })).toEqual(cancelled('enough'));
  });

  test('is refused while a host holds it, and when there is none of that name', async () => {
    const still = stage(process, { '*': hold });
    const { run } = await driven(still);
    const options = { store: still.store, reason: 'enough', harnesses: {} };
    await expect(cancelRun({ ...options, run: 'run' })).rejects.toMatchObject({ code: 'RUN_BUSY' });
    await expect(cancelRun({ ...options, run: 'other' })).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    await run.close();
  });
});

describe('letters', () => {
  const box = (...letters: Request[]): Requests & { readonly letters: Request[] } => ({
    letters,
    list: async () => [...letters],
    remove: async (id) => {
      const index = letters.findIndex((letter) => letter.id === id);
      if (index !== -1) letters.splice(index, 1);
    },
  });

  test('become entries once, and go; one to a group that is not open yet waits for it; one that is refused goes', async () => {
    const slow = defineProcess('slow', async (ctx) => {
      await ctx.sleepUntil(ctx.now() + 1_000);
      return ctx.group('gate', gate, { count: 2 }).output;
    });
    const still = stage(slow);
    const requests = box(
      { id: '1', type: 'signal', group: 'gate', event: { type: 'value', value: 1 } },
      { id: '2', type: 'signal', group: 'gate', event: { type: 'xstate.stop' } },
      { id: '3', type: 'signal', group: 'gate', event: { type: 'value', value: 3 } },
    );
    const { run, end } = await driven(still, { requests });
    expect(requests.letters).toHaveLength(3);
    expect(await passing(still.clock, end)).toEqual({ status: 'completed', output: [1, 3] });
    await run.close();
    expect(requests.letters).toEqual([]);
    const signals = (await entriesOf(still.store))
      .filter(({ type }) => type === 'signal')
      .map(({ data }) => (data as { readonly id: string }).id);
    expect(signals).toEqual(['1', '3']);
  });

  test('an answer that comes a moment before its gate is looked for again; one to a gate that never comes is refused', async () => {
    const asking = defineProcess('asking', async (ctx) => {
      // Two looks at the letters are 200 ms apart: the gate opens between them.
      await ctx.sleepUntil(ctx.now() + 100);
      return (await ctx.breakpoint('go', { question: 'Go on?' })).note;
    });
    const still = stage(asking);
    const requests = box(
      { id: '1', type: 'answer', gate: 'go', approved: true, note: 'early' },
      { id: '2', type: 'answer', gate: 'never', approved: true, note: '' },
    );
    const { run, end } = await driven(still, { requests });
    expect(await passing(still.clock, end)).toEqual({ status: 'completed', output: 'early' });
    await run.close();
    expect(requests.letters).toEqual([]);
    const refused = (await entriesOf(still.store)).filter(({ type }) => type === 'request.refused');
    expect(refused.map(({ data }) => (data as { readonly request: string }).request)).toEqual(['2']);
  });

  test('are found again by the next host when theirs died before it had removed them: still one entry', async () => {
    const still = stage(defineProcess('gated', async (ctx) => ctx.group('gate', gate, { count: 2 }).output));
    const letter: Request = { id: 'letter', type: 'signal', group: 'gate', event: { type: 'value', value: 1 } };
    const stuck: Requests = { list: async () => [letter], remove: () => new Promise<void>(() => {}) };
    const first = await driven(still, { requests: stuck });
    still.store.abandon('run');
    const requests = box(letter);
    const { run, end } = await driven(still, { requests });
    still.clock.advance(200);
    await settle();
    expect(requests.letters).toEqual([]);
    await run.signal('gate', { type: 'value', value: 2 } as { type: string }, { id: 'second' });
    expect(await end).toEqual({ status: 'completed', output: [1, 2] });
    await run.close();
    void first;
  });
});

describe('signals from outside', () => {
  test('with one id are one signal, also when they come together; to no group they are refused, naming those that are open', async () => {
    const still = stage(defineProcess('gated', async (ctx) => ctx.group('gate', gate, { count: 2 }).output));
    const { run, end } = await driven(still);
    const value = (one: number) => ({ type: 'value', value: one }) as { type: string };
    await Promise.all([run.signal('gate', value(1), { id: 'same' }), run.signal('gate', value(1), { id: 'same' })]);
    await run.signal('gate', value(1), { id: 'same' });
    await expect(run.signal('gat', value(1), { id: 'x' })).rejects.toMatchObject({
      code: 'UNKNOWN_GROUP',
      message: expect.stringContaining('open groups: gate') as string,
    });
    await expect(run.signal('gate', { type: 'troupe.settled' }, { id: 'y' })).rejects.toMatchObject({
      code: 'RESERVED_EVENT',
    });
    await run.signal('gate', value(2), { id: 'other' });
    expect(await end).toEqual({ status: 'completed', output: [1, 2] });
    await expect(run.signal('gate', value(3), { id: 'z' })).rejects.toMatchObject({ code: 'GROUP_ENDED' });
    await run.close();
  });
});

test('readRun tells a run from its journal alone', async () => {
  const still = stage(process, { '*': hold });
  const { run } = await driven(still);
  still.harness.settle('a/task', ok(1));
  await settle();
  const view = await readRun(await still.store.open('run'));
  expect(view).toMatchObject({ id: 'run', status: 'active', created: { process: 'two' }, epoch: 1, end: undefined });
  const groups = [...view.groups.values()].map(({ name, status, machine, members }) => [
    name,
    status,
    machine.id,
    ...[...members.values()].map((one) => `${one.id} ${one.status} ${one.harness} ${one.attempt}`),
  ]);
  expect(groups).toEqual([
    ['a', 'completed', 'task', 'task completed scripted 1'],
    ['b', 'active', 'task', 'task running scripted 1'],
    ['gate', 'active', 'gate'],
  ]);
  await run.cancel('enough');
  await run.close();
  expect(await readRun(await still.store.open('run'))).toMatchObject({
    status: 'cancelled',
    cancelReason: 'enough',
    end: cancelled('enough'),
  });
});
