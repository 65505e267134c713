/** How trouble with files is said. */
import { TroupeError } from '../error.ts';
import { isWithoutLinks } from './fs.ts';

/** A place in a journal file. */
export interface Place {
  /** Relative to the run's folder. */
  readonly file: string;
  readonly path: string;
  /** 1-based; 0 when the file as a whole is meant. */
  readonly line: number;
  /** Offset of the line's first byte. */
  readonly byte: number;
  /** Entries before it that were found intact, over all segments. */
  readonly intact: number;
}

/** JOURNAL_CORRUPT for damage at a place. Nothing has been overwritten. */
export function corrupt(place: Place, why: string, cause?: unknown): TroupeError {
  const where = place.line === 0 ? place.file : `${place.file} line ${place.line}, byte ${place.byte}`;
  const { file, path, line, byte, intact } = place;
  const before = intact === 1 ? '1 entry before it is' : `${intact} entries before it are`;
  return new TroupeError(
    'JOURNAL_CORRUPT',
    `${where}: ${why}; ${before} intact, nothing was changed.`,
    { file, path, line, byte, intact },
    cause,
  );
}

/**
 * JOURNAL_IO for a failed system call. `mayBeOnDisk`: whether the entries concerned may be found in the journal after all.
 * An error that is ours already passes through.
 */
export function ioError(error: unknown, doing: string, path: string, mayBeOnDisk = false): TroupeError {
  if (error instanceof TroupeError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
  const why = isWithoutLinks(error)
    ? ': its file system gives files no second names (hard links), which a run needs; choose another folder with --data or TROUPE_DATA'
    : '';
  const fate = mayBeOnDisk ? ' The entries may be on disk or not; they were not acknowledged.' : '';
  return new TroupeError(
    'JOURNAL_IO',
    `${code} while ${doing} (${path})${why}.${fate}`,
    { errno: code, path, mayBeOnDisk },
    error,
  );
}

/** Another host has taken the run. */
export function staleEpoch(run: string, epoch: number): TroupeError {
  const message = `Epoch ${epoch} of run \`${run}\` is over: another host has taken the run.`;
  return new TroupeError('EPOCH_STALE', message, { run, epoch });
}
