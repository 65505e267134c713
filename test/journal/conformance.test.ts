import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  fileStore,
  journalConformance,
  memoryFileSystem,
  memoryStore,
  nodeFileSystem,
  type FileSystem,
} from '../../src/journal/index.ts';
import { fakeProcesses } from './support.ts';

journalConformance(
  {
    name: 'memory',
    async open() {
      const store = memoryStore();
      return { store, abandon: store.abandon };
    },
  },
  { describe, it, expect },
);

journalConformance(
  {
    name: 'file',
    async open() {
      const dir = await mkdtemp(`${tmpdir()}/troupe-journal-`);
      const processes = fakeProcesses();
      const first = processes.start();
      // The next one looks much later, by the disk's clock.
      const later: FileSystem = {
        ...nodeFileSystem,
        stat: async (path) => ({
          ...(await nodeFileSystem.stat(path)),
          modifiedAtMs: path.endsWith('.draft') ? 1e15 : 0,
        }),
      };
      return {
        store: fileStore({ dir, processes: first.processes }),
        reopen: async () =>
          fileStore({ dir, fs: first.isHidden() ? later : nodeFileSystem, processes: processes.start().processes }),
        abandon: () => first.hide(),
        dispose: () => rm(dir, { recursive: true, force: true }),
      };
    },
  },
  { describe, it, expect },
);

journalConformance(
  {
    name: 'file, small segments, a disk in memory, a holder that cannot be looked at',
    async open() {
      const fs = memoryFileSystem();
      const processes = fakeProcesses();
      const first = processes.start();
      const options = { dir: '/data', fs, segmentBytesMax: 500, leaseTtlMs: 1000 };
      return {
        store: fileStore({ ...options, processes: first.processes }),
        reopen: async () => fileStore({ ...options, processes: processes.start().processes }),
        abandon: () => {
          first.hide();
          fs.advance(1001);
        },
      };
    },
  },
  { describe, it, expect },
);

it.each([undefined, '', 7])('a file store without a folder is refused: %s', (dir) => {
  expect(() => fileStore({ dir } as never)).toThrow('BAD_INPUT: fileStore: expected `dir` to be the path of a folder');
});
