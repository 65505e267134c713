/**
 * The few file-system calls that the file journal makes, as a port: the node implementation is here, a disk in
 * memory is `memory-fs.ts`, injected trouble is `faulty-fs.ts`. Failures are the system's own errors (`code: 'ENOSPC'` …).
 *
 * Appending exists in a synchronous form too, because one waiting append is served about twice as fast by it
 * (see `writer.ts`); everything else is asynchronous, save `exists`, which the fence asks after every flush. What is served from
 * memory blocks all the same, within bounds (`quickly.ts`); flushes, long reads and the
 * removal of long files never do.
 */
import {
  accessSync,
  close,
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstat,
  fstatSync,
  fsync,
  ftruncate,
  link,
  linkSync,
  lstatSync,
  mkdir,
  mkdirSync,
  open,
  openSync,
  read,
  readdir,
  readdirSync,
  readSync,
  rename,
  renameSync,
  rmdir,
  stat,
  statSync,
  unlink,
  unlinkSync,
  write,
  writeSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { quickly } from './quickly.ts';

/** How a file is opened: `append` creates nothing, `replace` creates or empties it, `change` edits an existing one in place. */
export type OpenMode = 'read' | 'append' | 'replace' | 'change';

/** An open file. Offsets and sizes are in bytes. */
export interface OpenFile {
  /** Writes some of `bytes`, at `position` or (append) at the end; resolves to how many were written, at least one. */
  write(bytes: Uint8Array, position?: number): Promise<number>;
  /** `write` to the end, blocking. */
  writeSync(bytes: Uint8Array): number;
  /** Resolves when everything written through this file survives power loss. */
  datasync(): Promise<void>;
  /** `datasync`, blocking. */
  datasyncSync(): void;
  /** Reads up to `into.length` bytes from `position`; 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** The file's present size. */
  size(): Promise<number>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** The file system as the journal sees it. Paths use `/`. */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** True when something stands at `path` and can be looked at. Never throws. */
  exists(path: string): boolean;
  stat(path: string): Promise<{ readonly bytes: number; readonly modifiedAtMs: number }>;
  /** Names in a folder, in no order. */
  readdir(path: string): Promise<readonly string[]>;
  /** Creates a folder and those above it; resolves to the topmost one it created, undefined when it was there. */
  mkdir(path: string): Promise<string | undefined>;
  /** Gives a file a second name, atomically; EEXIST when the name is taken. */
  link(from: string, to: string): Promise<void>;
  /** Renames a file, replacing one of that name, or a folder: ENOTEMPTY or EEXIST when there is one of that name that is not empty. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Removes an empty folder. */
  rmdir(path: string): Promise<void>;
  /** Resolves when creations, renames and removals in this folder survive power loss. */
  syncDirectory(path: string): Promise<void>;
}

/** True when `error` is a system error with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Codes of file systems that give files no second names (hard links), as on memory sticks, or not here. */
const withoutLinks = ['EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'];

/** True when `error` is that of a file system which gives a file no second name. */
export function isWithoutLinks(error: unknown): boolean {
  const isOfLink = error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'link';
  return isOfLink && withoutLinks.some((code) => hasCode(error, code));
}

/** Writes all of `bytes`, however many calls it takes. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await file.write(
      done === 0 ? bytes : bytes.subarray(done),
      position === undefined ? undefined : position + done,
    );
  }
}

/** Writes all of `bytes` to the end, flushed piece by piece. */
export async function writeFlushed(file: OpenFile, bytes: Uint8Array, pieceBytes: number): Promise<void> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    await writeAll(file, bytes.subarray(from, from + pieceBytes));
    await file.datasync();
  }
}

