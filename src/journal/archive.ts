/**
 * Archives: a run's folder as one `.tar.gz`. Tar, because any machine can look into it and unpack it without troupe, and
 * what is unpacked in `runs/` is the run; gzip, because logs shrink to a tenth and its CRC-32 proves the file whole. Both are
 * simple enough to need no library.
 *
 * What is in it: everything in the folder but the lease, which is written as free, and what was never finished.
 */
import type { Clock } from '../clock.ts';
import { isTroupeError, TroupeError } from '../error.ts';
import { hasCode, readAll, withFile, writeAll, type FileSystem, type OpenFile } from './fs.ts';
import { gunzipped, gzipped } from './gzip.ts';
import { checkHeld, holding, withoutRoom } from './hold.ts';
import { nextNewline, parseObject } from './line.ts';
import { freeEpoch, type Epoch } from './lease.ts';
import { checkRunId, isRunId } from './names.ts';
import type { Archive } from './port.ts';
import { clearLeftovers, deleteRun, makeRun, type RunsPlace } from './run-folder.ts';
import { listSegments } from './segments.ts';
import { blockBytes, paddingOf, parseTarHeader, tarEnd, tarHeader } from './tar.ts';
import { filesBelow } from './tree.ts';

/** Where runs are, and how they are held. */
export interface ArchiveOptions extends RunsPlace {
  readonly clock: Clock;
  readonly leaseTtlMs: number;
}

const chunkBytes = 1024 * 1024;
let drafts = 0;

function place({ fs, clock, processes, dir, leaseTtlMs }: ArchiveOptions, run: string) {
  checkRunId(run);
  return { fs, clock, processes, run, folder: `${dir}/runs/${run}`, leaseTtlMs };
}

/** Removes a run. Codes: BAD_INPUT, RUN_UNKNOWN, RUN_BUSY, EPOCH_STALE; system errors pass through. */
export async function removeRun(options: ArchiveOptions, run: string): Promise<void> {
  const held = place(options, run);
  await clearLeftovers(options);
  await holding({ ...held, fs: withoutRoom(held.fs) }, async (epoch, gone) => {
    checkHeld(epoch, run);
    await deleteRun(options, run, gone);
  });
}

async function* bytesOf(fs: FileSystem, path: string, from: number, to: number): AsyncGenerator<Buffer> {
  const file = await fs.open(path, 'read');
  try {
    for (let at = from; at < to;) {
      const bytes = await readAll(file, at, Math.min(chunkBytes, to - at));
      if (bytes.length === 0) throw new Error(`${path} became shorter while it was read`);
      yield bytes;
      at += bytes.length;
    }
  } finally {
    await file.close();
  }
}

/** The run as a tar. */
async function* packed(
  fs: FileSystem,
  folder: string,
  run: string,
  lease: ReturnType<typeof freeEpoch>,
  at: number,
): AsyncGenerator<Uint8Array> {
  yield tarHeader(`${run}/lease/${lease.name}`, lease.bytes.length, at);
  yield lease.bytes;
  yield Buffer.alloc(paddingOf(lease.bytes.length));
  for (const name of await filesBelow(fs, folder)) {
    if (name.startsWith('lease/') || name.endsWith('.draft')) continue;
    const { bytes, modifiedAtMs } = await fs.stat(`${folder}/${name}`);
    yield tarHeader(`${run}/${name}`, bytes, modifiedAtMs);
    yield* bytesOf(fs, `${folder}/${name}`, 0, bytes);
    yield Buffer.alloc(paddingOf(bytes));
  }
  yield tarEnd();
}

