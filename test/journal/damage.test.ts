import { describe, expect, test } from 'vitest';
import { isTroupeError } from '../../src/error.ts';
import { fileStore, memoryFileSystem, type Entry, type MemoryFileSystem } from '../../src/journal/index.ts';
import { errorOf, event, fakeProcesses, readAll, writeLog } from './support.ts';

const log = '/data/runs/r/journal.jsonl';

/** A log of `count` entries, with a way to open it anew each time. */
async function written(count: number, options: { readonly segmentBytesMax?: number } = {}) {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  const open = () => fileStore({ dir: '/data', fs, processes: processes.start().processes, ...options }).open('r');
  await writeLog(fileStore({ dir: '/data', fs, processes: processes.start().processes, ...options }), count);
  const bytes = fs.peek(log) ?? Buffer.alloc(0);
  return { fs, open, bytes, entries: await readAll(await open()) };
}

function lineStarts(bytes: Buffer): readonly number[] {
  const starts = [0];
  for (let at = bytes.indexOf(10); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(10, at + 1))
    starts.push(at + 1);
  return starts;
}

/** Reads and leases a damaged log: what is there afterwards, or which error it is refused with, the file being as it was. */
async function recovered(fs: MemoryFileSystem, open: () => ReturnType<ReturnType<typeof fileStore>['open']>) {
  const before = fs.peek(log);
  const journal = await open();
  try {
    const { epoch } = await journal.lease();
    const entries = await readAll(journal);
    await journal.append('group:a', entries.length, epoch, [event('after')]);
    expect((await readAll(journal)).length).toBe(entries.length + 1);
    return { entries, notices: journal.notices() };
  } catch (error) {
    if (!isTroupeError(error)) throw error;
    expect(before?.equals(fs.peek(log) ?? Buffer.alloc(0))).toBe(true);
    return { error };
  } finally {
    await journal.close();
  }
}

describe('a torn end', () => {
  test('the log cut at every byte of its last two lines is recovered to its last whole append, and the rest kept aside', async () => {
    const { fs, open, bytes, entries } = await written(11);
    const starts = lineStarts(bytes);
    const from = starts.at(-2) ?? 0;
    const endings = new Set<number>();
    for (let cut = from; cut < bytes.length; cut++) {
      fs.poke(log, bytes.subarray(0, cut));
      const found = await recovered(fs, open);
      const isWhole = cut === bytes.length - 1;
      expect([cut, found.entries]).toEqual([cut, isWhole ? entries : entries.slice(0, found.entries?.length)]);
      endings.add(found.entries?.length ?? -1);
      const boundary = found.entries === undefined ? 0 : (starts[found.entries.length + 1] ?? bytes.length);
      const torn = isWhole ? 0 : cut - boundary;
      expect(found.notices?.map(({ kind, byte, bytes: count }) => [kind, byte, count])).toEqual(
        torn === 0 ? [] : [['torn-tail', boundary, torn]],
      );
      if (torn > 0) {
        const [kept = ''] = fs
          .paths()
          .filter((path) => path.startsWith(`/data/runs/r/torn/journal.jsonl.${boundary}.`));
        expect(fs.peek(kept)).toEqual(bytes.subarray(boundary, cut));
        await fs.unlink(kept);
      }
    }
    // Seqs 10 and 11 are one append: without its last line neither counts.
    expect([...endings].toSorted((a, b) => a - b)).toEqual([9, 11]);
  });

  test('a reader without a lease stops at an unfinished end and changes nothing', async () => {
    const { fs, open, bytes, entries } = await written(9);
    for (let cut = lineStarts(bytes).at(-1) ?? 0; cut < bytes.length; cut++) {
      fs.poke(log, bytes.subarray(0, cut));
      expect(await readAll(await open())).toEqual(entries.slice(0, 8));
      expect(fs.peek(log)).toEqual(bytes.subarray(0, cut));
    }
  });

  test('an end of zero bytes, as some file systems leave it, is cut off like a torn one', async () => {
    const { fs, open, bytes, entries } = await written(9);
    fs.poke(log, Buffer.concat([bytes, Buffer.alloc(4096)]));
    expect((await recovered(fs, open)).entries).toEqual(entries);
  });
});

