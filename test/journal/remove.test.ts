/** Runs removed: whole or gone, whatever happens. */
import { describe, expect, test } from 'vitest';
import type { Entry, FileStore } from '../../src/journal/index.ts';
import type { MemoryFileSystem } from '../../src/journal/memory-fs.ts';
import { at, below, place, readRun, record, troubles, under, untilUnreached } from './whole-run.ts';

/** The same disk, on which there is room for names only. */
function full(fs: MemoryFileSystem, code: string): MemoryFileSystem {
  const write = () => Promise.reject(Object.assign(new Error(code), { code }));
  return { ...fs, open: async (path, mode) => ({ ...(await fs.open(path, mode)), write }) };
}

describe('removing', () => {
  test.each(troubles)(
    '%s, at any call: the run is whole or gone, and what is left of it is cleared away',
    async (_, trouble, keepNames) => {
      const calls = await untilUnreached(async (call) => {
        const { fs, store, entries, isDone, isReached } = await under(trouble, call, keepNames, (one) =>
          one.remove('r'),
        );
        const runs = await store.list();
        if (isDone) expect(runs).toEqual([]);
        if (runs.includes('r')) {
          expect(await readRun(store, 'r')).toEqual(entries);
          await store.remove('r');
        } else {
          await expect(store.remove('r')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
        }
        expect(below(fs, '/data/runs/')).toEqual([]);
        await record(store);
        return isReached;
      });
      expect(calls).toBeGreaterThan(20);
    },
  );

  test('a reader that has a run open when it is removed reads it to its end, or is told', async () => {
    const { store, entries } = await place();
    const journal = await store.open('r');
    await store.remove('r');
    await expect(store.open('r')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    const found: Entry[] = [];
    for await (const batch of journal.read()) found.push(...batch);
    expect([[], entries]).toContainEqual(found);
    await expect(journal.lease()).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  });

  test('who comes too late for the lease leaves nothing in the way of the next run of that name', async () => {
    const { fs, store, entries } = await place();
    await store.fork('r', { at: entries.length, as: 'f' });
    const journal = await store.open('r');
    await store.remove('r');
    await expect(journal.lease()).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    await journal.close();
    expect(below(fs, '/data/runs/r/')).toEqual([]);
    await store.fork('f', { at: entries.length, as: 'r' });
    expect(await readRun(store, 'r')).toEqual(entries);
  });

  test('who opens, removes or forks a run at the moment when it is removed is told that there is none', async () => {
    const attempts: readonly ((store: FileStore) => Promise<unknown>)[] = [
      (store) => store.open('r'),
      (store) => store.remove('r'),
      (store) => store.fork('r', { at: 1, as: 'f' }),
    ];
    for (const attempt of attempts) {
      const { fs, host, store } = await place();
      let isThere = true;
      const late: typeof fs = {
        ...fs,
        async readdir(path) {
          const names = await fs.readdir(path);
          if (isThere && path === '/data/runs/r') {
            isThere = false;
            await store.remove('r');
          }
          return names;
        },
      };
      await expect(attempt(host().storeOn(late))).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
      expect(below(fs, '/data/runs/')).toEqual([]);
    }
  });

  test('a damaged run is removed, one whose holder cannot be seen is not before its time', async () => {
    const { fs, host, store } = await place();
    fs.poke('/data/runs/r/journal.jsonl', Buffer.from('nonsense'));
    await store.remove('r');
    await record(store);
    const far = host();
    await (await far.storeOn(fs).open('r')).lease();
    far.hide();
    await expect(store.remove('r')).rejects.toMatchObject({ code: 'RUN_BUSY', details: { host: 'here' } });
    fs.advance(1001);
    await store.remove('r');
    expect(await store.list()).toEqual([]);
  });

  test.each(['ENOSPC', 'EDQUOT'])('a run is removed where nothing more can be written (%s)', async (code) => {
    const { fs, host } = await place();
    await host().storeOn(full(fs, code)).remove('r');
    expect(below(fs, '/data/runs/')).toEqual([]);
  });

  test('where nothing more can be written, a run stays with its holder, and is taken from who died removing it', async () => {
    const { fs, host, store } = await place();
    const journal = await store.open('r');
    const lease = await journal.lease();
    await expect(host().storeOn(full(fs, 'ENOSPC')).remove('r')).rejects.toMatchObject({ code: 'RUN_BUSY' });
    await lease.release();
    const stuck: typeof fs = { ...full(fs, 'ENOSPC'), rename: () => new Promise<void>(() => {}) };
    void host().storeOn(stuck).remove('r');
    await expect.poll(() => below(fs, '/data/runs/r/lease/').some((path) => /\d\.json$/.test(path))).toBe(true);
    await expect(journal.lease()).rejects.toMatchObject({ code: 'RUN_BUSY', details: { host: 'unknown' } });
    fs.advance(1001);
    await expect(journal.lease()).resolves.toMatchObject({ takenFrom: { host: 'unknown' } });
    await journal.close();
  });

  test('a run that is made anew while the old one is still being deleted stays with its holder', async () => {
    const { fs, host, store } = await place();
    await store.fork('r', { at: 3, as: 'f' });
    let isDeleting = () => {};
    let goOn = () => {};
    const deleting = new Promise<void>((resolve) => (isDeleting = resolve));
    const pause = new Promise<void>((resolve) => (goOn = resolve));
    const slow: typeof fs = {
      ...fs,
      async rmdir(path) {
        isDeleting();
        await pause;
        await fs.rmdir(path);
      },
    };
    const removing = host().storeOn(slow).remove('f');
    await deleting;
    const restored = host().storeOn(fs);
    await restored.fork('r', { at: 3, as: 'f' });
    const journal = await restored.open('f');
    const { epoch } = await journal.lease();
    goOn();
    await removing;
    await journal.append('group:g', 3, epoch, [{ type: 'note', at, data: null }]);
    await journal.close();
    expect(await readRun(store, 'f')).toHaveLength(4);
  });
});