/** Writes a run into a new file, reads that again, and then removes the run if asked to; not one whose folder the file lies in. System errors pass through. */
export async function archiveRun(
  options: ArchiveOptions,
  run: string,
  file: string,
  { remove = false }: { readonly remove?: boolean } = {},
): Promise<Archive> {
  const { fs, clock, processes } = options;
  const held = place(options, run);
  return holding(held, async (epoch, gone) => {
    const { pid, startedAt } = processes.self();
    const draft = `${file}.${pid}-${startedAt}-${(drafts += 1)}.draft`;
    const exists = new TroupeError('BAD_INPUT', `The file ${file} exists already; expected the name of a new one.`, {
      file,
    });
    if (fs.exists(file)) throw exists;
    try {
      await withFile(fs, draft, 'replace', async (target) => {
        let at = 0;
        for await (const bytes of gzipped(packed(fs, held.folder, run, freeOf(epoch, options), clock.now()))) {
          await writeAll(target, bytes, at);
          at += bytes.length;
        }
        await target.datasync();
      });
      const name = draft.slice(draft.lastIndexOf('/') + 1);
      if (remove && (await filesBelow(fs, held.folder)).some((path) => path.split('/').at(-1) === name))
        throw new TroupeError(
          'BAD_INPUT',
          `The file ${file} would be removed with run \`${run}\`, in whose folder it lies; expected a place outside.`,
          { file },
        );
      const files = await read(fs, draft, async () => undefined);
      checkHeld(epoch, run);
      await fs.link(draft, file).catch(async (error: unknown) => {
        if (hasCode(error, 'EEXIST')) throw exists;
        // A file system without second names, as on memory sticks.
        await fs.rename(draft, file);
      });
      await fs.syncDirectory(file.includes('/') ? file.slice(0, file.lastIndexOf('/')) || '/' : '.');
      if (remove) await deleteRun(options, run, gone);
      return { run, file, files: files.length, bytes: (await fs.stat(file)).bytes };
    } finally {
      await fs.unlink(draft).catch(() => undefined);
    }
  });
}

/** Our epoch as the one who restores the run finds it; an obligation to seal stays. */
function freeOf(epoch: Epoch, { processes, clock }: ArchiveOptions) {
  return freeEpoch(epoch.epoch, processes.self(), clock.now(), epoch.mustSeal);
}

/** Bytes in order, a given number at a time. */
function reader(source: AsyncIterable<Buffer>) {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  /** Up to `max` bytes, at least one; none at the end. */
  const some = async (max: number): Promise<Buffer> => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) return rest;
      rest = next.value;
    }
    const taken = rest.subarray(0, max);
    rest = rest.subarray(taken.length);
    return taken;
  };
  const all = async (bytes: number): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0;) {
      const part = await some(left);
      if (part.length === 0) throw new SyntaxError('it ends too early');
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  };
  const toEnd = async (): Promise<void> => {
    while ((await some(chunkBytes)).length > 0);
  };
  return { some, all, toEnd };
}

const partPattern = /^(?!\.{1,2}$)[^/\\\0]+$/;

/** Reads an archive; `begin` is told each file and returns where its bytes go. Resolves to the files' names. SyntaxError: it is none of ours. */
async function read(
  fs: FileSystem,
  file: string,
  begin: (name: string) => Promise<OpenFile | undefined>,
): Promise<readonly string[]> {
  const size = (await fs.stat(file)).bytes;
  const { some, all, toEnd } = reader(gunzipped(bytesOf(fs, file, 0, size)));
  const names: string[] = [];
  let long: string | undefined;
  for (;;) {
    const header = parseTarHeader(await all(blockBytes));
    if (header === undefined) break;
    const { type, bytes } = header;
    const name = long ?? header.name;
    long = undefined;
    if (type === 'long-name') {
      if (bytes > 64 * 1024) throw new SyntaxError('it holds a name that is too long');
      long = (await all(bytes)).toString('utf8').replace(/\0$/, '');
    } else if (type === 'file') {
      const parts = name.split('/');
      if (parts.length < 2 || !parts.every((part) => partPattern.test(part)))
        throw new SyntaxError(`it holds a file \`${name}\`, which is in no run`);
      names.push(name);
      const target = await begin(name);
      try {
        for (let at = 0; at < bytes;) {
          const part = await some(bytes - at);
          if (part.length === 0) throw new SyntaxError('it ends too early');
          if (target !== undefined) await writeAll(target, part, at);
          at += part.length;
        }
        await target?.datasync();
      } finally {
        await target?.close();
      }
    } else if (type === 'other' || bytes > 0) {
      throw new SyntaxError(`it holds \`${name}\`, which is no plain file`);
    }
    await all(paddingOf(bytes));
  }
  // gzip's checksum stands behind the last byte.
  await toEnd();
  return names;
}

