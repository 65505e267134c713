/**
 * Where files of a run directory are made before they get their names: a folder of ours, never babysitter's `journal`, where any name
 * that begins with a number takes a place (a writer that was killed would leave a gap there, and babysitter refuses gaps).
 */
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from './alive.ts';
import { namesIn, readEventFileNames } from './listing.ts';
import { parseTempFile } from './names.ts';

/** Our own folder in a run directory; babysitter does not look into it. */
export const troupeFolder = (runDir: string): string => join(runDir, 'troupe');
const stagingFolder = (runDir: string): string => join(troupeFolder(runDir), 'staging');

let made = 0;

/** Writes a file that has no name that matters yet; returns its path. Its content is durable, unless `isDurable` is false. */
export function stage(runDir: string, text: string, isDurable = true): string {
  made += 1;
  const file = join(stagingFolder(runDir), `${process.pid}-${made}-${Date.now()}`);
  let handle: number;
  try {
    handle = openSync(file, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(stagingFolder(runDir), { recursive: true });
    handle = openSync(file, 'wx');
  }
  try {
    // All of it, or an error: on a full disk one write may take a part only, and say so by its count alone.
    writeFileSync(handle, text);
    if (isDurable) fsyncSync(handle);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
  return file;
}

/** Gives a staged file its name, in the place of whatever has it. Durable with {@link syncFolder}. */
export function place(staged: string, target: string): void {
  renameSync(staged, target);
}

/** Gives a staged file its name if nothing has it; false when something has. The staged file is gone either way. */
export function placeNew(staged: string, target: string): boolean {
  try {
    linkSync(staged, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(staged, { force: true });
  }
}

/** Makes names in a folder durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Removes what dead writers have begun: ours, and babysitter's in the journal, which would keep a place for good. Needs the lock. */
export function removeLeftovers(runDir: string): readonly string[] {
  const removed: string[] = [];
  for (const name of namesIn(stagingFolder(runDir))) {
    const file = join(stagingFolder(runDir), name);
    if (isLeft(file, Number(name.split('-')[0]))) rmSync(file, { force: true });
  }
  for (const name of readEventFileNames(runDir).others) {
    const temp = parseTempFile(name);
    if (temp === undefined || !isLeft(join(runDir, 'journal', name), temp.pid)) continue;
    rmSync(join(runDir, 'journal', name), { force: true });
    removed.push(name);
  }
  if (removed.length > 0) syncFolder(join(runDir, 'journal'));
  return removed;
}
