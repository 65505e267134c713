/**
 * The few file-system calls that the file journal makes, as a port: the node implementation is here, a disk in
 * memory is `memory-fs.ts`, injected trouble is `faulty-fs.ts`. Failures are the system's own errors (`code: 'ENOSPC'` …).
 *
 * Appending exists in a synchronous form too, because one waiting append is served about twice as fast by it
 * (see `writer.ts`); everything else is asynchronous, save `exists`, which the fence asks after every flush.
 */
import {
  close,
  constants,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstat,
  fsync,
  ftruncate,
  open,
  read,
  write,
  writeSync,
} from 'node:fs';
import { link, mkdir, readdir, rename, stat, unlink } from 'node:fs/promises';

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
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Resolves when creations, renames and removals in this folder survive power loss. */
  syncDirectory(path: string): Promise<void>;
}

/** True when `error` is a system error with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
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

function nodeFile(fd: number, flushed: boolean): OpenFile {
  let open = true;
  return {
    write: (bytes, position) =>
      new Promise((resolve, reject) => {
        write(fd, bytes, 0, bytes.length, position ?? null, (error, count) => (error ? reject(error) : resolve(count)));
      }),
    writeSync: (bytes) => writeSync(fd, bytes),
    datasync: () =>
      new Promise((resolve, reject) => {
        if (flushed) resolve();
        else fdatasync(fd, (error) => (error ? reject(error) : resolve()));
      }),
    datasyncSync: () => {
      if (!flushed) fdatasyncSync(fd);
    },
    read: (into, position) =>
      new Promise((resolve, reject) => {
        read(fd, into, 0, into.length, position, (error, count) => (error ? reject(error) : resolve(count)));
      }),
    size: () =>
      new Promise((resolve, reject) => fstat(fd, (error, stats) => (error ? reject(error) : resolve(stats.size)))),
    truncate: (bytes) =>
      new Promise((resolve, reject) => ftruncate(fd, bytes, (error) => (error ? reject(error) : resolve()))),
    close: () =>
      new Promise((resolve, reject) => {
        if (!open) return resolve();
        open = false;
        close(fd, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

/** The machine's own file system. */
export const nodeFileSystem: FileSystem = {
  open: (path, mode) =>
    new Promise((resolve, reject) => {
      open(path, modes[mode], (error, fd) =>
        error ? reject(error) : resolve(nodeFile(fd, mode === 'append' && oneCallFlush)),
      );
    }),
  exists: existsSync,
  async stat(path) {
    const stats = await stat(path);
    return { bytes: stats.size, modifiedAtMs: stats.mtimeMs };
  },
  readdir: (path) => readdir(path),
  mkdir: (path) => mkdir(path, { recursive: true }),
  link,
  rename,
  unlink,
  syncDirectory: (path) =>
    new Promise((resolve, reject) => {
      open(path, constants.O_RDONLY, (failed, fd) => {
        // Windows cannot open folders; its file system journals names by itself.
        if (failed) return hasCode(failed, 'EPERM') || hasCode(failed, 'EISDIR') ? resolve() : reject(failed);
        fsync(fd, (error) => close(fd, () => (error ? reject(error) : resolve())));
      });
    }),
};