/** How a file that cannot be read as an archive is told. */
function unreadable(error: unknown, file: string): unknown {
  if (isTroupeError(error)) return error;
  if (hasCode(error, 'EISDIR'))
    return new TroupeError('BAD_INPUT', `${file} is a folder; expected the file of an archive.`, { file }, error);
  if (hasCode(error, 'ENOENT')) return new TroupeError('BAD_INPUT', `There is no file ${file}.`, { file }, error);
  const details = { file };
  if (error instanceof SyntaxError)
    return new TroupeError('BAD_INPUT', `${file} is no archive of a run: ${error.message}.`, details, error);
  if (hasCode(error, 'Z_DATA_ERROR') || hasCode(error, 'Z_BUF_ERROR')) {
    return new TroupeError(
      'JOURNAL_CORRUPT',
      `${file}: the archive is damaged or cut off (${(error as Error).message}); nothing was restored.`,
      details,
      error,
    );
  }
  return error;
}

/** Makes a run of an archive; resolves to its id. After a failure or a crash there is no such run. System errors pass through. */
export async function restoreRun(options: ArchiveOptions, file: string): Promise<string> {
  const { fs, dir } = options;
  try {
    const run = await runIn(fs, file);
    const exists = new TroupeError('RUN_EXISTS', `Run \`${run}\` exists already in ${dir}/runs.`, { run });
    if ((await listSegments(fs, `${dir}/runs/${run}`, run)).segments.length > 0) throw exists;
    await clearLeftovers(options);
    await makeRun(options, run, async (draft) => {
      const folders = new Set<string>();
      const names = await read(fs, file, async (name) => {
        const parts = name.split('/');
        if (parts[0] !== run) throw new SyntaxError(`it holds a file \`${name}\`, which is not of run \`${run}\``);
        const path = [draft, ...parts.slice(1)];
        const folder = path.slice(0, -1).join('/');
        if (!folders.has(folder)) await fs.mkdir(folder);
        for (let length = 2; length < path.length; length += 1) folders.add(path.slice(0, length).join('/'));
        return fs.open(path.join('/'), 'replace');
      });
      if (!names.includes(`${run}/journal.jsonl`)) throw new SyntaxError('it holds no journal');
      const named = await namedIn(fs, `${draft}/journal.jsonl`);
      if (named !== undefined && named !== run)
        throw new SyntaxError(`its folder is \`${run}\`, but its journal is that of run \`${named}\``);
      for (const folder of folders) await fs.syncDirectory(folder);
    });
    return run;
  } catch (error) {
    throw unreadable(error, file);
  }
}

/** Which run the first line of a log names; undefined when it is damaged: such a run is restored as it is. */
async function namedIn(fs: FileSystem, path: string): Promise<string | undefined> {
  const bytes = await withFile(fs, path, 'read', (open) => readAll(open, 0, blockBytes * 128));
  try {
    const { run } = parseObject(bytes.subarray(0, nextNewline(bytes, 0)).toString());
    return typeof run === 'string' ? run : undefined;
  } catch {
    return undefined;
  }
}

/** Of which run an archive is: told by its first file. */
async function runIn(fs: FileSystem, file: string): Promise<string> {
  const size = (await fs.stat(file)).bytes;
  const source = gunzipped(bytesOf(fs, file, 0, size));
  for await (const bytes of source) {
    const header = bytes.length < blockBytes ? undefined : parseTarHeader(bytes.subarray(0, blockBytes));
    const name =
      header?.type === 'long-name'
        ? bytes.toString('utf8', blockBytes, blockBytes + header.bytes)
        : (header?.name ?? '');
    const run = name.split('/')[0] ?? '';
    if (isRunId(run) && name.includes('/')) return run;
    break;
  }
  throw new SyntaxError('it does not begin with a file of a run');
}
