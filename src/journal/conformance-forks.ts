/** The conformance suite: runs as wholes, where the store forks and removes them. */
import {
  again,
  begin,
  codeOf,
  detailsOf,
  event,
  readAll,
  run,
  type ConformanceKit,
  type ConformancePlace,
} from './conformance-kit.ts';
import type { Entry } from './port.ts';

/** Forks: skipped by stores that make none. */
export function forks({ expect, promise }: ConformanceKit): void {
  /** Entries 1, 2–4 (one append), 5. */
  const record = async (place: ConformancePlace): Promise<readonly Entry[]> => {
    const { journal, epoch } = await begin(place);
    await journal.append('run', 0, epoch, [event('a', { n: 1 })]);
    await journal.append('group:g', 0, epoch, [event('b'), { ...event('c', 'é'), fold: '1:ab' }, event('d')]);
    await journal.append('run', 1, epoch, [event('e')]);
    const entries = await readAll(journal);
    await journal.close();
    return entries;
  };

  promise(
    'a fork has the first entries of its origin, which stays as it is; each goes its own way from there',
    async (place) => {
      const { store } = place;
      if (store.fork === undefined) return;
      const entries = await record(place);
      expect(await store.fork(run, { at: 4, as: 'f' })).toEqual({ as: 'f', from: run, at: 4, entries: 4 });
      const fork = await store.open('f');
      expect([fork.run, fork.origin]).toEqual(['f', { from: run, at: 4 }]);
      expect(await readAll(fork)).toEqual(entries.slice(0, 4));
      const { epoch, takenFrom } = await fork.lease();
      expect([epoch, takenFrom]).toEqual([2, undefined]);
      await fork.append('run', 1, epoch, [event('other')]);
      await fork.append('group:g', 3, epoch, [event('more')]);
      await fork.close();
      const origin = await again(place);
      expect([await readAll(origin), origin.origin]).toEqual([entries, undefined]);
      expect((await readAll(await store.open('f'))).map(({ type, epoch: by }) => [type, by])).toEqual([
        ['a', 1],
        ['b', 1],
        ['c', 1],
        ['d', 1],
        ['other', 2],
        ['more', 2],
      ]);
      expect((await store.list()).toSorted()).toEqual(['f', run]);
    },
  );
  promise('an append that the cut would part is left out whole', async (place) => {
    const { store } = place;
    if (store.fork === undefined) return;
    const entries = await record(place);
    for (const [at, kept] of [
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 4],
      [5, 5],
    ] as const) {
      expect(await store.fork(run, { at, as: `f${at}` })).toEqual({ as: `f${at}`, from: run, at, entries: kept });
      expect(await readAll(await store.open(`f${at}`))).toEqual(entries.slice(0, kept));
    }
    const inside = await store.open('first-is-three', { create: true });
    const { epoch } = await inside.lease();
    await inside.append('run', 0, epoch, [event('a'), event('b'), event('c')]);
    expect(await codeOf(store.fork('first-is-three', { at: 2, as: 'f' }))).toEqual('BAD_INPUT');
    expect((await detailsOf(store.fork('first-is-three', { at: 2, as: 'f' }))) as object).toEqual({
      run: 'first-is-three',
      at: 2,
      min: 3,
    });
  });
  promise(
    'a fork at no entry is BAD_INPUT and told the range; of no run RUN_UNKNOWN; in place of a run RUN_EXISTS',
    async (place) => {
      const { store } = place;
      if (store.fork === undefined) return;
      await record(place);
      for (const at of [0, -1, 6, 1e9])
        expect([at, await detailsOf(store.fork(run, { at, as: 'f' }))]).toEqual([at, { run, at, max: 5 }]);
      for (const at of [1.5, Number.NaN, Number.POSITIVE_INFINITY])
        expect([at, await codeOf(store.fork(run, { at, as: 'f' }))]).toEqual([at, 'BAD_INPUT']);
      expect(await codeOf(store.fork('nope', { at: 1, as: 'f' }))).toEqual('RUN_UNKNOWN');
      expect(await codeOf(store.fork(run, { at: 1, as: '../f' }))).toEqual('BAD_INPUT');
      expect(await codeOf(store.fork('../r', { at: 1, as: 'f' }))).toEqual('BAD_INPUT');
      expect(await codeOf(store.fork(run, { at: 1, as: run }))).toEqual('RUN_EXISTS');
      await (await store.open('empty', { create: true })).close();
      expect(await codeOf(store.fork('empty', { at: 1, as: 'f' }))).toEqual('BAD_INPUT');
      expect(await codeOf(store.fork(run, { at: 1, as: 'empty' }))).toEqual('RUN_EXISTS');
      expect((await store.list()).toSorted()).toEqual(['empty', run]);
    },
  );
  promise('a run is forked beside the living host that writes it, which notices nothing', async (place) => {
    const { store } = place;
    if (store.fork === undefined) return;
    const { journal, epoch } = await begin(place);
    for (let seq = 0; seq < 200; seq += 1) {
      const under = journal.append('run', seq, epoch, [event('n', seq)]);
      if (seq % 20 === 10) {
        await store.fork(run, { at: seq, as: `f${seq}` });
        expect((await readAll(await store.open(`f${seq}`))).map(({ data }) => data)).toEqual(
          Array.from({ length: seq }, (_, index) => index),
        );
      }
      await under;
    }
    expect((await readAll(journal)).length).toEqual(200);
  });
  promise('a fork is forked, and several at once do not disturb each other', async (place) => {
    const { store } = place;
    if (store.fork === undefined) return;
    const entries = await record(place);
    const fork = store.fork;
    await fork(run, { at: 4, as: 'f' });
    const codes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => codeOf(fork('f', { at: 1, as: `g${index % 4}` }))),
    );
    expect(codes.toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => 'RUN_EXISTS'),
      ...Array.from({ length: 4 }, () => 'no error'),
    ]);
    expect(await readAll(await store.open('g3'))).toEqual(entries.slice(0, 1));
    expect((await store.open('g3')).origin).toEqual({ from: 'f', at: 1 });
  });
  promise('snapshots at or before the cut come along, later ones do not', async (place) => {
    const { store } = place;
    if (store.fork === undefined) return;
    const { journal, epoch } = await begin(place);
    for (let seq = 0; seq < 6; seq += 1) await journal.append('group:a/ü', seq, epoch, [event('n', seq)]);
    for (const seq of [2, 5]) await journal.saveSnapshot({ stream: 'group:a/ü', seq, maker: 'm', data: { seq } });
    for (const [at, seq] of [
      [1, undefined],
      [2, 2],
      [4, 2],
      [5, 5],
    ] as const) {
      await store.fork(run, { at, as: `f${at}` });
      const fork = await store.open(`f${at}`);
      expect([at, (await fork.loadSnapshot('group:a/ü', 'm'))?.seq]).toEqual([at, seq]);
      expect(fork.notices()).toEqual([]);
    }
  });
}

