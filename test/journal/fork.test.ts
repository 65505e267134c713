/** Forks in files: crashes at every call, damage in the origin, side files that two runs share. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  faultyFileSystem,
  fileStore,
  memoryFileSystem,
  type Entry,
  type FileStore,
  type MemoryFileSystem,
} from '../../src/journal/index.ts';
import { fakeProcesses } from './support.ts';

const at = 1_790_000_000_000;

/** A run of three segments, 12 entries, two snapshots and two side files. */
async function record(store: FileStore, run = 'r'): Promise<readonly Entry[]> {
  const journal = await store.open(run, { create: true });
  const { epoch } = await journal.lease();
  await journal.append('run', 0, epoch, [{ type: 'run.created', at, data: { process: 'p' } }]);
  for (let seq = 0; seq < 10; seq += 2) {
    const outputFile = `group/member "${seq}".1.1.log`;
    await journal.append('group:g', seq, epoch, [
      { type: 'attempt.started', at, data: { member: 'm', outputFile } },
      { type: 'member.progress', at, data: { line: `not a file: "outputFile":"group/other.log" ${'x'.repeat(150)}` } },
    ]);
    if (seq < 4) await journal.sideFile(outputFile);
    if (seq === 2 || seq === 8)
      await journal.saveSnapshot({ stream: 'group:g', seq: seq + 2, maker: 'm', data: { seq } });
  }
  await journal.append('run', 1, epoch, [{ type: 'run.ended', at, data: {} }]);
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

const sideFile = (run: string, seq: number) => `/data/runs/${run}/files/group/member%20%22${seq}%22.1.1.log`;

/** A disk with the run `r` on it; and hosts. */
async function place() {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  const options = { dir: '/data', segmentBytesMax: 900 };
  const host = () => {
    const process = processes.start();
    return { ...process, storeOn: (on: typeof fs) => fileStore({ ...options, fs: on, processes: process.processes }) };
  };
  const store = host().storeOn(fs);
  const entries = await record(store);
  for (const seq of [0, 2]) fs.poke(sideFile('r', seq), Buffer.from(`output ${seq}`));
  return { fs, host, store, entries, bytes: () => contentOf(fs, '/data/runs/r/') };
}

/** Everything below a folder but leases, by path. */
function contentOf(fs: MemoryFileSystem, folder: string): Readonly<Record<string, string>> {
  const paths = fs.paths().filter((path) => path.startsWith(folder) && !path.includes('/lease/'));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), fs.peek(path)?.toString() ?? '']));
}

const leftovers = (fs: MemoryFileSystem) => fs.paths().filter((path) => /\/runs\/\./.test(path));

test('a fork has the segments, the side files and the snapshots of its prefix, and is led on without a repair', async () => {
  const { fs, store, entries } = await place();
  expect(fs.paths().filter((path) => path.endsWith('.jsonl')).length).toBe(3);
  const fork = await store.fork('r', { at: 8, as: 'f' });
  expect(fork).toEqual({ as: 'f', from: 'r', at: 8, entries: 7 });
  expect(await readRun(store, 'f')).toEqual(entries.slice(0, 7));
  expect(Object.keys(contentOf(fs, '/data/runs/f/'))).toEqual([
    'files/group/member%20%220%22.1.1.log',
    'files/group/member%20%222%22.1.1.log',
    'journal-000002.jsonl',
    'journal.jsonl',
    'snapshots/group%3ag-4.json',
  ]);
  const header = JSON.parse(fs.peek('/data/runs/f/journal.jsonl')?.toString().split('\n')[0] ?? '') as object;
  expect(header).toMatchObject({ run: 'f', segment: 1, origin: { from: 'r', at: 7 } });
  const linesOf = (run: string, file: string) =>
    fs.peek(`/data/runs/${run}/${file}`)?.toString().split('\n').slice(1) ?? [];
  expect(linesOf('f', 'journal.jsonl')).toEqual(linesOf('r', 'journal.jsonl'));
  const journal = await store.open('f');
  const { epoch } = await journal.lease();
  await journal.append('group:g', 6, epoch, [{ type: 'x', at, data: 1 }]);
  await journal.close();
  expect(journal.notices()).toEqual([]);
  expect((await readRun(store, 'f')).map((entry) => entry.epoch)).toEqual([1, 1, 1, 1, 1, 1, 1, 2]);
  expect(Object.keys(contentOf(fs, '/data/runs/f/')).filter((name) => name.startsWith('journal'))).toHaveLength(2);
});

