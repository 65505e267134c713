/** Forking a run at its end: read, checked, copied and flushed, beside a bare copy of the same file. */
import { copyFile, open, rm } from 'node:fs/promises';
import { fileStore } from '../../src/journal/file.ts';
import { inTurns, rowOf, type Row } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { record } from './replay-file.ts';
import { historyOf } from './work/history.ts';

async function flushed(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.datasync();
  await file.close();
}

/** The bench. */
export const fork = ({ smoke, row }: { readonly smoke: boolean; row(row: Row): void }): Promise<void> =>
  inFolder(async (dir) => {
    const length = smoke ? 2_000 : 100_000;
    const store = fileStore({ dir });
    await record(await store.open('origin', { create: true }), historyOf('mixed', length));
    let forks = 0;
    const measured = await inTurns(smoke ? 1 : 15, {
      async ours() {
        forks += 1;
        const as = `fork-${forks}`;
        const startedMs = performance.now();
        await store.fork('origin', { at: length, as });
        const ms = performance.now() - startedMs;
        await store.remove(as);
        return ms;
      },
      async bare() {
        const copy = `${dir}/copy`;
        const startedMs = performance.now();
        await copyFile(`${dir}/runs/origin/journal.jsonl`, copy);
        await flushed(copy);
        await flushed(dir);
        const ms = performance.now() - startedMs;
        await rm(copy);
        return ms;
      },
    });
    row(
      rowOf(
        {
          name: `fork of a ${length.toLocaleString('en')}-entry run`,
          unit: 'ms',
          level: 'D2',
          rivalName: 'fs.copyFile + fdatasync',
          note: 'every line of the prefix is checked (checksum, order) before a copy is made; the rival checks nothing',
        },
        measured.ours,
        measured.bare,
      ),
    );
  });
