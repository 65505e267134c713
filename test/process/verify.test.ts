/** Verifying: a journal that was touched, or a snapshot that does not belong to it, is found out. */
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type Entry, type Journal, type JournalStore, type TroupeError } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { snapshotMaker } from '../../src/group/fold.ts';
import { define } from '../../src/group/step.ts';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { calling, driven, finished, stage, tell, watching } from '../support/running.ts';

const members = Array.from({ length: 6 }, (_, index) => ({ id: `m${index}` }));
const process = defineProcess('verified', async (ctx) => {
  await ctx.task('before', {});
  return (await ctx.group('group', fanOut, { members, concurrency: 2, checkpointEvery: 2 }).output).settled;
});
const echo = { '*': ({ member }: { readonly member: string }) => ok(member) };

/** The same store, whose entries are read otherwise than they were written. */
function touched(store: JournalStore, touch: (entry: Entry) => Entry): JournalStore {
  const touching = (journal: Journal): Journal => ({
    ...journal,
    async *read(stream, fromSeq) {
      for await (const entries of journal.read(stream, fromSeq)) yield entries.map(touch);
    },
  });
  return { open: async (run, options) => touching(await store.open(run, options)), list: () => store.list() };
}

describe('verifyRun', () => {
  test('tells what it has proven of each group, and changes nothing', async () => {
    const still = stage(process, echo);
    await finished(still);
    const before = await entriesOf(still.store);
    const check = await verifyRun({ store: still.store, run: 'run', process });
    expect(check).toMatchObject({
      run: 'run',
      entries: before.length,
      groups: [{ name: 'before' }, { name: 'group' }],
    });
    for (const group of check.groups) {
      expect(group.digests).toBeGreaterThan(0);
      expect(group.digest).toMatch(/^[0-9a-f]{16}$/);
      expect(group.snapshotSeq).toBe(group.entries);
    }
    expect(await entriesOf(still.store)).toEqual(before);
  });

  test('needs no lease, and proves a run that is under way as far as it has come', async () => {
    const still = stage(process, { ...echo, m3: { step: 'hold' } });
    const { run } = await driven(still);
    const check = await verifyRun({ store: still.store, run: 'run', process });
    expect(check.groups.map(({ name }) => name)).toEqual(['before', 'group']);
    await run.close();
    await settle();
  });

  test('proves what it has read of a run whose host goes on meanwhile, and leaves a snapshot of more than that', async () => {
    const still = stage(process, { ...echo, m3: { step: 'hold' } });
    const { run, end } = await driven(still);
    const early = await entriesOf(still.store);
    still.harness.settle('m3', ok('m3'));
    await end;
    await run.close();
    const reading = (journal: Journal): Journal => ({
      ...journal,
      async *read() {
        yield early;
      },
    });
    const store: JournalStore = { ...still.store, open: async (id) => reading(await still.store.open(id)) };
    const { entries, groups } = await verifyRun({ store, run: 'run', process });
    expect([entries, groups.map(({ name }) => name)]).toEqual([early.length, ['before', 'group']]);
    expect(groups[1]?.snapshotSeq).toBeUndefined();
  });

  test('finds a result that is not the one that was folded: NONDETERMINISM names the entry', async () => {
    const still = stage(process, echo);
    await finished(still);
    const store = touched(still.store, (entry) =>
      entry.type === 'member.settled' && (entry.data as { readonly member: string }).member === 'm2'
        ? { ...entry, data: { ...(entry.data as object), outcome: { status: 'ok', output: 'forged' } } as never }
        : entry,
    );
    await expect(verifyRun({ store, run: 'run', process })).rejects.toMatchObject({
      code: 'NONDETERMINISM',
      details: { stream: 'group:group' },
    });
  });

  test('finds a snapshot that is not what its tail and the journal come to', async () => {
    const still = stage(process, echo);
    await finished(still);
    const misplaced = (journal: Journal): Journal => ({
      ...journal,
      loadSnapshot: async (stream, maker) => {
        const snapshot = await journal.loadSnapshot(stream, maker);
        if (snapshot === undefined || stream !== 'group:group') return snapshot;
        const other = await journal.loadSnapshot('group:before', maker);
        return { ...snapshot, seq: snapshot.seq - 4, data: other?.data ?? snapshot.data };
      },
    });
    const store: JournalStore = {
      ...still.store,
      open: async (run, options) => misplaced(await still.store.open(run, options)),
    };
    await expect(verifyRun({ store, run: 'run', process })).rejects.toMatchObject({ code: 'NONDETERMINISM' });
  });

  test('goes on where the process was refused what it sent, and had that caught', async () => {
    const catches = defineProcess('catches', async (ctx) => {
      const group = ctx.group('group', fanOut, { members: members.slice(0, 1) });
      const codeOf = (sent: Promise<void>) => sent.then(() => 'taken').catch((error: TroupeError) => error.code);
      const codes = [
        await codeOf(group.send({ type: 'hello' }, { to: 'nobody' })),
        await codeOf(group.approve('nothing')),
        await group.output.then(() => codeOf(group.send({ type: 'hello' }, { to: '*' }))),
        await codeOf(group.send({ type: 'hello' })),
      ];
      await ctx.task('after', {});
      return codes;
    });
    const still = stage(catches, echo);
    const output = ['UNKNOWN_MEMBER', 'UNKNOWN_GATE', 'GROUP_ENDED', 'GROUP_ENDED'];
    expect(await finished(still)).toEqual({ status: 'completed', output });
    const { groups } = await verifyRun({ store: still.store, run: 'run', process: catches });
    expect(groups.map(({ name }) => name)).toEqual(['group', 'after']);
  });

  test('refuses a process that did not write the journal', async () => {
    const still = stage(process, echo);
    await finished(still);
    const without = defineProcess('verified', async (ctx) => ctx.task('before', {}));
    await expect(
      verifyRun({ store: still.store, run: 'run', process: defineProcess('other', () => 1) }),
    ).rejects.toMatchObject({ code: 'PROCESS_INVALID' });
    await expect(verifyRun({ store: still.store, run: 'run', process: without })).rejects.toMatchObject({
      code: 'PROCESS_INVALID',
      message: expect.stringContaining('group:group') as string,
    });
    await expect(verifyRun({ store: still.store, run: 'none', process })).rejects.toMatchObject({
      code: 'RUN_UNKNOWN',
    });
  });
});

