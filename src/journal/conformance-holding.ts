/** The conformance suite: one holder, readers, snapshots. */
import { again, begin, codeOf, detailsOf, event, readAll, run, type ConformanceKit } from './conformance-kit.ts';

/** A run has one holder, and epochs grow. */
export function holding({ expect, promise }: ConformanceKit): void {
  promise('a run has one holder; a second is RUN_BUSY, told who holds it', async (place) => {
    const { journal } = await begin(place);
    const other = await again(place);
    const details = (await detailsOf(other.lease())) as {
      readonly host?: unknown;
      readonly pid?: unknown;
      readonly since?: unknown;
    };
    expect([typeof details.host, typeof details.pid, typeof details.since]).toEqual(['string', 'number', 'number']);
    expect(await codeOf(journal.lease())).toEqual('RUN_BUSY');
    await journal.close();
    expect(await codeOf(other.lease())).toEqual('no error');
  });
  promise('of many that ask at once one gets it', async (place) => {
    await (await place.store.open(run, { create: true })).close();
    const journals = await Promise.all(Array.from({ length: 8 }, () => again(place)));
    const codes = await Promise.all(journals.map((journal) => codeOf(journal.lease())));
    expect(codes.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'RUN_BUSY'), 'no error']);
  });
  promise('the epoch grows with each holder, and appends under another one are refused', async (place) => {
    const { journal, epoch } = await begin(place);
    expect(epoch).toEqual(1);
    expect(await codeOf(journal.append('run', 0, epoch + 1, [event('a')]))).toEqual('EPOCH_STALE');
    await journal.append('run', 0, epoch, [event('b')]);
    await journal.close();
    const other = await again(place);
    expect(await codeOf(other.append('run', 1, epoch, [event('c')]))).toEqual('EPOCH_STALE');
    const lease = await other.lease();
    expect([lease.epoch, lease.takenFrom]).toEqual([2, undefined]);
    expect(await codeOf(other.append('run', 1, epoch, [event('c')]))).toEqual('EPOCH_STALE');
    await other.append('run', 1, lease.epoch, [event('d')]);
    expect((await readAll(other)).map((entry) => [entry.type, entry.epoch])).toEqual([
      ['b', 1],
      ['d', 2],
    ]);
  });
  promise('a released lease can be taken again from the same journal', async (place) => {
    const { journal, epoch } = await begin(place);
    const under = journal.append('run', 0, epoch, [event('a')]);
    await (await journal.append('run', 1, epoch, [event('b')]).then(() => journal)).close();
    await under;
    const other = await again(place);
    const lease = await other.lease();
    await lease.release();
    await lease.release();
    expect(await codeOf(other.append('run', 2, lease.epoch, [event('c')]))).toEqual('EPOCH_STALE');
    const next = await other.lease();
    expect(next.epoch).toEqual(lease.epoch + 1);
    await other.append('run', 2, next.epoch, [event('d')]);
    expect((await readAll(other)).map((entry) => entry.type)).toEqual(['a', 'b', 'd']);
  });
  promise(
    'a dead holder is taken over; what it acknowledged is there, what it appends afterwards is not',
    async (place) => {
      if (place.abandon === undefined) return;
      const { journal, epoch } = await begin(place);
      await journal.append('run', 0, epoch, [event('a')]);
      place.abandon(run);
      const other = await again(place);
      const lease = await other.lease();
      expect([lease.epoch, typeof lease.takenFrom?.pid]).toEqual([2, 'number']);
      expect(await codeOf(journal.append('run', 1, epoch, [event('stale')]))).toEqual('EPOCH_STALE');
      expect(await codeOf(journal.append('run', 1, epoch, [event('stale')]))).toEqual('EPOCH_STALE');
      await other.append('run', 1, lease.epoch, [event('b')]);
      expect(await codeOf(journal.append('run', 2, epoch, [event('stale')]))).toEqual('EPOCH_STALE');
      await other.close();
      await journal.close();
      const third = await again(place);
      expect((await readAll(third)).map((entry) => [entry.seq, entry.type, entry.epoch])).toEqual([
        [1, 'a', 1],
        [2, 'b', 2],
      ]);
      expect((await third.lease()).epoch).toEqual(3);
    },
  );
}

/** Readers need no lease. */
export function reading({ expect, promise }: ConformanceKit): void {
  promise('a reader needs no lease and ends at the end as of now', async (place) => {
    const { journal, epoch } = await begin(place);
    await journal.append('run', 0, epoch, [event('a')]);
    expect((await readAll(await again(place))).map((entry) => entry.type)).toEqual(['a']);
    let seq = 1;
    for await (const batch of journal.read())
      for (const _ of batch) await journal.append('run', seq++, epoch, [event('b')]);
    expect(seq).toEqual(2);
  });
  promise('another process reads what was acknowledged, after a clean end and after none', async (place) => {
    const { journal, epoch } = await begin(place);
    for (let seq = 0; seq < 20; seq++) await journal.append('run', seq, epoch, [event('n', seq)]);
    const before = await readAll(journal);
    expect(await readAll(await again(place))).toEqual(before);
    await journal.close();
    expect(await readAll(await again(place))).toEqual(before);
  });
}

/** Snapshots are verified caches. */
export function snapshots({ expect, promise }: ConformanceKit): void {
  promise('the newest snapshot by the same maker comes back', async (place) => {
    const { journal, epoch } = await begin(place);
    for (let seq = 0; seq < 5; seq++) await journal.append('group:a/ü', seq, epoch, [event('n', seq)]);
    expect(await journal.loadSnapshot('group:a/ü', 'm1')).toEqual(undefined);
    for (const seq of [2, 3, 4])
      expect(await journal.saveSnapshot({ stream: 'group:a/ü', seq, maker: 'm1', data: { seq } })).toEqual(true);
    expect(await journal.loadSnapshot('group:a/ü', 'm1')).toEqual({
      stream: 'group:a/ü',
      seq: 4,
      maker: 'm1',
      data: { seq: 4 },
    });
    expect(await journal.loadSnapshot('group:a', 'm1')).toEqual(undefined);
    expect(journal.notices()).toEqual([]);
    await journal.close();
    expect((await (await again(place)).loadSnapshot('group:a/ü', 'm1'))?.seq).toEqual(4);
  });
  promise('a foreign snapshot and one beyond the log are ignored with a notice', async (place) => {
    const { journal, epoch } = await begin(place);
    await journal.append('run', 0, epoch, [event('a')]);
    await journal.saveSnapshot({ stream: 'run', seq: 1, maker: 'm1', data: 1 });
    expect(await journal.loadSnapshot('run', 'm2')).toEqual(undefined);
    await journal.saveSnapshot({ stream: 'run', seq: 9, maker: 'm1', data: 9 });
    expect((await journal.loadSnapshot('run', 'm1'))?.seq).toEqual(1);
    expect(journal.notices().map((notice) => notice.kind)).toEqual(['snapshot-ignored', 'snapshot-ignored']);
  });
  promise('who holds no lease saves no snapshot', async (place) => {
    const { journal, epoch } = await begin(place);
    await journal.append('run', 0, epoch, [event('a')]);
    expect(await (await again(place)).saveSnapshot({ stream: 'run', seq: 1, maker: 'm1', data: 1 })).toEqual(false);
    expect(await journal.loadSnapshot('run', 'm1')).toEqual(undefined);
  });
}
