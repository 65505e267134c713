/**
 * How a run's folder comes and goes as a whole: it is made under another name and renamed when everything in it is
 * durable, and renamed before anything in it is deleted. Readers see a run wholly or not at all; so does whoever
 * comes after a crash.
 *
 *     runs/.draft-<run>-…    being made (a fork, a restore)
 *     runs/.trash-<run>-…    being deleted
 *
 * Neither is a run's name. What a crash leaves of them is removed by the next host that forks, restores or removes here; a draft of which
 * nobody can say whether its maker lives (the machine was started again since), by one that comes a day later.
 */
import type { Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { hasCode, readAll, withFile, type FileSystem } from './fs.ts';
import { identityOf, makerDraft } from './lease.ts';
import { isRunId } from './names.ts';
import type { Processes } from './process-identity.ts';
import { removeTree, syncAbove, writeFile } from './tree.ts';

/** Where runs are. */
export interface RunsPlace {
  readonly fs: FileSystem;
  /** The data folder. */
  readonly dir: string;
  readonly processes: Processes;
}

const draftMark = '.draft-';
const trashMark = '.trash-';
/** In a draft: who makes it. Lies with the lease's own drafts, which the first holder of the run removes. */
const makerFile = `lease/${makerDraft}`;

/** A maker that cannot be looked at, as after a restart of the machine, is given up after so long: a day is enough to copy any run. */
const makingMsMax = 24 * 60 * 60 * 1000;

let names = 0;

function nameOf(mark: string, run: string, { processes }: RunsPlace): string {
  const { pid, startedAt } = processes.self();
  return `${mark}${run}-${pid}-${startedAt}-${(names += 1)}`;
}

/**
 * Makes the folder of a new run: `fill` writes it in a draft, each file durable but for its name. RUN_EXISTS when there is
 * one meanwhile; system errors pass through. After a failure or a crash there is no such run.
 */
export async function makeRun(place: RunsPlace, run: string, fill: (draft: string) => Promise<void>): Promise<void> {
  const { fs, dir, processes } = place;
  const runs = `${dir}/runs`;
  const name = nameOf(draftMark, run, place);
  const draft = `${runs}/${name}`;
  const made = await fs.mkdir(`${draft}/lease`);
  try {
    await writeFile(fs, `${draft}/${makerFile}`, Buffer.from(`${JSON.stringify(processes.self())}\n`));
    // Durable first: by it whoever comes after a power cut knows that nobody goes on here.
    await fs.syncDirectory(`${draft}/lease`);
    await fill(draft);
    await Promise.all([`${draft}/lease`, draft].map((folder) => fs.syncDirectory(folder)));
    try {
      await fs.rename(draft, `${runs}/${run}`);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].some((code) => hasCode(error, code))) throw error;
      throw new TroupeError('RUN_EXISTS', `Run \`${run}\` exists already in ${runs}.`, { run }, error);
    }
    await fs.syncDirectory(runs);
    if (made?.endsWith(name) === true) return;
    // Whoever made the folders above, now their names are durable.
    await fs.syncDirectory(dir);
    if (made !== undefined) await syncAbove(fs, dir, made);
  } catch (error) {
    await removeTree(fs, draft).catch(() => undefined);
    throw error;
  }
}

/** Removes a run's folder: in one step for whoever reads, told by `gone`, durable before anything is deleted. Its lease must be held. */
export async function deleteRun(place: RunsPlace, run: string, gone: () => void): Promise<void> {
  const { fs, dir } = place;
  const runs = `${dir}/runs`;
  const trash = `${runs}/${nameOf(trashMark, run, place)}`;
  await fs.rename(`${runs}/${run}`, trash);
  gone();
  await fs.syncDirectory(runs);
  await removeTree(fs, trash);
}

/** Removes what crashes have left of drafts and deletions. Trouble is left to the next one: nobody depends on it. */
export async function clearLeftovers({
  fs,
  dir,
  processes,
  clock,
}: RunsPlace & { readonly clock: Clock }): Promise<void> {
  const runs = `${dir}/runs`;
  const isDead = async (draft: string): Promise<boolean> => {
    const path = `${draft}/${makerFile}`;
    // Whoever died before he was named has left the folder only.
    const isNamed = fs.exists(path);
    const bytes = isNamed
      ? await withFile(fs, path, 'read', async (open) => readAll(open, 0, await open.size()))
      : Buffer.alloc(0);
    const maker = identityOf(bytes.toString());
    const liveness = maker === undefined ? 'unknown' : processes.liveness(maker);
    if (liveness !== 'unknown') return liveness === 'dead';
    return clock.now() - (await fs.stat(isNamed ? path : draft)).modifiedAtMs > makingMsMax;
  };
  try {
    for (const name of await fs.readdir(runs)) {
      if (isRunId(name)) continue;
      const path = `${runs}/${name}`;
      if (name.startsWith(trashMark) || (name.startsWith(draftMark) && (await isDead(path).catch(() => false)))) {
        await removeTree(fs, path);
      }
    }
  } catch {
    // The next one will.
  }
}