/** Removing: skipped by stores that do not. */
export function removing({ expect, promise }: ConformanceKit): void {
  promise('a run that is held is not removed: RUN_BUSY, told who holds it', async (place) => {
    const { store } = place;
    if (store.remove === undefined) return;
    const { journal } = await begin(place);
    const details = (await detailsOf(store.remove(run))) as { readonly host?: unknown; readonly pid?: unknown };
    expect([typeof details.host, typeof details.pid]).toEqual(['string', 'number']);
    expect(await codeOf(store.remove(run))).toEqual('RUN_BUSY');
    await journal.close();
    await store.remove(run);
    expect([await store.list(), await codeOf(store.open(run)), await codeOf(store.remove(run))]).toEqual([
      [],
      'RUN_UNKNOWN',
      'RUN_UNKNOWN',
    ]);
    expect(await codeOf(store.remove('../r'))).toEqual('BAD_INPUT');
    await (await store.open(run, { create: true })).close();
    expect(await readAll(await store.open(run))).toEqual([]);
  });
  promise('a fork outlives its origin', async (place) => {
    const { store } = place;
    if (store.remove === undefined || store.fork === undefined) return;
    const { journal, epoch } = await begin(place);
    await journal.append('run', 0, epoch, [event('a')]);
    await journal.close();
    await store.fork(run, { at: 1, as: 'f' });
    await store.remove(run);
    expect((await readAll(await store.open('f'))).map(({ type }) => type)).toEqual(['a']);
  });
}
