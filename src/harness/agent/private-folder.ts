/** A folder of an attempt's own for what an agent must find in files: settings with a token, schemas. Nobody else may read it. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefixOf = (key: string) => `troupe-${createHash('sha256').update(key).digest('hex').slice(0, 24)}-`;

/** Makes it. Its name tells whose it is, so that it is found again when its host has died. */
export async function privateFolder(key: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), prefixOf(key)));
  return { path, remove: () => removed(path) };
}

/** Removes what attempts of this key have left. */
export async function removePrivateFolders(key: string): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) if (name.startsWith(prefixOf(key))) await removed(join(tmpdir(), name));
}

const removed = (path: string) => rm(path, { recursive: true, force: true }).catch(() => undefined);
