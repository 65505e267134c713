/** Which runs a data folder is said to hold, whatever became of them. */
import { describe, expect, test } from 'vitest';
import { fileStore, memoryFileSystem, type MemoryFileSystem } from '../../src/journal/index.ts';
import { errorOf, writeLog } from './support.ts';

const log = '/data/runs/r/journal.jsonl';

async function recorded(count: number, segmentBytesMax = 1_000_000): Promise<{ readonly fs: MemoryFileSystem }> {
  const fs = memoryFileSystem();
  await writeLog(fileStore({ dir: '/data', fs, segmentBytesMax }), count);
  return { fs };
}

describe('a list of runs', () => {
  const failing = (fs: MemoryFileSystem, code: string, path: string): MemoryFileSystem => {
    const refused = (asked: string) =>
      asked === path ? Promise.reject(Object.assign(new Error(code), { code })) : undefined;
    return {
      ...fs,
      open: (asked, mode) => refused(asked) ?? fs.open(asked, mode),
      readdir: (asked) => refused(asked) ?? fs.readdir(asked),
    };
  };

  test.each(['EACCES', 'EIO', 'EMFILE'])('names a run whose log cannot be read (%s)', async (code) => {
    const { fs } = await recorded(3);
    expect(await fileStore({ dir: '/data', fs: failing(fs, code, log) }).list()).toEqual(['r']);
  });

  test('names a run whose first segment is lost, and no folder without a log', async () => {
    const { fs } = await recorded(9, 300);
    await fs.unlink(log);
    await fs.mkdir('/data/runs/empty');
    const store = fileStore({ dir: '/data', fs });
    expect(await store.list()).toEqual(['r']);
    await store.remove('r');
    expect(await store.list()).toEqual([]);
  });

  test('is not empty because nobody may look: that is JOURNAL_IO', async () => {
    const { fs } = await recorded(3);
    const listed = (code: string) => fileStore({ dir: '/data', fs: failing(fs, code, '/data/runs') }).list();
    expect(await errorOf(listed('EACCES'))).toMatchObject({ code: 'JOURNAL_IO', details: { path: '/data/runs' } });
    expect(await listed('ENOENT')).toEqual([]);
  });
});
