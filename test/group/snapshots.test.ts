/** Snapshots of a group: when they are written, and that a resume from one is the same as from none. */
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type Entry, type Journal, type JournalStore } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf, type MemoryStore } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, finished, stage, watching } from '../support/running.ts';

const completed = (output: unknown) => ({ status: 'completed', output });

describe('snapshots', () => {
  const many = Array.from({ length: 30 }, (_, index) => ({ id: `m${index}` }));
  const process = defineProcess(
    'many',
    async (ctx) =>
      (await ctx.group('group', fanOut, { members: many, concurrency: 3, checkpointEvery: 7 }).output).settled,
  );
  const echo = { '*': ({ member }: { readonly member: string }) => ok(member) };
  const newest = async (store: MemoryStore) => {
    const journal = await store.open('run');
    const entries = await entriesOf(store);
    const created = entries.find(({ type }) => type === 'group.created') as Entry;
    const { version } = (created.data as { readonly machine: { readonly version: string } }).machine;
    const snapshot = await journal.loadSnapshot('group:group', `fold/4 fan-out@${version}`);
    await journal.close();
    return snapshot;
  };

  test('are written every so many entries, and when the host closes', async () => {
    const still = stage(process, { '*': hold }, { snapshotEvery: 10 });
    const { run } = await driven(still);
    expect(await newest(still.store)).toBeUndefined();
    for (let index = 0; index < 10; index += 1) {
      still.harness.settle(`m${index}`, ok());
      await settle();
    }
    const during = await newest(still.store);
    expect(during?.seq).toBeGreaterThanOrEqual(10);
    await run.close();
    const last = (await entriesOf(still.store)).filter(({ stream }) => stream === 'group:group').length;
    expect((await newest(still.store))?.seq).toBe(last);
  });

  test('resume equals full replay: only the tail is folded again, and verify proves it', async () => {
    const still = stage(process, echo, { snapshotEvery: 5 });
    const { run } = await driven(stage(process, { '*': hold }), { store: still.store, snapshotEvery: 5 });
    await run.close();
    const watch = watching();
    expect(await finished(still, { observer: watch })).toEqual(completed(30));
    expect(watch.replays.filter((line) => line.startsWith('group:group'))).toEqual([]);
    const check = await verifyRun({ store: still.store, run: 'run', process });
    expect(check.groups[0]?.snapshotSeq).toBeGreaterThan(0);
  });

  test.each([
    ['foreign', (snapshot: object) => ({ ...snapshot, maker: 'somebody else' })],
    ['damaged', (snapshot: object) => ({ ...snapshot, data: { system: { what: 'is this' }, ledger: null } })],
    ['empty', (snapshot: object) => ({ ...snapshot, data: null })],
  ])('a %s one is ignored with a notice, and everything is folded again', async (_what, spoil) => {
    const first = stage(process, { '*': hold });
    const { run } = await driven(first);
    await run.close();
    const good = await newest(first.store);
    const spoiled = spoil(good ?? {}) as NonNullable<typeof good>;
    const journal = await first.store.open('run');
    await journal.lease();
    await journal.saveSnapshot(spoiled);
    await journal.close();

    const watch = watching();
    const still = { ...stage(process, echo, { observer: watch }), store: first.store };
    expect(await finished(still)).toEqual(completed(30));
    expect(watch.notices).toContain('snapshot-ignored');
    expect(watch.replays.filter((line) => line.startsWith('group:group')).length).toBeGreaterThan(3);
  });

  test('that cannot be written do no harm', async () => {
    const still = stage(process, echo, { snapshotEvery: 5, observer: watching() });
    const without = (journal: Journal): Journal => ({
      ...journal,
      saveSnapshot: () => Promise.reject(new Error('no')),
    });
    const store: JournalStore = {
      ...still.store,
      open: async (run, options) => without(await still.store.open(run, options)),
    };
    expect(await finished(still, { store })).toEqual(completed(30));
  });
});