describe('damage elsewhere is JOURNAL_CORRUPT with file, line and byte, and nothing is overwritten', () => {
  test('one flipped bit in each line of a log of 50 lines, its newline and its header included', async () => {
    const { fs, open, bytes } = await written(49);
    const starts = [...lineStarts(bytes), bytes.length];
    expect(starts.length - 1).toBe(50);
    for (let line = 1; line <= 50; line++) {
      const [start = 0, end = 0] = [starts[line - 1], starts[line]];
      const length = end - start;
      // Eleven places in the line, the last three bytes among them, each with another bit.
      const places = [
        ...Array.from({ length: 8 }, (_, index) => start + Math.floor((index * (length - 3)) / 8)),
        end - 3,
        end - 2,
        end - 1,
      ];
      for (const [index, place] of places.entries()) {
        const flipped = Buffer.from(bytes);
        flipped[place] = (flipped[place] ?? 0) ^ (1 << ((line + index) % 8));
        fs.poke(log, flipped);
        const { error } = await recovered(fs, open);
        const said = { code: error?.code, ...error?.details };
        // A newline that became another byte joins two lines; another byte that became one splits a line: the first line is named.
        expect([line, place, said]).toEqual([
          line,
          place,
          {
            code: 'JOURNAL_CORRUPT',
            file: 'journal.jsonl',
            path: log,
            line,
            byte: start,
            intact: Math.max(0, line - 2) - openLines(bytes, line),
          },
        ]);
        expect(error?.message).toContain(`journal.jsonl line ${line}, byte ${start}`);
        expect((await errorOf(readAll(await open()))).details).toEqual(error?.details);
      }
    }
  });

  test('every single bit of the last line and its newline', async () => {
    const { fs, open, bytes } = await written(4);
    const start = lineStarts(bytes).at(-1) ?? 0;
    for (let bit = start * 8; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      const place = bit >> 3;
      flipped[place] = (flipped[place] ?? 0) ^ (1 << (bit & 7));
      fs.poke(log, flipped);
      expect([bit, (await recovered(fs, open)).error?.code]).toEqual([bit, 'JOURNAL_CORRUPT']);
    }
  });

  test.each<[string, (bytes: Buffer, starts: readonly number[]) => Buffer, number]>([
    [
      'a line is missing',
      (bytes, starts) => Buffer.concat([bytes.subarray(0, starts[4]), bytes.subarray(starts[5])]),
      5,
    ],
    [
      'a line stands twice',
      (bytes, starts) => Buffer.concat([bytes.subarray(0, starts[5]), bytes.subarray(starts[4])]),
      6,
    ],
    [
      'two lines are joined',
      (bytes, starts) => Buffer.concat([bytes.subarray(0, (starts[5] ?? 0) - 1), bytes.subarray(starts[5])]),
      5,
    ],
    [
      'zero bytes stand in the middle',
      (bytes, starts) => Buffer.from(bytes).fill(0, starts[4], (starts[4] ?? 0) + 40),
      5,
    ],
    [
      'the line between is empty',
      (bytes, starts) => Buffer.concat([bytes.subarray(0, starts[4]), Buffer.from('\n'), bytes.subarray(starts[4])]),
      5,
    ],
    ['the header is missing', (bytes, starts) => bytes.subarray(starts[1]), 1],
    ['the file is empty', () => Buffer.alloc(0), 1],
    ['the header is cut', (bytes) => bytes.subarray(0, 30), 1],
  ])('%s', async (_, change, line) => {
    const { fs, open, bytes } = await written(12);
    fs.poke(log, change(bytes, lineStarts(bytes)));
    const { error } = await recovered(fs, open);
    expect([error?.code, error?.details['line'], error?.details['file']]).toEqual([
      'JOURNAL_CORRUPT',
      line,
      'journal.jsonl',
    ]);
  });

  test('a missing, shortened, exchanged or foreign segment', async () => {
    const second = '/data/runs/r/journal-000002.jsonl';
    const third = '/data/runs/r/journal-000003.jsonl';
    const { fs, open } = await written(30, { segmentBytesMax: 700 });
    const paths = fs.paths().filter((path) => path.includes('/journal'));
    const originals = new Map(paths.map((path) => [path, fs.peek(path) ?? Buffer.alloc(0)]));
    const first = originals.get(log) ?? Buffer.alloc(0);
    const inFirst = first.toString().split('\n').length - 2;
    const restore = (): void => originals.forEach((bytes, path) => fs.poke(path, bytes));
    const refused = async () => {
      const reading = await errorOf(readAll(await open()));
      return [reading.code, reading.details['file'], reading.details['intact']];
    };

    await fs.unlink(second);
    expect(await refused()).toEqual(['JOURNAL_CORRUPT', 'journal-000002.jsonl', inFirst]);
    expect((await errorOf((await open()).lease())).details['file']).toBe('journal-000002.jsonl');
    restore();

    fs.poke(log, first.subarray(0, lineStarts(first).at(-1)));
    expect(await refused()).toEqual(['JOURNAL_CORRUPT', 'journal.jsonl', 0]);
    restore();

    fs.poke(second, originals.get(third) ?? Buffer.alloc(0));
    expect(await refused()).toEqual(['JOURNAL_CORRUPT', 'journal-000002.jsonl', inFirst]);
    restore();

    fs.poke(log, Buffer.concat([first, Buffer.from('{"v":1,"written":"by a stale holder"')]));
    const journal = await open();
    expect((await readAll(journal)).length).toBe(30);
    expect(journal.notices()).toMatchObject([
      { kind: 'stale-writes', file: 'journal.jsonl', byte: first.length, bytes: 36 },
    ]);
  });

  test("another run's log in this run's folder is refused", async () => {
    const { fs, open, bytes } = await written(3);
    await (
      await fileStore({ dir: '/other', fs, processes: fakeProcesses().start().processes }).open('q', { create: true })
    ).close();
    fs.poke(log, fs.peek('/other/runs/q/journal.jsonl') ?? bytes);
    expect((await errorOf(readAll(await open()))).message).toContain('names run `q`');
  });
});

