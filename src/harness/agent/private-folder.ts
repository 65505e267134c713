/** A folder of an attempt's own for what an agent must find in files: settings with a token, schemas. Nobody else may read it. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostsAmong, listProcesses } from '../program/list-processes.ts';
import { isPerformed } from '../program/stint.ts';

const prefixOf = (key: string) => `troupe-${createHash('sha256').update(key).digest('hex').slice(0, 24)}-`;

/** Makes it. Its name tells whose it is, and of which stint (its mark), so that it is found again when nobody performs that any more. */
export async function privateFolder(
  key: string,
  stint: string,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `${prefixOf(key)}${stint}-`));
  return { path, remove: () => removed(path) };
}

/** Removes what attempts of this key have left; what is of an attempt that is performed still is in use: see `sweep`. */
export async function removePrivateFolders(key: string): Promise<void> {
  const prefix = prefixOf(key);
  const names = (await readdir(tmpdir()).catch(() => [])).filter((name) => name.startsWith(prefix));
  if (names.length === 0) return;
  const hosts = hostsAmong(await listProcesses());
  for (const name of names) {
    const stint = name.slice(prefix.length, name.lastIndexOf('-'));
    if (!isPerformed(stint, hosts)) await removed(join(tmpdir(), name));
  }
}

const removed = (path: string) => rm(path, { recursive: true, force: true }).catch(() => undefined);
