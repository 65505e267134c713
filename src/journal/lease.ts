/**
 * One writer at a time, without a server: epoch files in `<run>/lease/`.
 *
 * `000003.json` says who holds epoch 3. Its holder gives it back by renaming it to `000003.free.json`, or, after trouble with the disk,
 * to `000003.failed.json` (a rename needs no space).
 * The newest epoch counts. Rules:
 *
 *  1. Taking epoch N+1 is `link(draft, 000004.json)`: atomic, and EEXIST for all but one. The winner looks again afterwards: if a newer
 *     epoch is there (it had looked, and then slept through several holders), it backs out.
 *  2. Nobody but a newer holder removes epoch files; it removes all older ones before it does anything else. So the newest one is always
 *     there, and while a holder's own file is there no successor has read the log yet.
 *  3. A holder acknowledges an append only after (a) the flush and then (b) that proof (`isHeld`).
 *  4. A holder that is certainly dead, or has given the run back, cannot write: its successor goes on in the same file.
 *     Any other one (another machine whose heartbeat has stopped, a killed process with a thread still in a write) may yet
 *     write. Its successor (c) makes its epoch file and removes the older ones, then (d) reads the last segment to its last whole append, and (e) makes a new
 *     segment whose header says where the last one ends. `mustSeal` in the epoch file holds until (e) is done, whoever does it.
 *
 * Why nothing acknowledged is lost and nothing unacknowledged comes back: if the old holder acknowledged, its (b) found its file, so
 * its (b) was before (c), so its flush (a) was before (d): the successor has read those bytes and the seal includes them. What it
 * writes after (d) lies behind the sealed end, where nobody reads; it misses its file in (b), and tells its caller EPOCH_STALE.
 * A segment's name is given by `link` too, so a stale roll-over and a successor's new segment cannot overwrite each other.
 *
 * This needs a file system where all hosts see a link at once: any local one, or a network one that caches no names (NFS: `lookupcache=none`).
 */
import { isoText, type Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { hasCode, withFile, writeAll, type FileSystem } from './fs.ts';
import { parseObject } from './line.ts';
import type { Holder } from './port.ts';
import type { Liveness, ProcessIdentity, Processes } from './process-identity.ts';

/** What the lease needs to know. */
export interface LeaseOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly run: string;
  /** The run's folder. */
  readonly folder: string;
  /** A holder that cannot be looked at is given up when its file has not changed for so long. */
  readonly leaseTtlMs: number;
}

/** An epoch file of ours. */
export interface Epoch {
  readonly epoch: number;
  /** Whose epoch came before, if it was not given back. */
  readonly takenFrom: Holder | undefined;
  /** The holder before gave it back, all its appends acknowledged: the log's end is durable. */
  readonly wasClean: boolean;
  /** The last segment may still be written by somebody else: it must be sealed before anything is appended. */
  readonly mustSeal: boolean;
  /** `held`; `stale` when another host took the run over; `gone` when the run's folder was removed or cannot be looked at. One quick blocking call. */
  isHeld(): 'held' | 'stale' | 'gone';
  /** Shows that we live. */
  heartbeat(): Promise<void>;
  /** Gives the epoch back; `clean` when no append has failed. */
  release(clean: boolean): Promise<void>;
}

interface EpochFile {
  readonly epoch: number;
  readonly state: 'held' | 'free' | 'failed';
  readonly name: string;
}

interface EpochContent {
  readonly identity: ProcessIdentity;
  readonly since: number;
  readonly mustSeal: boolean;
}

/** Epoch files whose release failed though their holder in this process is through with them. */
const abandoned = new Set<string>();

const unknownIdentity: ProcessIdentity = { host: 'unknown', pid: 0, bootId: '', pidNamespace: '', startedAt: '' };

function parseName(name: string): EpochFile | undefined {
  const match = /^(\d{6,})(?:\.(free|failed))?\.json$/.exec(name);
  if (match === null) return undefined;
  return { epoch: Number(match[1]), state: match[2] === 'free' || match[2] === 'failed' ? match[2] : 'held', name };
}