test('a snapshot of another history stops no run, and verifying says that it can go', async () => {
  const playing = () => stage(calling({}), { '*': hold });
  const elsewhere = playing();
  const there = await driven(elsewhere);
  for (const id of ['x', 'y']) await tell(there.run, 'spawn', { id });
  await there.run.close();
  const journal = await elsewhere.store.open('run');
  const snapshot = await journal.loadSnapshot('group:group', snapshotMaker(define(caller)));
  await journal.close();
  expect(snapshot?.seq).toBeGreaterThan(3);

  // Its journal was put back from a copy, its snapshots were not; it has gone on since, and was killed.
  const here = playing();
  const first = await driven(here);
  for (const id of ['a', 'b', 'c', 'd']) await tell(first.run, 'spawn', { id });
  here.store.abandon('run');
  const store: JournalStore = {
    ...here.store,
    open: async (run, options) => ({ ...(await here.store.open(run, options)), loadSnapshot: async () => snapshot }),
  };
  await expect(verifyRun({ store, run: 'run', process: here.process })).rejects.toThrow(
    /^NONDETERMINISM: .*the snapshot at entry \d+ and its tail .* The snapshot can be deleted; the journal is enough\.$/,
  );
  const observer = watching();
  const { run, end } = await driven(here, { store, observer });
  expect(observer.notices).toContain('snapshot-ignored');
  await tell(run, 'end');
  expect(await end).toMatchObject({ status: 'completed' });
  await run.close();
  await verifyRun({ store: here.store, run: 'run', process: here.process });
});
