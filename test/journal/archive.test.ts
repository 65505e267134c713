/** Runs as wholes: removed, put away in one file, and back. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  faultyFileSystem,
  fileStore,
  memoryFileSystem,
  type Entry,
  type FileStore,
  type MemoryFileSystem,
} from '../../src/journal/index.ts';
import { parseTarHeader, tarHeader } from '../../src/journal/tar.ts';
import { fakeProcesses } from './support.ts';

const at = 1_790_000_000_000;
const longName = `group/${'ü-long-name-'.repeat(8)}.1.1.log`;

async function record(store: FileStore, run = 'r'): Promise<readonly Entry[]> {
  const journal = await store.open(run, { create: true });
  const { epoch } = await journal.lease();
  for (let seq = 0; seq < 8; seq += 1) {
    await journal.append('group:g', seq, epoch, [
      { type: 'note', at, data: { seq, text: 'x'.repeat(150), ...(seq === 1 ? { outputFile: longName } : {}) } },
    ]);
  }
  await journal.saveSnapshot({ stream: 'group:g', seq: 4, maker: 'm', data: 4 });
  await journal.close();
  return readRun(store, run);
}

async function readRun(store: FileStore, run: string): Promise<readonly Entry[]> {
  const journal = await store.open(run);
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  await journal.close();
  return entries;
}

async function place() {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  const host = (dir = '/data') => {
    const process = processes.start();
    return {
      ...process,
      storeOn: (on: typeof fs) =>
        fileStore({ dir, segmentBytesMax: 700, leaseTtlMs: 1000, fs: on, processes: process.processes }),
    };
  };
  const store = host().storeOn(fs);
  const entries = await record(store);
  await fs.mkdir('/data/runs/r/files/group');
  fs.poke('/data/runs/r/files/group/out.log', Buffer.from('output'));
  for (const folder of ['/data', '/data/runs', '/data/runs/r']) await fs.syncDirectory(folder);
  return { fs, host, store, entries };
}

const below = (fs: MemoryFileSystem, folder: string) => fs.paths().filter((path) => path.startsWith(folder));
const contentOf = (fs: MemoryFileSystem, folder: string) =>
  Object.fromEntries(
    below(fs, folder)
      .filter((path) => !path.includes('/lease/'))
      .map((path) => [path.slice(folder.length), fs.peek(path)?.toString('latin1')]),
  );

type Trouble = { readonly type: 'crash'; readonly when: 'after' | 'before' } | { readonly type: 'errno' };
const troubles: readonly (readonly [string, Trouble, boolean])[] = [
  ['a crash before it, names forgotten', { type: 'crash', when: 'before' }, false],
  ['a crash before it, names kept', { type: 'crash', when: 'before' }, true],
  ['a crash after it, names forgotten', { type: 'crash', when: 'after' }, false],
  ['a crash after it, names kept', { type: 'crash', when: 'after' }, true],
  ['an error', { type: 'errno' }, true],
];

/** Does something on a file system with trouble at the `call`-th call, then cuts the power if it was a crash. */
async function under(
  trouble: Trouble,
  call: number,
  keepNames: boolean,
  act: (store: FileStore) => Promise<unknown>,
  prepare?: (store: FileStore) => Promise<void>,
) {
  const here = await place();
  await prepare?.(here.store);
  const actor = here.host();
  const faulty = faultyFileSystem(
    here.fs,
    trouble.type === 'errno' ? { type: 'errno', code: 'EIO', call } : { ...trouble, call },
  );
  const isDone = await act(actor.storeOn({ ...here.fs, ...faulty })).then(
    () => true,
    () => false,
  );
  const isReached = faulty.calls().length >= call;
  if (trouble.type === 'crash') {
    actor.kill();
    here.fs.powerCut({ keepNames });
  }
  return { ...here, isDone, isReached };
}

async function untilUnreached(body: (call: number) => Promise<boolean>): Promise<number> {
  let call = 1;
  while (await body(call)) call += 1;
  return call;
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
});

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

test('any name and size up to 8 GiB comes back from a tar header', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 99 }),
      fc.integer({ min: 0, max: 8 ** 11 - 1 }),
      (text, bytes) => {
        const name = text.replaceAll('\0', '-');
        const block = tarHeader(name, bytes, at);
        expect(parseTarHeader(block.subarray(-512))?.bytes).toBe(bytes);
        const first = parseTarHeader(block.subarray(0, 512));
        if (block.length === 512) expect(first).toEqual({ type: 'file', name, bytes });
        else
          expect([first?.type, block.toString('utf8', 512, 512 + (first?.bytes ?? 0) - 1)]).toEqual([
            'long-name',
            name,
          ]);
      },
    ),
  );
  expect(() => tarHeader('x', 8 ** 11, 0)).toThrow(RangeError);
});