function fileName(epoch: number, state: EpochFile['state']): string {
  return `${String(epoch).padStart(6, '0')}${state === 'held' ? '' : `.${state}`}.json`;
}

/** An epoch that was given back: how a run that is made as a whole begins. The next holder has the next epoch. */
export function freeEpoch(
  epoch: number,
  self: ProcessIdentity,
  since: number,
  mustSeal = false,
): { readonly name: string; readonly bytes: Buffer } {
  return { name: fileName(epoch, 'free'), bytes: Buffer.from(`${JSON.stringify({ ...self, since, mustSeal })}\n`) };
}

/** Who wrote himself into this text; undefined when nobody did. */
export function identityOf(text: string): ProcessIdentity | undefined {
  try {
    const { host, pid, bootId, pidNamespace, startedAt } = parseObject(text);
    if (typeof host === 'string' && typeof pid === 'number')
      return { host, pid, bootId: String(bootId), pidNamespace: String(pidNamespace), startedAt: String(startedAt) };
  } catch {
    // Falls through.
  }
  return undefined;
}

/** A damaged epoch file names nobody: nothing is known of its holder, so it is waited for, and sealed off. */
function parseContent(text: string): EpochContent {
  try {
    const { since, mustSeal } = parseObject(text);
    const identity = identityOf(text);
    if (identity !== undefined && typeof since === 'number') return { identity, since, mustSeal: mustSeal !== false };
  } catch {
    // Falls through.
  }
  return { identity: unknownIdentity, since: 0, mustSeal: true };
}

/** Who has made a run as a whole, a fork say; there until its first holder comes. */
export const makerDraft = 'maker.draft';

const tryMax = 100;
let drafts = 0;

/**
 * Takes the next epoch of a run, at least `epochMin`. `sealedEpoch` tells the epoch of the last segment's header: an obligation to seal
 * that is not newer than it has been met. Codes: RUN_BUSY, RUN_UNKNOWN; system errors pass through.
 */
