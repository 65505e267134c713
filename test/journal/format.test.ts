import { crc32 } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { faultyFileSystem, fileStore, memoryFileSystem, type MemoryFileSystem } from '../../src/journal/index.ts';
import { errorOf, event, fakeProcesses, readAll } from './support.ts';

const log = '/data/runs/r/journal.jsonl';

function sealed(open: string): string {
  return `${open},"crc":"${crc32(open).toString(16).padStart(8, '0')}"}\n`;
}

function setUp(options: { readonly segmentBytesMax?: number } = {}) {
  const fs = memoryFileSystem();
  const processes = fakeProcesses().start().processes;
  const clock = { now: () => 1_790_000_000_000, wakeAt: () => () => undefined };
  return { fs, store: fileStore({ dir: '/data', fs, processes, clock, engine: 'troupe 0.1', ...options }) };
}

function lines(fs: MemoryFileSystem, path = log): readonly string[] {
  return String(fs.peek(path)).split('\n').slice(0, -1);
}

describe('the form of the log', () => {
  test('a header, then one JSON line per entry, its checksum last, over the bytes before it', async () => {
    const { fs, store } = setUp();
    const journal = await store.open('r', { create: true });
    const { epoch } = await journal.lease();
    await journal.append('group:checks', 0, epoch, [
      event('group.created', { name: 'ü' }),
      { ...event('signal'), fold: '1:ab' },
    ]);
    await journal.append('run', 0, epoch, [event('x', [1])]);
    expect(lines(fs)).toEqual(
      [
        '{"troupe":"journal","format":1,"run":"r","segment":1,"engine":"troupe 0.1","at":1790000000000,"epoch":0',
        '{"v":1,"stream":"group:checks","seq":1,"at":1790000000000,"type":"group.created","data":{"name":"ü"},"epoch":1,"more":true',
        '{"v":1,"stream":"group:checks","seq":2,"at":1790000000000,"type":"signal","data":null,"fold":"1:ab","epoch":1',
        '{"v":1,"stream":"run","seq":1,"at":1790000000000,"type":"x","data":[1],"epoch":1',
      ].map((open) => sealed(open).trimEnd()),
    );
  });

  test('segments roll over without a ceiling; each tells where the one before ends and where its streams stand', async () => {
    const { fs, store } = setUp({ segmentBytesMax: 400 });
    const journal = await store.open('r', { create: true });
    const { epoch } = await journal.lease();
    for (let seq = 0; seq < 30; seq++) await journal.append('group:a', seq, epoch, [event('n', seq)]);
    const files = fs.paths().filter((path) => path.includes('journal'));
    expect(files.length).toBeGreaterThan(8);
    expect(files.slice(0, 2)).toEqual(['/data/runs/r/journal-000002.jsonl', '/data/runs/r/journal-000003.jsonl']);
    const header: unknown = JSON.parse(lines(fs, '/data/runs/r/journal-000003.jsonl')[0] ?? '');
    const before = lines(fs, log).length - 1 + lines(fs, '/data/runs/r/journal-000002.jsonl').length - 1;
    expect(header).toMatchObject({
      segment: 3,
      previousBytes: fs.peek('/data/runs/r/journal-000002.jsonl')?.length,
      entriesBefore: before,
      heads: { 'group:a': before },
    });
    expect((await readAll(journal)).map((entry) => entry.data)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect((await readAll(journal, 'group:a', 28)).map((entry) => entry.seq)).toEqual([28, 29, 30]);
    await journal.close();
    const again = await store.open('r');
    const lease = await again.lease();
    await again.append('group:a', 30, lease.epoch, [event('n', 30)]);
    expect((await readAll(again)).length).toBe(31);
  });

  test('appends that wait together share one flush', async () => {
    const { fs, store } = setUp();
    let flushes = 0;
    const counting = {
      ...fs,
      open: async (...[path, mode]: Parameters<typeof fs.open>) => {
        const file = await fs.open(path, mode);
        return {
          ...file,
          datasync: async () => {
            flushes++;
            await file.datasync();
          },
          datasyncSync: () => {
            flushes++;
            file.datasyncSync();
          },
        };
      },
    };
    await (await store.open('r', { create: true })).close();
    const journal = await fileStore({ dir: '/data', fs: counting, processes: fakeProcesses().start().processes }).open(
      'r',
    );
    const { epoch } = await journal.lease();
    flushes = 0;
    await Promise.all(Array.from({ length: 64 }, (_, seq) => journal.append('run', seq, epoch, [event('n')])));
    expect(flushes).toBe(1);
    let next = 64;
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        for (let round = 0; round < 10; round++) await journal.append('run', next++, epoch, [event('n')]);
      }),
    );
    expect(flushes).toBeLessThanOrEqual(12);
  });

  test('nobody reads an entry before it is durable: the holder neither, though its bytes are in the file', async () => {
    const { fs, store } = setUp();
    await (await store.open('r', { create: true })).close();
    let flush = (): void => undefined;
    const slow: MemoryFileSystem = {
      ...fs,
      open: async (path, mode) => {
        const file = await fs.open(path, mode);
        const datasync = () => new Promise<void>((resolve) => void (flush = resolve)).then(() => file.datasync());
        return mode === 'append' ? { ...file, datasync } : file;
      },
    };
    const processes = fakeProcesses().start().processes;
    const journal = await fileStore({ dir: '/data', fs: slow, processes, blockBelowMs: 0 }).open('r');
    const { epoch } = await journal.lease();
    const appending = journal.append('run', 0, epoch, [event('a')]);
    while (!String(fs.peek(log)).includes('"type":"a"')) await new Promise(setImmediate);
    expect(await readAll(journal)).toEqual([]);
    expect(await journal.loadSnapshot('run', 'm')).toBe(undefined);
    flush();
    expect(await readAll(journal).then(async () => appending)).toHaveLength(1);
    expect(await readAll(journal)).toHaveLength(1);
  });

  test('a line of another shape is read as well: spaces, another order of members, numbers of another form', async () => {
    const { fs, store } = setUp();
    await (await store.open('r', { create: true })).close();
    const odd = sealed('{ "stream":"s", "v":1, "seq":1, "type":"t", "at":1.5, "epoch":1, "data":{"epoch":7,"seq":"x"}');
    const tricky = sealed('{"v":1,"stream":"s","seq":2,"at":-1,"type":"a\\"b","data":"\\",\\"fold\\":\\"x","epoch":1');
    fs.poke(log, Buffer.concat([fs.peek(log) ?? Buffer.alloc(0), Buffer.from(odd + tricky)]));
    const journal = await store.open('r');
    const expected = [
      { v: 1, stream: 's', seq: 1, at: 1.5, type: 't', data: { epoch: 7, seq: 'x' }, epoch: 1 },
      { v: 1, stream: 's', seq: 2, at: -1, type: 'a"b', data: '","fold":"x', epoch: 1 },
    ];
    expect(await readAll(journal)).toEqual(expected);
    expect(await readAll(journal, 's', 2)).toEqual(expected.slice(1));
    expect((await journal.lease()).epoch).toBe(2);
  });

  test('entries of an older version are upcast when read, and never edited', async () => {
    const { fs, store } = setUp();
    await (await store.open('r', { create: true })).close();
    const old = sealed('{"v":0,"stream":"run","seq":1,"at":5,"name":"old","data":1,"epoch":1');
    fs.poke(log, Buffer.concat([fs.peek(log) ?? Buffer.alloc(0), Buffer.from(old)]));
    const before = fs.peek(log);
    expect((await errorOf(readAll(await store.open('r')))).code).toBe('JOURNAL_FORMAT');
    const upcasting = fileStore({
      dir: '/data',
      fs,
      processes: fakeProcesses().start().processes,
      upcasts: { 0: (entry) => ({ ...entry, type: entry['name'] }) },
    });
    const journal = await upcasting.open('r');
    await journal.lease();
    expect(await readAll(journal)).toEqual([{ v: 1, stream: 'run', seq: 1, at: 5, type: 'old', data: 1, epoch: 1 }]);
    expect(await readAll(journal, 'run')).toEqual(await readAll(journal));
    await journal.close();
    expect(fs.peek(log)).toEqual(before);
  });

  test.each([
    ['an entry', (text: string) => text + sealed('{"v":2,"stream":"run","seq":1,"at":5,"type":"t","data":1,"epoch":1')],
    ['a header', (text: string) => sealed((text.split(',"crc"')[0] ?? '').replace('"format":1', '"format":2'))],
  ])('%s of a newer version is JOURNAL_FORMAT, for readers and holders, and nothing is changed', async (_, change) => {
    const { fs, store } = setUp();
    await (await store.open('r', { create: true })).close();
    fs.poke(log, Buffer.from(change(String(fs.peek(log)))));
    const before = fs.peek(log);
    const journal = await store.open('r');
    expect((await errorOf(readAll(journal))).code).toBe('JOURNAL_FORMAT');
    expect((await errorOf(journal.lease())).code).toBe('JOURNAL_FORMAT');
    expect(fs.peek(log)).toEqual(before);
  });

  test('a newer version and damage are told in one sentence, with their place', async () => {
    const { fs, store } = setUp();
    await (await store.open('r', { create: true })).close();
    const header = fs.peek(log) ?? Buffer.alloc(0);
    const told = async (...lines: string[]) => {
      fs.poke(log, Buffer.concat([header, Buffer.from(lines.join(''))]));
      return (await errorOf(readAll(await store.open('r')))).message;
    };
    const line = (seq: number, v = 1) =>
      sealed(`{"v":${v},"stream":"s","seq":${seq},"at":5,"type":"t","data":1,"epoch":1`);
    expect(await told(line(1, 2))).toBe(
      'JOURNAL_FORMAT: journal.jsonl line 2: An entry has version 2; this troupe reads up to 1.',
    );
    expect(await told(line(2))).toMatch(/^JOURNAL_CORRUPT: .*; 0 entries before it are intact, nothing was changed\.$/);
    expect(await told(line(1), line(3))).toMatch(/; 1 entry before it is intact, nothing was changed\.$/);
    expect(await told(line(1), line(2), line(4))).toMatch(/; 2 entries before it are intact, nothing was changed\.$/);
  });

  test('a journal of format 1 stays readable for ever', async () => {
    const dir = await mkdtemp(`${tmpdir()}/troupe-corpus-`);
    try {
      await cp(fileURLToPath(new URL('corpus/v1', import.meta.url)), dir, { recursive: true });
      const journal = await fileStore({ dir }).open('release-check');
      expect(
        (await readAll(journal)).map(({ v, stream, seq, type, epoch, fold }) => [v, stream, seq, type, epoch, fold]),
      ).toEqual([
        [1, 'run', 1, 'run.created', 1, undefined],
        [1, 'group:checks', 1, 'group.created', 1, undefined],
        [1, 'group:checks', 2, 'attempt.started', 1, undefined],
        [1, 'group:checks', 3, 'member.settled', 2, '2:5f0c'],
        [1, 'group:checks', 4, 'checkpoint', 2, undefined],
        [1, 'run', 2, 'run.ended', 2, undefined],
      ]);
      expect((await readAll(journal, 'group:checks', 3)).map((entry) => entry.data)).toEqual([
        { member: 'lint', incarnation: 1, attempt: 1, outcome: { status: 'completed', output: 'naïve ✓' } },
        { name: 'half', settled: 1, total: 1, effect: '3:0' },
      ]);
      expect(await journal.loadSnapshot('group:checks', 'engine 1')).toEqual({
        stream: 'group:checks',
        seq: 2,
        maker: 'engine 1',
        data: { value: 'checking' },
      });
      const lease = await journal.lease();
      expect(lease.epoch).toBe(3);
      await journal.append('run', 2, lease.epoch, [event('again')]);
      await journal.close();
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

test('with the first run of a place, the names of all folders that were made for it are made durable', async () => {
  const disk = memoryFileSystem();
  const { processes } = fakeProcesses().start();
  await disk.mkdir('/there');
  const dirs = ['/there/new/newer/data', '/there/forks/newer/data'];
  for (const dir of dirs) {
    const fs = faultyFileSystem(disk);
    const store = fileStore({ dir, fs, processes });
    if (dir === dirs[0]) {
      await (await store.open('r', { create: true })).close();
      await store.archive('r', '/there/r.tar.gz');
    } else await store.restore('/there/r.tar.gz');
    const [, top] = /^(\/there\/\w+)/.exec(dir) ?? [];
    expect(fs.calls()).toEqual(
      expect.arrayContaining([`${dir}/..`, `${top}/newer/..`, `${top}/..`, dir].map((path) => `syncDirectory ${path}`)),
    );
    expect(fs.calls()).not.toContain('syncDirectory /there/..');
  }
});
