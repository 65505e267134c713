/** What is wrong with a run directory of babysitter. */
import { TroupeError } from '../../error.ts';

/** Journals of ours are forked before their damage; those of babysitter are not. */
const remedy = 'Do what the message says, or restore the named file of the run directory from a copy.';

/** A JOURNAL_CORRUPT with its own remedy. */
export function corrupt(message: string, details: Readonly<Record<string, unknown>>, cause?: unknown): TroupeError {
  return new TroupeError('JOURNAL_CORRUPT', message, { ...details, remedy }, cause);
}
