/** Who drives a run now, told by its lease without touching it (see `src/journal/lease.ts`). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Holder } from '../journal/port.ts';
import { machineProcesses, type ProcessIdentity } from '../journal/process-identity.ts';
import type { DataFolder } from './data-folder.ts';

/** The living holder of the run's newest epoch; undefined when it was given back or its holder is dead. A guess where it cannot be seen. */
export async function holderOf(data: DataFolder, run: string): Promise<Holder | undefined> {
  const folder = join(data.run(run), 'lease');
  try {
    const newest = (await readdir(folder))
      .filter((name) => /^\d+\./.test(name) && name.endsWith('.json'))
      .toSorted()
      .at(-1);
    if (newest === undefined || !/^\d+\.json$/.test(newest)) return undefined;
    const holder = JSON.parse(await readFile(join(folder, newest), 'utf8')) as ProcessIdentity & Holder;
    if (machineProcesses.liveness(holder) === 'dead') return undefined;
    return { host: holder.host, pid: holder.pid, since: holder.since };
  } catch {
    return undefined;
  }
}
