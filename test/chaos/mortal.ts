/** A host's own death, by SIGKILL, at an exact point of its work. */
import { nodeFileSystem, type FileSystem, type OpenFile } from '../../src/journal/index.ts';

/**
 * Where a host kills itself: at the `count`th such point. `torn`: in the middle of a write, or of another call: before it.
 * `acknowledge` is between an entry's durability and its acknowledgement to the watcher.
 */
export interface Death {
  readonly at: 'acknowledge' | 'call' | 'perform' | 'replayed' | 'snapshot' | 'sweep';
  readonly count: number;
  readonly when: 'after' | 'before' | 'torn';
}

/** Counts points; dies at the ordered one. */
export interface Mortal {
  /** To be called before and after each point of a kind. */
  pass(at: Death['at'], when: 'after' | 'before'): void;
  readonly fs: FileSystem;
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** A host that dies as ordered; without an order it lives. */
export function mortal(death: Death | undefined): Mortal {
  let count = 0;
  const isNext = (at: Death['at']) => death?.at === at && ++count === death.count;
  const pass: Mortal['pass'] = (at, when) => {
    if (death?.at !== at || death.when !== when) return;
    if (isNext(at)) die();
  };
  /** `call` counts every call, `snapshot` those that concern snapshots. */
  const isTurn = (path: string) => isNext('call') || (path.includes('/snapshots') && isNext('snapshot'));
  const around = async <Result>(path: string, run: () => Promise<Result>): Promise<Result> => {
    if (!isTurn(path)) return run();
    if (death?.when === 'after') await run();
    die();
  };
  const wrap = (file: OpenFile, path: string): OpenFile => ({
    async write(bytes, position) {
      if (!isTurn(path)) return file.write(bytes, position);
      if (death?.when === 'torn') await file.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), position);
      if (death?.when === 'after') await file.write(bytes, position);
      die();
    },
    writeSync(bytes) {
      if (!isTurn(path)) return file.writeSync(bytes);
      if (death?.when === 'torn') file.writeSync(bytes.subarray(0, Math.ceil(bytes.length / 2)));
      if (death?.when === 'after') file.writeSync(bytes);
      die();
    },
    datasync: () => around(path, () => file.datasync()),
    datasyncSync() {
      if (!isTurn(path)) return file.datasyncSync();
      if (death?.when === 'after') file.datasyncSync();
      die();
    },
    read: (into, position) => around(path, () => file.read(into, position)),
    size: () => around(path, () => file.size()),
    truncate: (bytes) => around(path, () => file.truncate(bytes)),
    close: () => around(path, () => file.close()),
  });
  const inner = nodeFileSystem;
  return {
    pass,
    fs: {
      ...inner,
      open: async (path, mode) => wrap(await around(path, () => inner.open(path, mode)), path),
      stat: (path) => around(path, () => inner.stat(path)),
      readdir: (path) => around(path, () => inner.readdir(path)),
      mkdir: (path) => around(path, () => inner.mkdir(path)),
      link: (from, to) => around(to, () => inner.link(from, to)),
      rename: (from, to) => around(to, () => inner.rename(from, to)),
      unlink: (path) => around(path, () => inner.unlink(path)),
      syncDirectory: (path) => around(path, () => inner.syncDirectory(path)),
    },
  };
}
