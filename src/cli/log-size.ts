/** How much there is of a run's log. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Changes whenever the log may have: cheaper than reading it again. */
export async function logSize(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names
    .filter((name) => name.endsWith('.jsonl'))
    .map(async (name) => `${name}:${(await stat(join(folder, name)).catch(() => undefined))?.size}`);
  return (await Promise.all(sizes)).join(' ');
}