export async function takeEpoch(
  options: LeaseOptions,
  epochMin: number,
  sealedEpoch: () => Promise<number>,
): Promise<Epoch> {
  const { fs, clock, processes, run, leaseTtlMs } = options;
  const folder = `${options.folder}/lease`;
  const self = processes.self();
  const since = clock.now();
  const draft = `${folder}/${self.host}-${self.pid}-${self.startedAt}-${since}-${++drafts}.draft`;

  const listEpochs = async (): Promise<readonly EpochFile[]> =>
    (await fs.readdir(folder))
      .map(parseName)
      .filter((file) => file !== undefined)
      .toSorted((a, b) => a.epoch - b.epoch);

  const readEpoch = async (file: EpochFile): Promise<EpochContent | undefined> => {
    try {
      return await withFile(fs, `${folder}/${file.name}`, 'read', async (open) => {
        const bytes = Buffer.alloc(await open.size());
        const count = bytes.length === 0 ? 0 : await open.read(bytes, 0);
        return parseContent(bytes.toString('utf8', 0, count));
      });
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  };

  const writeDraft = (content: object): Promise<void> =>
    withFile(fs, draft, 'replace', async (open) => {
      await writeAll(open, Buffer.from(`${JSON.stringify(content)}\n`), 0);
      await open.datasync();
    });

  /** Whether the holder's heartbeat has stopped, both times told by the file system's own clock. A file that has gone has changed. */
  const hasExpired = async (file: EpochFile): Promise<boolean> => {
    await writeDraft({});
    try {
      // Our draft goes too when somebody else takes the run.
      const now = await fs.stat(draft);
      const then = await fs.stat(`${folder}/${file.name}`);
      return now.modifiedAtMs - then.modifiedAtMs > leaseTtlMs;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  };

  const livenessOf = (identity: ProcessIdentity, path: string): Liveness => {
    if (identity === unknownIdentity) return 'unknown';
    if (identity.pid === self.pid && identity.startedAt === self.startedAt && abandoned.has(path)) return 'dead';
    return processes.liveness(identity);
  };

  const busy = ({ identity, since: held }: EpochContent): TroupeError => {
    const { host, pid } = identity;
    return new TroupeError('RUN_BUSY', `Run \`${run}\` is held by process ${pid} on ${host} since ${isoText(held)}.`, {
      run,
      host,
      pid,
      since: held,
    });
  };

  /** Throws RUN_UNKNOWN when the run was removed: making the lease's folder would leave half a run in the way of the next one of its name. */
  const checkThere = async (): Promise<void> => {
    try {
      await fs.readdir(options.folder);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      throw new TroupeError('RUN_UNKNOWN', `Run \`${run}\` has been removed.`, { run }, error);
    }
  };

  /** One try; undefined when something changed meanwhile. */
  const attempt = async (): Promise<Epoch | undefined> => {
    await checkThere();
    if ((await fs.mkdir(folder)) !== undefined) await fs.syncDirectory(options.folder);
    const epochs = await listEpochs();
    const newest = epochs.at(-1);
    let takenFrom: Holder | undefined;
    let mustSeal = false;
    if (newest !== undefined) {
      const content = await readEpoch(newest);
      if (content === undefined) return undefined;
      mustSeal = content.mustSeal && (await sealedEpoch()) < newest.epoch;
      if (newest.state === 'held') {
        const liveness = livenessOf(content.identity, `${folder}/${newest.name}`);
        if (liveness === 'alive' || (liveness === 'unknown' && !(await hasExpired(newest)))) throw busy(content);
        if (liveness !== 'dead') mustSeal = true;
        takenFrom = { host: content.identity.host, pid: content.identity.pid, since: content.since };
      }
    }
    const epoch = Math.max(epochMin, (newest?.epoch ?? 0) + 1);
    const own = `${folder}/${fileName(epoch, 'held')}`;
    await writeDraft({ ...self, since, mustSeal });
    try {
      await fs.link(draft, own);
    } catch (error) {
      if (hasCode(error, 'EEXIST') || hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
    abandoned.delete(own);
    try {
      const present = await fs.readdir(folder);
      if (present.some((name) => (parseName(name)?.epoch ?? 0) > epoch)) {
        await fs.unlink(own);
        return undefined;
      }
      await fs.syncDirectory(folder);
      // Who made this run may have died before its name was durable.
      if (present.includes(makerDraft))
        await fs.syncDirectory(options.folder.slice(0, options.folder.lastIndexOf('/')));
      const old = present.filter((name) => (parseName(name)?.epoch ?? epoch) < epoch).toSorted();
      for (const name of [...old, ...present.filter((other) => other.endsWith('.draft'))]) {
        await fs.unlink(`${folder}/${name}`).catch((error: unknown) => {
          if (!hasCode(error, 'ENOENT')) throw error;
        });
      }
    } catch (error) {
      abandoned.add(own);
      throw error;
    }
    return {
      epoch,
      takenFrom,
      mustSeal,
      wasClean: newest === undefined || newest.state === 'free',
      ...hold(epoch, own),
    };
  };

  const hold = (epoch: number, own: string): Pick<Epoch, 'isHeld' | 'heartbeat' | 'release'> => {
    return {
      isHeld() {
        if (fs.exists(own)) return 'held';
        return fs.exists(folder) ? 'stale' : 'gone';
      },
      heartbeat: () => withFile(fs, own, 'change', (open) => writeAll(open, Buffer.from('{'), 0)),
      async release(clean) {
        try {
          await fs.rename(own, `${folder}/${fileName(epoch, clean ? 'free' : 'failed')}`);
          await fs.syncDirectory(folder);
        } catch (error) {
          if (hasCode(error, 'ENOENT')) return;
          abandoned.add(own);
          throw error;
        }
      },
    };
  };

  try {
    for (let tries = 0; tries < tryMax; tries++) {
      const taken = await attempt();
      if (taken !== undefined) return taken;
    }
    throw new TroupeError('RUN_BUSY', `Run \`${run}\` changed hands ${tryMax} times while it was to be taken.`, {
      run,
    });
  } finally {
    await fs.unlink(draft).catch(() => undefined);
  }
}
