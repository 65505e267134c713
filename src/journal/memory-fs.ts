/**
 * A disk in memory that knows what a power cut forgets: for tests of crash safety, at every call, in microseconds.
 *
 * Model: bytes are safe once `datasync` returned for their file; names (creations, links, renames, removals) are safe
 * once `syncDirectory` returned for their folder. A power cut forgets the rest, wholly or (per file) up to some byte.
 * `exists`, `stat`, `read` see everything, as another process would.
 */
import type { FileSystem, OpenFile, OpenMode } from './fs.ts';

interface Inode {
  bytes: Buffer;
  safe: Buffer;
  modifiedAtMs: number;
}
interface Folder {
  names: Map<string, Inode>;
  safe: Map<string, Inode>;
}

/** A disk in memory. */
export interface MemoryFileSystem extends FileSystem {
  /**
   * Forgets what was not flushed. `keepBytes` decides how many of a file's unsafe appended bytes stay (default none; the answer is
   * clamped); `keepNames` whether unsafe names stay (default false: both happen on real disks).
   */
  powerCut(options?: {
    readonly keepBytes?: (path: string, unsafeBytes: number) => number;
    readonly keepNames?: boolean;
  }): void;
  /** A file's content; undefined when there is none. */
  peek(path: string): Buffer | undefined;
  /** Puts a file there, durable at once. */
  poke(path: string, bytes: Uint8Array): void;
  /** Moves the disk's clock, which `stat` shows as a file's time of change. */
  advance(ms: number): void;
  /** All paths of files, sorted. */
  paths(): readonly string[];
}

function systemError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path });
}

function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash), path.slice(slash + 1)];
}

/** Makes an empty disk. Nothing of it outlives the process. */
export function memoryFileSystem(): MemoryFileSystem {
  const folders = new Map<string, Folder>([['', { names: new Map(), safe: new Map() }]]);
  let nowMs = 1_000_000;

  const folderOf = (path: string, call: string): Folder => {
    const folder = folders.get(split(path)[0]);
    if (folder === undefined) throw systemError('ENOENT', call, path);
    return folder;
  };
  const find = (path: string): Inode | undefined => folders.get(split(path)[0])?.names.get(split(path)[1]);
  const get = (path: string, call: string): Inode => {
    const inode = find(path);
    if (inode === undefined) throw systemError('ENOENT', call, path);
    return inode;
  };

  const openFile = (inode: Inode, mode: OpenMode): OpenFile => {
    const put = (bytes: Uint8Array, position?: number): number => {
      const at = mode === 'append' || position === undefined ? inode.bytes.length : position;
      const end = Math.max(inode.bytes.length, at + bytes.length);
      const next = Buffer.alloc(end);
      inode.bytes.copy(next);
      next.set(bytes, at);
      inode.bytes = next;
      inode.modifiedAtMs = nowMs;
      return bytes.length;
    };
    const flush = (): void => {
      inode.safe = inode.bytes;
    };
    return {
      write: async (bytes, position) => put(bytes, position),
      writeSync: (bytes) => put(bytes),
      datasync: async () => flush(),
      datasyncSync: flush,
      read: async (into, position) => inode.bytes.copy(into, 0, Math.min(position, inode.bytes.length)),
      size: async () => inode.bytes.length,
      truncate: async (bytes) => {
        inode.bytes = Buffer.from(inode.bytes.subarray(0, bytes));
        inode.modifiedAtMs = nowMs;
      },
      close: async () => undefined,
    };
  };

  const create = (path: string, call: string): Inode => {
    const inode: Inode = { bytes: Buffer.alloc(0), safe: Buffer.alloc(0), modifiedAtMs: nowMs };
    folderOf(path, call).names.set(split(path)[1], inode);
    return inode;
  };

  return {
    async open(path, mode) {
      if (mode !== 'replace') return openFile(get(path, 'open'), mode);
      const inode = find(path) ?? create(path, 'open');
      inode.bytes = Buffer.alloc(0);
      return openFile(inode, mode);
    },
    exists: (path) => find(path) !== undefined || folders.has(path),
    async stat(path) {
      const inode = get(path, 'stat');
      return { bytes: inode.bytes.length, modifiedAtMs: inode.modifiedAtMs };
    },
    async readdir(path) {
      const folder = folders.get(path);
      if (folder === undefined) throw systemError('ENOENT', 'readdir', path);
      const below = [...folders.keys()]
        .filter((other) => other !== '' && split(other)[0] === path)
        .map((other) => split(other)[1]);
      return [...folder.names.keys(), ...below];
    },
    async mkdir(path) {
      let first: string | undefined;
      let above = '';
      for (const part of path.split('/').slice(1)) {
        above += `/${part}`;
        if (folders.has(above)) continue;
        folders.set(above, { names: new Map(), safe: new Map() });
        first ??= above;
      }
      return first;
    },
    async link(from, to) {
      const inode = get(from, 'link');
      if (find(to) !== undefined) throw systemError('EEXIST', 'link', to);
      folderOf(to, 'link').names.set(split(to)[1], inode);
    },
    async rename(from, to) {
      const inode = get(from, 'rename');
      folderOf(to, 'rename').names.set(split(to)[1], inode);
      folderOf(from, 'rename').names.delete(split(from)[1]);
    },
    async unlink(path) {
      get(path, 'unlink');
      folderOf(path, 'unlink').names.delete(split(path)[1]);
    },
    async syncDirectory(path) {
      const folder = folders.get(path);
      if (folder === undefined) throw systemError('ENOENT', 'fsync', path);
      folder.safe = new Map(folder.names);
    },
    powerCut({ keepBytes = () => 0, keepNames = false } = {}) {
      for (const [path, folder] of folders) {
        if (!keepNames) folder.names = new Map(folder.safe);
        folder.safe = new Map(folder.names);
        for (const [name, inode] of folder.names) {
          const unsafe = Math.max(0, inode.bytes.length - inode.safe.length);
          const keep = Math.min(unsafe, Math.max(0, keepBytes(`${path}/${name}`, unsafe)));
          // Another inode than before: a process that was cut off keeps writing to nothing.
          const bytes = Buffer.from(keep === 0 ? inode.safe : inode.bytes.subarray(0, inode.safe.length + keep));
          folder.names.set(name, { bytes, safe: bytes, modifiedAtMs: inode.modifiedAtMs });
        }
        folder.safe = new Map(folder.names);
      }
    },
    peek: (path) => find(path)?.bytes,
    poke(path, bytes) {
      const inode = find(path) ?? create(path, 'poke');
      inode.bytes = Buffer.from(bytes);
      inode.safe = inode.bytes;
      const folder = folderOf(path, 'poke');
      folder.safe.set(split(path)[1], inode);
    },
    advance(ms) {
      nowMs += ms;
    },
    paths: () =>
      [...folders].flatMap(([path, folder]) => [...folder.names.keys()].map((name) => `${path}/${name}`)).toSorted(),
  };
}
