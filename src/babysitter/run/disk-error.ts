/** Trouble with the disk that a run directory is on. */
import { ioError } from '../../journal/damage.ts';

/** What a system call failed of, as JOURNAL_IO; anything else as it is. */
export function diskError(error: unknown, runDir: string): unknown {
  const { syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (typeof syscall !== 'string') return error;
  return ioError(error, `reading or writing a run of babysitter's`, path ?? runDir);
}

/** What `work` comes to; codes: JOURNAL_IO. */
export function onDisk<Result>(runDir: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw diskError(error, runDir);
  }
}
