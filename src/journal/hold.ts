/** Holding a run without opening its log: for what is done to the run as a whole, a damaged one too. */
import { TroupeError } from '../error.ts';
import { hasCode, type FileSystem } from './fs.ts';
import { takeEpoch, type Epoch, type LeaseOptions } from './lease.ts';
import { listSegments } from './segments.ts';

/** Throws RUN_UNKNOWN unless the folder holds a log. */
async function checkRun({ fs, folder, run }: LeaseOptions): Promise<void> {
  const { segments, trouble } = await listSegments(fs, folder, run);
  if (segments.length > 0 || trouble !== undefined) return;
  throw new TroupeError('RUN_UNKNOWN', `There is no run \`${run}\` in ${folder.slice(0, folder.lastIndexOf('/'))}.`, {
    run,
  });
}

/**
 * The same files, for the lease of a run that is to be removed, which is how a full disk gets room again: what there is no room for is left
 * out. An epoch file that came out empty is one that names nobody: it is waited for, then taken over.
 */
export function withoutRoom(fs: FileSystem): FileSystem {
  const orElse = <Result>(result: Result) => {
    return (error: unknown): Result => {
      if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')) return result;
      throw error;
    };
  };
  return {
    ...fs,
    async open(path, mode) {
      const file = await fs.open(path, mode);
      return {
        ...file,
        write: (bytes, position) => file.write(bytes, position).catch(orElse(bytes.length)),
        datasync: () => file.datasync().catch(orElse(undefined)),
      };
    },
  };
}

/** Throws unless the run is still held. */
export function checkHeld(epoch: Epoch, run: string): void {
  if (epoch.isHeld() === 'held') return;
  throw new TroupeError(
    'EPOCH_STALE',
    `Epoch ${epoch.epoch} of run \`${run}\` is over: another host has taken the run.`,
    { run, epoch: epoch.epoch },
  );
}

/**
 * Does something while nobody else can write to the run; `work` calls `gone` when it has taken the run's folder away. Codes: RUN_UNKNOWN,
 * RUN_BUSY; system errors pass through.
 */
export async function holding<Result>(
  options: LeaseOptions,
  work: (epoch: Epoch, gone: () => void) => Promise<Result>,
): Promise<Result> {
  const { fs, clock, folder, run, leaseTtlMs } = options;
  await checkRun(options);
  const sealedEpoch = async (): Promise<number> =>
    (await listSegments(fs, folder, run)).segments.at(-1)?.header.epoch ?? 0;
  const epoch = await takeEpoch(options, 1, sealedEpoch);
  let callOff = (): void => undefined;
  const arm = (): void => {
    callOff = clock.wakeAt(clock.now() + leaseTtlMs / 3, () => {
      void epoch.heartbeat().catch(() => undefined);
      arm();
    });
  };
  arm();
  let isGone = false;
  try {
    // Somebody may have removed it before we had it.
    await checkRun(options);
    return await work(epoch, () => {
      isGone = true;
      callOff();
    });
  } finally {
    callOff();
    // What bears our epoch's name in a folder that has gone is another run's.
    if (!isGone) await epoch.release(epoch.wasClean).catch(() => undefined);
  }
}
