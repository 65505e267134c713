/** What snapshots leave on the disk when they cannot be written, or their host dies. */
import { expect, test } from 'vitest';
import { faultyFileSystem, fileStore, memoryFileSystem, type FaultyFileSystem } from '../../src/journal/index.ts';
import { fakeProcesses, writeLog } from './support.ts';

test('a snapshot that cannot be written, or over which its host is killed, takes no room for good', async () => {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  await writeLog(fileStore({ dir: '/data', fs, processes: processes.start().processes }), 9);
  const drafts = () => fs.paths().filter((path) => path.includes('/snapshots/') && path.endsWith('.draft'));
  /** A host that writes a snapshot when `fault` has been ordered, and dies. */
  const save = async (seq: number, fault: (faulty: FaultyFileSystem) => void) => {
    const faulty = faultyFileSystem(fs);
    const host = processes.start();
    const journal = await fileStore({ dir: '/data', fs: faulty, processes: host.processes }).open('r');
    await journal.lease();
    fault(faulty);
    const saved = await journal.saveSnapshot({ stream: 'group:a', seq, maker: 'm', data: { seq } });
    host.kill();
    return saved;
  };

  // The folder is made, and its name is made durable; the draft is opened, and written.
  const full = (faulty: FaultyFileSystem) =>
    faulty.inject({ type: 'errno', call: faulty.calls().length + 4, code: 'ENOSPC', bytes: 20 });
  expect(await save(3, full)).toBe(false);
  expect(drafts()).toEqual([]);

  await save(3, (faulty) => faulty.inject({ type: 'tear', call: faulty.calls().length + 3, bytes: 20 }));
  expect(drafts()).toHaveLength(1);
  expect(await save(6, () => {})).toBe(true);
  expect(drafts()).toEqual([]);
});
