/** Folders as trees: listed, copied by bytes, removed. */
import { hasCode, isWithoutLinks, readAll, withFile, writeAll, type FileSystem, type OpenFile } from './fs.ts';

const chunkBytes = 1024 * 1024;

/** Paths of all files below `folder`, relative to it, sorted; none when it is missing. System errors pass through. */
export async function filesBelow(fs: FileSystem, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (path: string): Promise<void> => {
    let names: readonly string[];
    try {
      names = await fs.readdir(path === '' ? folder : `${folder}/${path}`);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      if (!hasCode(error, 'ENOTDIR') || path === '') throw error;
      found.push(path);
      return;
    }
    for (const name of names.toSorted()) await visit(path === '' ? name : `${path}/${name}`);
  };
  await visit('');
  return found;
}

/** Removes a file, or a folder with all that is in it. What has gone already is no trouble, so that two may do it at once. */
export async function removeTree(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.unlink(path);
    return;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    // Of a folder, Linux says EISDIR, other systems EPERM.
    if (!hasCode(error, 'EISDIR') && !hasCode(error, 'EPERM')) throw error;
  }
  try {
    for (const name of await fs.readdir(path)) await removeTree(fs, `${path}/${name}`);
    await fs.rmdir(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** Copies bytes [from, to) of a file to the end of another one; resolves to how many there were (fewer when it ends before). */
export async function copyBytes(
  source: OpenFile,
  from: number,
  to: number,
  target: OpenFile,
  at: number,
): Promise<number> {
  let done = 0;
  while (from + done < to) {
    const bytes = await readAll(source, from + done, Math.min(chunkBytes, to - from - done));
    if (bytes.length === 0) break;
    await writeAll(target, bytes, at + done);
    done += bytes.length;
  }
  return done;
}

/** Writes a file, durable but for its name. */
export async function writeFile(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  await withFile(fs, path, 'replace', async (open) => {
    await writeAll(open, bytes, 0);
    await open.datasync();
  });
}

/** Copies a file as it is now, durable but for its name. */
export async function copyFile(fs: FileSystem, from: string, to: string): Promise<void> {
  await withFile(fs, from, 'read', async (source) =>
    withFile(fs, to, 'replace', async (target) => {
      await copyBytes(source, 0, await source.size(), target, 0);
      await target.datasync();
    }),
  );
}

/** Gives a file a second name, or copies it where that cannot be. Resolves to false when there is none. */
export async function shareFile(fs: FileSystem, from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    if (!isWithoutLinks(error)) throw error;
    await copyFile(fs, from, to);
  }
  return true;
}

/** Gives a file that may have a second name in another run bytes of its own, before something is written to it. */
export async function unshare(fs: FileSystem, path: string): Promise<void> {
  if (!fs.exists(path)) return;
  await copyFile(fs, path, `${path}.draft`);
  await fs.rename(`${path}.draft`, path);
}

/** Makes the names of a folder and of those above it durable, up to the topmost one that was made (as `mkdir` tells it). */
export async function syncAbove(fs: FileSystem, folder: string, made: string): Promise<void> {
  for (
    let path = folder;
    path.length >= made.length && path !== '';
    path = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  )
    await fs.syncDirectory(`${path}/..`).catch(() => undefined);
}
