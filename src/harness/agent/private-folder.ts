/** A folder of an attempt's own for what an agent must find in files: settings with a token, schemas. Nobody else may read it. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostMark, hostsAmong, listProcesses } from '../program/list-processes.ts';

const prefixOf = (key: string) => `troupe-${createHash('sha256').update(key).digest('hex').slice(0, 24)}-`;

/** Those of this process. Keys of two stores may be equal. */
const used = new Set<string>();

/** Makes it. Its name tells whose it is, and which host's, so that it is found again when that host has died. */
export async function privateFolder(key: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `${prefixOf(key)}${hostMark()}-`));
  used.add(path);
  const remove = async () => {
    used.delete(path);
    await removed(path);
  };
  return { path, remove };
}

/** Removes what attempts of this key have left; what another host that is alive has made, or this one, is in use: see `sweep`. */
export async function removePrivateFolders(key: string): Promise<void> {
  const prefix = prefixOf(key);
  const names = (await readdir(tmpdir()).catch(() => [])).filter((name) => name.startsWith(prefix));
  if (names.length === 0) return;
  const hosts = hostsAmong(await listProcesses());
  for (const name of names) {
    const host = name.slice(prefix.length, name.lastIndexOf('-'));
    const path = join(tmpdir(), name);
    if (host === hostMark() ? !used.has(path) : !hosts.has(host)) await removed(path);
  }
}

const removed = (path: string) => rm(path, { recursive: true, force: true }).catch(() => undefined);