/** Reads `length` bytes from `position`, fewer when the file ends before. */
export async function readAll(file: OpenFile, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = await file.read(bytes.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Opens, uses, and always closes a file. */
export async function withFile<Result>(
  fs: FileSystem,
  path: string,
  mode: OpenMode,
  use: (file: OpenFile) => Promise<Result>,
): Promise<Result> {
  const file = await fs.open(path, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Linux promises that a write to a file opened with O_DSYNC is as durable as write + fdatasync: one call instead of two. */
const oneCallFlush = process.platform === 'linux';

const modes: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  append: constants.O_WRONLY | constants.O_APPEND | (oneCallFlush ? constants.O_DSYNC : 0),
  replace: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  change: constants.O_RDWR,
};

type Done<Result> = (error: Error | null, result?: Result) => void;

/** A call through the thread pool. */
function inPool<Result = void>(call: (done: Done<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    // Without an error there is a result.
    call((error, result) => (error ? reject(error) : resolve(result as Result)));
  });
}

/** Longer reads and writes leave the event loop alone. */
const quickBytesMax = 256 * 1024;

function openQuickly(path: string, flags: number): Promise<number> {
  return quickly(
    () => openSync(path, flags),
    () => inPool<number>((done) => open(path, flags, done)),
  );
}

function closeQuickly(fd: number): Promise<void> {
  return quickly(
    () => closeSync(fd),
    () => inPool((done) => close(fd, done)),
  );
}

function nodeFile(fd: number, isFlushed: boolean): OpenFile {
  let isOpen = true;
  return {
    write(bytes, position = null as never) {
      const pooled = (done: Done<number>) => write(fd, bytes, 0, bytes.length, position, done);
      // A write that is flushed at once is as slow as a flush.
      return isFlushed || bytes.length > quickBytesMax
        ? inPool(pooled)
        : quickly(
            () => writeSync(fd, bytes, 0, bytes.length, position),
            () => inPool(pooled),
          );
    },
    writeSync: (bytes) => writeSync(fd, bytes),
    datasync: () => (isFlushed ? Promise.resolve() : inPool((done) => fdatasync(fd, done))),
    datasyncSync() {
      if (!isFlushed) fdatasyncSync(fd);
    },
    read(into, position) {
      const pooled = (done: Done<number>) => read(fd, into, 0, into.length, position, done);
      return into.length > quickBytesMax
        ? inPool(pooled)
        : quickly(
            () => readSync(fd, into, 0, into.length, position),
            () => inPool(pooled),
          );
    },
    size: () =>
      quickly(
        () => fstatSync(fd),
        () => inPool<Stats>((done) => fstat(fd, done)),
      ).then(({ size }) => size),
    truncate: (bytes) => inPool((done) => ftruncate(fd, bytes, done)),
    close() {
      if (!isOpen) return Promise.resolve();
      isOpen = false;
      return closeQuickly(fd);
    },
  };
}

/** Why a folder cannot be made: of a file system that can only be read, `mkdir` of a folder with those above it says that it is not there. */
function whyNotMade(path: string, error: unknown): unknown {
  let above = dirname(path);
  while (!existsSync(above) && dirname(above) !== above) above = dirname(above);
  try {
    accessSync(above, constants.W_OK);
    return error;
  } catch (reason) {
    return reason;
  }
}

/** The machine's own file system. */
export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    const fd = await openQuickly(path, modes[mode]);
    return nodeFile(fd, mode === 'append' && oneCallFlush);
  },
  exists: existsSync,
  async stat(path) {
    const stats = await quickly(
      () => statSync(path),
      () => inPool<Stats>((done) => stat(path, done)),
    );
    return { bytes: stats.size, modifiedAtMs: stats.mtimeMs };
  },
  readdir: (path) =>
    quickly(
      () => readdirSync(path),
      () => inPool<string[]>((done) => readdir(path, done)),
    ),
  mkdir: (path) =>
    quickly(
      () => mkdirSync(path, { recursive: true }),
      () => inPool<string | undefined>((done) => mkdir(path, { recursive: true }, done)),
    ).catch((error: unknown) => {
      throw hasCode(error, 'ENOENT') ? whyNotMade(path, error) : error;
    }),
  link: (from, to) =>
    quickly(
      () => linkSync(from, to),
      () => inPool((done) => link(from, to, done)),
    ),
  rename: (from, to) =>
    quickly(
      () => renameSync(from, to),
      () => inPool((done) => rename(from, to, done)),
    ),
  async unlink(path) {
    const isGone = await quickly(
      () => lstatSync(path).size <= quickBytesMax && unlinkSync(path) === undefined,
      () => Promise.resolve(false),
    );
    // Freeing a long file takes its time.
    if (!isGone) await inPool((done) => unlink(path, done));
  },
  rmdir: (path) => inPool((done) => rmdir(path, done)),
  async syncDirectory(path) {
    let fd: number;
    try {
      fd = await openQuickly(path, constants.O_RDONLY);
    } catch (error) {
      // Windows cannot open folders; its file system journals names by itself.
      if (hasCode(error, 'EPERM') || hasCode(error, 'EISDIR')) return;
      throw error;
    }
    try {
      await inPool((done) => fsync(fd, done));
    } finally {
      await closeQuickly(fd);
    }
  },
};
