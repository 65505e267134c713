/** Runs put away in one file, and back. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fileStore, type FileStore } from '../../src/journal/index.ts';
import { paddingOf, tarEnd, tarHeader } from '../../src/journal/tar.ts';
import {
  at,
  below,
  contentOf,
  longName,
  place,
  readRun,
  record,
  troubles,
  under,
  untilUnreached,
} from './whole-run.ts';

describe('archives', () => {
  test('what is archived is restored as it was, leases grown, in another place too', async () => {
    const { fs, host, store, entries } = await place();
    const before = contentOf(fs, '/data/runs/r/');
    const archive = await store.archive('r', '/data/r.tar.gz');
    expect(archive).toMatchObject({
      run: 'r',
      file: '/data/r.tar.gz',
      files: Object.keys(before).length + 1,
      bytes: fs.peek('/data/r.tar.gz')?.length,
    });
    expect(await readRun(store, 'r')).toEqual(entries);
    await expect(store.archive('r', '/data/r.tar.gz')).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(store.restore('/data/r.tar.gz')).rejects.toMatchObject({ code: 'RUN_EXISTS' });
    const other = host('/other').storeOn(fs);
    expect(await other.restore('/data/r.tar.gz')).toBe('r');
    expect(contentOf(fs, '/other/runs/r/')).toEqual(before);
    fs.powerCut();
    expect(await readRun(other, 'r')).toEqual(entries);
    const journal = await other.open('r');
    const { epoch } = await journal.lease();
    expect([epoch, journal.notices()]).toEqual([3, []]);
    await journal.append('group:g', 8, epoch, [{ type: 'more', at, data: null }]);
    await journal.close();
  });

  test('a held run is not archived, nor one that is not there', async () => {
    const { fs, host, store } = await place();
    const journal = await host().storeOn(fs).open('r');
    await journal.lease();
    await expect(store.archive('r', '/data/r.tar.gz', { remove: true })).rejects.toMatchObject({ code: 'RUN_BUSY' });
    await journal.close();
    await expect(store.archive('nope', '/data/r.tar.gz')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    await expect(store.archive('r', '/nowhere/r.tar.gz')).rejects.toMatchObject({ code: 'JOURNAL_IO' });
    expect(below(fs, '/data/r.')).toEqual([]);
    expect((await store.open('r')).run).toBe('r');
  });

  test('two runs that are put into one file at the same time: one is, the other is told and stays', async () => {
    const { fs, host, store, entries } = await place();
    await record(store, 's');
    const reached: (() => void)[] = [];
    const turns = [0, 1].map(() => new Promise<void>((resolve) => reached.push(resolve)));
    let isDone = () => {};
    const done = new Promise<void>((resolve) => (isDone = resolve));
    let looks = 0;
    const ordered: typeof fs = {
      ...fs,
      // What is looked at in `/out` is a whole draft, before it is read again.
      async stat(path) {
        if (path.startsWith('/out/') && looks < 2) {
          reached[looks]?.();
          await (++looks === 1 ? turns[1] : done);
        }
        return fs.stat(path);
      },
    };
    await fs.mkdir('/out');
    const both = host().storeOn(ordered);
    const first = both.archive('r', '/out/x.tar.gz', { remove: true }).finally(isDone);
    await turns[0];
    const second = both.archive('s', '/out/x.tar.gz', { remove: true });
    await Promise.allSettled([first, second]);
    await expect(second).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await store.list()).toEqual(['s']);
    expect(await store.restore('/out/x.tar.gz')).toBe('r');
    expect(await readRun(store, 'r')).toEqual(entries);
  });

  test('an archive in the folder of its run is not removed with it', async () => {
    const { fs, store, entries } = await place();
    const file = '/data/runs/r/files/r.tar.gz';
    await expect(store.archive('r', file, { remove: true })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await readRun(store, 'r')).toEqual(entries);
    expect(below(fs, file)).toEqual([]);
    await store.archive('r', file);
    expect(fs.exists(file)).toBe(true);
  });

  test.each(troubles)(
    'archive and remove, %s at any call: the run or the whole archive is there',
    async (_, trouble, keepNames) => {
      const calls = await untilUnreached(async (call) => {
        const { fs, host, store, entries, isDone, isReached } = await under(trouble, call, keepNames, (one) =>
          one.archive('r', '/data/r.tar.gz', { remove: true }),
        );
        const isThere = (await store.list()).includes('r');
        expect(isDone && isThere).toBe(false);
        if (isThere) {
          expect(await readRun(store, 'r')).toEqual(entries);
        } else {
          await store.restore('/data/r.tar.gz');
          expect(await readRun(store, 'r')).toEqual(entries);
        }
        if (fs.exists('/data/r.tar.gz')) await host('/other').storeOn(fs).restore('/data/r.tar.gz');
        return isReached;
      });
      expect(calls).toBeGreaterThan(60);
    },
  );

  test.each(troubles)('restore, %s at any call: the whole run or none', async (_, trouble, keepNames) => {
    const calls = await untilUnreached(async (call) => {
      const prepare = async (store: FileStore) => {
        await record(store, 'kept');
        await store.archive('kept', '/data/kept.tar.gz', { remove: true });
      };
      const act = (one: FileStore) => one.restore('/data/kept.tar.gz');
      const { fs, store, entries, isDone, isReached } = await under(trouble, call, keepNames, act, prepare);
      const runs = await store.list();
      if (isDone) expect(runs).toEqual(expect.arrayContaining(['kept', 'r']));
      if (runs.includes('kept')) expect(await readRun(store, 'kept')).toEqual(entries);
      else expect(await store.restore('/data/kept.tar.gz')).toBe('kept');
      expect(below(fs, '/data/runs/.').filter((path) => !path.endsWith('maker.draft'))).toEqual([]);
      return isReached;
    });
    expect(calls).toBeGreaterThan(40);
  });

  test('any tar opens an archive, and what it unpacks in the runs folder is the run', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'troupe-archive-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const store = fileStore({ dir: join(dir, 'data') });
    const run = `r-${'long-'.repeat(20)}`;
    const entries = await record(store, run);
    const journal = await store.open(run);
    writeFileSync((await journal.sideFile(longName)) ?? '', 'output');
    await journal.close();
    const file = join(dir, 'r.tar.gz');
    await store.archive(run, file, { remove: true });
    mkdirSync(join(dir, 'other/runs'), { recursive: true });
    execFileSync('tar', ['-xzf', file, '-C', join(dir, 'other/runs')]);
    const other = fileStore({ dir: join(dir, 'other') });
    expect(await readRun(other, run)).toEqual(entries);
    expect(await store.restore(file)).toBe(run);
    const path = (await (await store.open(run)).sideFile(longName)) ?? '';
    expect(readFileSync(path, 'utf8')).toBe('output');
    expect(statSync(file).size).toBeLessThan(5_000);
    // And the other way: what tar has packed is restored.
    execFileSync('tar', ['-czf', join(dir, 'by-tar.tar.gz'), '-C', join(dir, 'other/runs'), run]);
    await store.remove(run);
    expect(await store.restore(join(dir, 'by-tar.tar.gz'))).toBe(run);
  });

  test('one whose folder was renamed is refused: its journal is that of another run', async () => {
    const { fs, store } = await place();
    const bytes = fs.peek('/data/runs/r/journal.jsonl') ?? Buffer.alloc(0);
    const header = tarHeader('q/journal.jsonl', bytes.length, 0);
    fs.poke(
      '/data/q.tar.gz',
      gzipSync(Buffer.concat([header, bytes, Buffer.alloc(paddingOf(bytes.length)), tarEnd()])),
    );
    await expect(store.restore('/data/q.tar.gz')).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('its folder is `q`, but its journal is that of run `r`') as string,
    });
    expect(await store.list()).toEqual(['r']);
  });

  test('a damaged or foreign file is refused, and leaves nothing behind', async () => {
    const { fs, host, store } = await place();
    const before = contentOf(fs, '/data/runs/r/');
    await store.archive('r', '/data/r.tar.gz');
    const whole = Buffer.from(fs.peek('/data/r.tar.gz') ?? '');
    const other = host('/other').storeOn(fs);
    const refusedAs = async (bytes: Uint8Array): Promise<string> => {
      fs.poke('/data/bad.tar.gz', bytes);
      const code = await other.restore('/data/bad.tar.gz').then(
        () => 'restored',
        (error: unknown) => String((error as { code?: string }).code),
      );
      if (code === 'restored') {
        // The last bits of gzip's last byte are not used: nothing was damaged.
        expect(contentOf(fs, '/other/runs/r/')).toEqual(before);
        await other.remove('r');
      }
      expect(below(fs, '/other/runs/')).toEqual([]);
      return code;
    };
    for (let length = 0; length < whole.length; length += 37)
      expect(['BAD_INPUT', 'JOURNAL_CORRUPT']).toContain(await refusedAs(whole.subarray(0, length)));
    for (let index = 10; index < whole.length; index += 41) {
      const flipped = Buffer.from(whole);
      flipped[index] = (flipped[index] ?? 0) ^ 4;
      expect(['BAD_INPUT', 'JOURNAL_CORRUPT', 'restored']).toContain(await refusedAs(flipped));
    }
    const tar = gunzipSync(whole);
    const with0 = (name: string) => gzipSync(Buffer.concat([tarHeader(name, 0, 0), tar]));
    for (const name of ['../evil', 'r/../../evil', '/etc/evil', 'r', 'other/journal.jsonl', 'r/a\\..\\b'])
      expect([name, await refusedAs(with0(name))]).toEqual([name, 'BAD_INPUT']);
    expect(await refusedAs(Buffer.from('no archive'))).toBe('JOURNAL_CORRUPT');
    expect(await refusedAs(gzipSync('no tar'.repeat(1_000)))).toBe('BAD_INPUT');
    await expect(other.restore('/data/missing.tar.gz')).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});