/** How many whole lines before `line` belong to an append that is incomplete without it. */
function openLines(bytes: Buffer, line: number): number {
  const before = bytes.toString().split('\n')[line - 2] ?? '';
  return before.includes('"more":true') ? 1 : 0;
}

describe('snapshots are never needed', () => {
  async function withSnapshots() {
    const { fs, open } = await written(9);
    const journal = await open();
    await journal.lease();
    for (const seq of [3, 6, 9]) await journal.saveSnapshot({ stream: 'group:a', seq, maker: 'm', data: { seq } });
    await journal.close();
    return { fs, open };
  }
  const newest = '/data/runs/r/snapshots/group%3aa-9.json';

  test('the newest two of a stream are kept', async () => {
    const { fs } = await withSnapshots();
    expect(fs.paths().filter((path) => path.includes('/snapshots/'))).toEqual([
      '/data/runs/r/snapshots/group%3aa-6.json',
      newest,
    ]);
  });

  test('one with any flipped byte, cut anywhere, or of a newer form is ignored with a notice, and the one before serves', async () => {
    const { fs, open } = await withSnapshots();
    const bytes = fs.peek(newest) ?? Buffer.alloc(0);
    const wrong = Array.from(bytes, (byte, at) => {
      const flipped = Buffer.from(bytes);
      flipped[at] = byte ^ 4;
      return flipped;
    });
    for (const damaged of [...wrong, ...Array.from(bytes, (_, at) => bytes.subarray(0, at))]) {
      fs.poke(newest, damaged);
      const journal = await open();
      const loaded: unknown = await journal.loadSnapshot('group:a', 'm');
      expect(loaded).toEqual({ stream: 'group:a', seq: 6, maker: 'm', data: { seq: 6 } });
      expect(journal.notices()).toMatchObject([{ kind: 'snapshot-ignored', file: 'snapshots/group%3aa-9.json' }]);
    }
  });
});

test('what memory and file give to read is the same', async () => {
  const { memoryStore } = await import('../../src/journal/index.ts');
  const all: (readonly Entry[])[] = [];
  for (const store of [
    memoryStore(),
    fileStore({
      dir: '/data',
      fs: memoryFileSystem(),
      processes: fakeProcesses().start().processes,
      segmentBytesMax: 1000,
    }),
  ]) {
    await writeLog(store, 40);
    const journal = await store.open('r');
    all.push([...(await readAll(journal)), ...(await readAll(journal, 'group:a', 17))]);
  }
  expect(all[0]).toEqual(all[1]);
  expect(JSON.stringify(all[0])).toBe(JSON.stringify(all[1]));
});
