/** A log that somebody else takes away while it is written. */
import { expect, test } from 'vitest';
import { withFile } from '../../src/journal/fs.ts';
import { fileStore, memoryFileSystem, type MemoryFileSystem } from '../../src/journal/index.ts';
import { errorOf, event, fakeProcesses } from './support.ts';

const log = '/data/runs/r/journal.jsonl';

test.each([
  ['removed', (fs: MemoryFileSystem) => fs.unlink(log)],
  [
    'replaced by a copy',
    async (fs: MemoryFileSystem) => {
      const copy = fs.peek(log) ?? Buffer.alloc(0);
      await fs.unlink(log);
      fs.poke(log, copy);
    },
  ],
  ['cut', (fs: MemoryFileSystem) => withFile(fs, log, 'change', (file) => file.truncate(100))],
])('one that is %s is told at a heartbeat, once, and when the run is given back', async (_, harm) => {
  const fs = memoryFileSystem();
  let heartbeat = (): void => undefined;
  const clock = {
    now: () => 0,
    wakeAt(_at: number, callback: () => void) {
      heartbeat = callback;
      return () => void (heartbeat = () => undefined);
    },
  };
  const store = fileStore({ dir: '/data', fs, clock, processes: fakeProcesses().start().processes });
  const journal = await store.open('r', { create: true });
  const lease = await journal.lease();
  const told: unknown[] = [];
  lease.onLost?.((error) => told.push([error.code, error.details['file']]));
  await journal.append('run', 0, lease.epoch, [event('a')]);
  heartbeat();
  await harm(fs);
  await journal.append('run', 1, lease.epoch, [event('b')]);
  heartbeat();
  await expect.poll(() => told).toEqual([['JOURNAL_CORRUPT', 'journal.jsonl']]);
  heartbeat();
  const error = await errorOf(lease.release());
  expect([error.code, error.message, told.length]).toEqual([
    'JOURNAL_CORRUPT',
    expect.stringContaining('removed, replaced or cut'),
    1,
  ]);
});