describe('a crash in a fork', () => {
  /** Forks on a file system that has trouble at one call; false when there are no so many calls. */
  async function troubled(
    fault: { readonly type: 'crash'; readonly when: 'after' | 'before' } | { readonly type: 'errno' },
    call: number,
    keepNames: boolean,
  ): Promise<boolean> {
    const { fs, host, store, entries, bytes } = await place();
    const before = bytes();
    const forker = host();
    const faulty = faultyFileSystem(
      fs,
      fault.type === 'errno' ? { type: 'errno', code: 'EIO', call } : { ...fault, call },
    );
    const outcome = await forker
      .storeOn({ ...fs, ...faulty })
      .fork('r', { at: 9, as: 'f' })
      .then(
        () => 'forked',
        (error: unknown) => (error as { code?: string }).code,
      );
    const isReached = faulty.calls().length >= call;
    if (fault.type === 'crash') {
      forker.kill();
      fs.powerCut({ keepNames });
    }
    expect(bytes()).toEqual(before);
    const runs = await store.list();
    if (outcome === 'forked') expect(runs).toContain('f');
    // It is there as a whole, or not at all.
    if (runs.includes('f')) expect(await readRun(store, 'f')).toEqual(entries.slice(0, 9));
    else await expect(store.open('f')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    if (fault.type === 'errno') {
      if (outcome !== 'forked') expect(outcome).toBe('JOURNAL_IO');
      expect(leftovers(fs)).toEqual([]);
    }
    await store.fork('r', { at: 9, as: 'next' });
    expect(await readRun(store, 'next')).toEqual(entries.slice(0, 9));
    // What a dead maker has left is cleared away, once it had said who it is.
    expect(leftovers(fs).filter((path) => !path.endsWith('maker.draft'))).toEqual([]);
    return isReached;
  }

  test.each([
    ['before', false],
    ['before', true],
    ['after', false],
    ['after', true],
  ] as const)(
    '%s any call leaves the whole fork or none, and the origin as it was (names kept: %s)',
    async (when, keepNames) => {
      let call = 1;
      while (await troubled({ type: 'crash', when }, call, keepNames)) call += 1;
      expect(call).toBeGreaterThan(40);
    },
  );

  test('a call that fails leaves none, and nothing lying about', async () => {
    let call = 1;
    while (await troubled({ type: 'errno' }, call, true)) call += 1;
    expect(call).toBeGreaterThan(40);
  });
});

describe('damage in the origin', () => {
  test('a run is forked before its damage, at the count that the error tells; at or behind it is JOURNAL_CORRUPT', async () => {
    const { fs, store, entries } = await place();
    for (const file of ['journal.jsonl', 'journal-000002.jsonl', 'journal-000003.jsonl']) {
      const path = `/data/runs/r/${file}`;
      const whole = Buffer.from(fs.peek(path) ?? '');
      const header = whole.indexOf('\n') + 1;
      for (let line = 0, from = header; from < whole.length; line += 1, from = whole.indexOf('\n', from) + 1) {
        const damaged = Buffer.from(whole);
        damaged[from + 30] = (damaged[from + 30] ?? 0) ^ 1;
        fs.poke(path, damaged);
        const error = (await readRun(store, 'r').catch((thrown: unknown) => thrown)) as {
          code: string;
          details: { intact: number };
        };
        expect(error.code).toBe('JOURNAL_CORRUPT');
        const { intact } = error.details;
        for (let position = 1; position <= entries.length; position += 1) {
          const as = `f-${file.slice(0, -6)}-${line}-${position}`;
          const forked = store.fork('r', { at: position, as });
          if (position > intact) {
            await expect(forked).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', details: { intact } });
          } else {
            const { entries: kept } = await forked;
            expect(await readRun(store, as)).toEqual(entries.slice(0, kept));
          }
        }
      }
      fs.poke(path, whole);
    }
  });

  test('a missing or headless later segment is damage behind what it follows', async () => {
    const { fs, store, entries } = await place();
    fs.poke('/data/runs/r/journal-000002.jsonl', Buffer.from('nonsense\n'));
    expect((await store.fork('r', { at: 3, as: 'f3' })).entries).toBe(3);
    expect(await readRun(store, 'f3')).toEqual(entries.slice(0, 3));
    await expect(store.fork('r', { at: 12, as: 'f12' })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    await fs.unlink('/data/runs/r/journal-000002.jsonl');
    expect((await store.fork('r', { at: 2, as: 'f2' })).entries).toBe(1);
    await expect(store.fork('r', { at: 12, as: 'f12' })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    expect(leftovers(fs)).toEqual([]);
  });

  test('an append that was never acknowledged is no part of a fork', async () => {
    const { fs, store, entries } = await place();
    const path = '/data/runs/r/journal-000003.jsonl';
    const whole = Buffer.from(fs.peek(path) ?? '');
    for (let length = whole.length - 1; length > whole.length - 60; length -= 7) {
      fs.poke(path, whole.subarray(0, length));
      await expect(store.fork('r', { at: 12, as: 'f' })).rejects.toMatchObject({
        code: 'BAD_INPUT',
        details: { max: 11 },
      });
    }
    await store.fork('r', { at: 11, as: 'f' });
    expect(await readRun(store, 'f')).toEqual(entries.slice(0, 11));
  });
});

test('segments without lines, as hosts leave them that are taken over at once, are copied as well', async () => {
  const { fs, host, store } = await place();
  const run = 'often-taken';
  await store.open(run, { create: true });
  for (let turn = 0; turn < 3; turn += 1) {
    const next = host();
    const journal = await next.storeOn(fs).open(run);
    const { epoch } = await journal.lease();
    if (turn === 2) await journal.append('run', 0, epoch, [{ type: 'x', at, data: null }]);
    next.hide();
    fs.advance(30_001);
  }
  expect(fs.paths().filter((path) => path.includes(`/${run}/journal`)).length).toBe(3);
  await store.fork(run, { at: 1, as: 'f' });
  expect(await readRun(store, 'f')).toEqual(await readRun(store, run));
  expect((await readRun(store, 'f')).length).toBe(1);
});

test('a run that is in the way, half made, is RUN_EXISTS or replaced, never mixed with the fork', async () => {
  const { fs, store, entries } = await place();
  await fs.mkdir('/data/runs/empty');
  await store.fork('r', { at: 3, as: 'empty' });
  expect(await readRun(store, 'empty')).toEqual(entries.slice(0, 3));
  fs.poke('/data/runs/r/note', Buffer.from(''));
  await fs.mkdir('/data/runs/notes');
  fs.poke('/data/runs/notes/note', Buffer.from('mine'));
  await expect(store.fork('r', { at: 3, as: 'notes' })).rejects.toMatchObject({ code: 'RUN_EXISTS' });
  expect([fs.peek('/data/runs/notes/note')?.toString(), leftovers(fs)]).toEqual(['mine', []]);
});

test('what the leavings of a maker that lives are is left alone', async () => {
  const { fs, host, store } = await place();
  const other = host();
  await fs.mkdir('/data/runs/.draft-x-1-1-1/lease');
  fs.poke('/data/runs/.draft-x-1-1-1/lease/maker.draft', Buffer.from(`${JSON.stringify(other.processes.self())}\n`));
  await store.fork('r', { at: 1, as: 'one' });
  expect(leftovers(fs)).toHaveLength(1);
  other.kill();
  await store.fork('r', { at: 1, as: 'two' });
  expect(leftovers(fs)).toEqual([]);
});

test('side files are shared without being copied, until one of the runs writes to them or goes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-side-files-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const store = fileStore({ dir });
  await record(store);
  const path = (run: string, seq: number) => join(dir, sideFile(run, seq).slice('/data/'.length));
  for (const seq of [0, 2]) writeFileSync(path('r', seq), `output ${seq}`);
  await store.fork('r', { at: 12, as: 'f' });
  expect(statSync(path('f', 2)).ino).toBe(statSync(path('r', 2)).ino);
  const journal = await store.open('f');
  const mine = (await journal.sideFile('group/member "2".1.1.log')) ?? '';
  expect(mine).toBe(path('f', 2));
  writeFileSync(mine, ' and more', { flag: 'a' });
  await journal.close();
  expect([readFileSync(path('r', 2), 'utf8'), readFileSync(mine, 'utf8')]).toEqual(['output 2', 'output 2 and more']);
  await store.remove('r');
  expect(readFileSync(path('f', 0), 'utf8')).toBe('output 0');
});

test('data that names a folder, a path through a side file or no file at all as its output does not keep a run from being forked', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-side-files-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const store = fileStore({ dir });
  const journal = await store.open('r', { create: true });
  const { epoch } = await journal.lease();
  const real = 'checks/lint.1.1.log';
  writeFileSync((await journal.sideFile(real)) ?? '', 'output');
  const names = ['checks', real, `${real}/deeper`, 'a/'.repeat(3000) + 'b', '../journal.jsonl', 'none', ''];
  for (const [seq, outputFile] of names.entries())
    await journal.append('group:a', seq, epoch, [{ type: 'x', at: 0, data: { outputFile } }]);
  await journal.close();
  for (let at = 1; at <= names.length; at += 1) await store.fork('r', { at, as: `f${at}` });
  expect(readdirSync(join(dir, 'runs/f7/files/checks'))).toEqual(['lint.1.1.log']);
  expect(readFileSync(join(dir, 'runs/f7/files', real), 'utf8')).toBe('output');
});
