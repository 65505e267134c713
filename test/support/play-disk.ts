/** Disks that random plays run on: one in memory, whose power can be cut, and a folder on the machine's own. */
import { memoryFileSystem, nodeFileSystem, type FileSystem, type OpenFile } from '../../src/journal/index.ts';
import type { Random } from '../../src/check/simulation/random.ts';

/** A disk, and what a play needs to know of it. */
export interface PlayDisk {
  readonly fs: FileSystem;
  /** Folder of the runs. */
  readonly dir: string;
  /** Calls that have not come back: time stands still meanwhile. */
  busy(): number;
  /** After a kill: what was not flushed may be lost. */
  powerCut(random: Random): void;
}

/** A disk in memory. */
export function memoryDisk(): PlayDisk {
  const fs = memoryFileSystem();
  return {
    fs,
    dir: '/play',
    busy: () => 0,
    powerCut: (random) =>
      fs.powerCut({ keepBytes: (_path, unsafe) => random.below(unsafe + 1), keepNames: random.below(2) === 0 }),
  };
}

/** This folder. Nobody cuts the machine's power: what was written stays. */
export function folderDisk(dir: string): PlayDisk {
  let busy = 0;
  const count = async <Result>(call: Promise<Result>): Promise<Result> => {
    busy += 1;
    try {
      return await call;
    } finally {
      busy -= 1;
    }
  };
  const counted = (file: OpenFile): OpenFile => ({
    write: (bytes, position) => count(file.write(bytes, position)),
    writeSync: (bytes) => file.writeSync(bytes),
    datasync: () => count(file.datasync()),
    datasyncSync: () => file.datasyncSync(),
    read: (into, position) => count(file.read(into, position)),
    size: () => count(file.size()),
    truncate: (bytes) => count(file.truncate(bytes)),
    close: () => count(file.close()),
  });
  const inner = nodeFileSystem;
  const fs: FileSystem = {
    open: async (path, mode) => counted(await count(inner.open(path, mode))),
    exists: (path) => inner.exists(path),
    stat: (path) => count(inner.stat(path)),
    readdir: (path) => count(inner.readdir(path)),
    mkdir: (path) => count(inner.mkdir(path)),
    link: (from, to) => count(inner.link(from, to)),
    rename: (from, to) => count(inner.rename(from, to)),
    unlink: (path) => count(inner.unlink(path)),
    rmdir: (path) => count(inner.rmdir(path)),
    syncDirectory: (path) => count(inner.syncDirectory(path)),
  };
  return { fs, dir, busy: () => busy, powerCut: () => {} };
}
