/** Who asks for a lease at the moment when another one is given back, or taken. */
import { expect, test } from 'vitest';
import { fileStore, memoryFileSystem, type MemoryFileSystem } from '../../src/journal/index.ts';
import { errorOf, event, fakeProcesses, readAll, type FakeProcess } from './support.ts';

test('a lease that is taken again while the one before is still being given back stays', async () => {
  const disk = memoryFileSystem();
  let goOn = () => {};
  const pause = new Promise<void>((resolve) => (goOn = resolve));
  let isGivingBack = false;
  const slow: typeof disk = {
    ...disk,
    async syncDirectory(path) {
      if (isGivingBack) {
        isGivingBack = false;
        await pause;
      }
      await disk.syncDirectory(path);
    },
  };
  const journal = await fileStore({ dir: '/data', fs: slow, processes: fakeProcesses().start().processes }).open('r', {
    create: true,
  });
  const first = await journal.lease();
  isGivingBack = true;
  const released = first.release();
  await expect.poll(() => isGivingBack).toBe(false);
  const { epoch } = await journal.lease();
  goOn();
  await released;
  await journal.append('run', 0, epoch, [event('a')]);
  expect(await readAll(journal)).toHaveLength(1);
});

test('of two that find a holder given up, the one that comes second is told so: RUN_BUSY', async () => {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  const store = (of: FakeProcess, disk = fs) =>
    fileStore({ dir: '/data', fs: disk, processes: of.processes, leaseTtlMs: 1000 });
  const old = processes.start();
  await (await store(old).open('r', { create: true })).lease();
  old.hide();
  fs.advance(1001);
  const second = await store(processes.start()).open('r');
  let isFirst = true;
  const late: MemoryFileSystem = {
    ...fs,
    async stat(path) {
      if (isFirst) {
        isFirst = false;
        await second.lease();
      }
      return fs.stat(path);
    },
  };
  const third = await store(processes.start(), late).open('r');
  expect((await errorOf(third.lease())).code).toBe('RUN_BUSY');
});
