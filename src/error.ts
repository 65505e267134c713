/**
 * Errors a caller can act on. A code is stable: scripts, tests and the README's table rely on it.
 * What went badly out there is an outcome (a value), what is our own fault an `assert`; see README.
 */
export const remedies = {
  BAD_INPUT: 'Mend the value that the message names.',
  BUDGET: 'Raise the budget that the message names, or make the work cheaper.',
  CANCELLED: 'Nothing: somebody asked for it. The reason is in the message.',
  CONFIG_INVALID: 'Mend the field of the configuration that the message names.',
  DUPLICATE_NAME: 'Names are identities: give the second another name, or reuse the handle of the first.',
  ENTRY_TOO_LARGE: 'Put large data into a file and pass its path, or raise the bound.',
  EPOCH_STALE: 'Another host took this run over; stop here and follow that host.',
  GROUP_ENDED: 'Terminal is terminal: open a group of another name.',
  GROUP_FAILED: 'Read the error of the group (`troupe show`), catch it in the process, or mend its cause.',
  GROUP_MISMATCH:
    'Open it with the machine and input it was created with, `migrate` it, or fork the run before it was created: `troupe fork --at`.',
  HOST_CLOSED: 'Open the run again.',
  JOURNAL_CORRUPT:
    'Restore the named file from a copy, or go on from the entries before the damage, which are intact: `troupe fork <run> --at <how many>`.',
  JOURNAL_FORMAT: 'Open the run with the version of troupe that wrote it, or a newer one.',
  JOURNAL_IO: 'Mend the disk (space, rights, mount), then resume the run; nothing acknowledged is lost.',
  LIMIT: 'Raise the named bound, or make the coordinator ask for less.',
  MACHINE_UNSUPPORTED: 'Change the machine as the message says; what cannot be replayed is refused.',
  MIGRATION_FAILED: 'Mend the migration that the message names; nothing was recorded.',
  NONDETERMINISM:
    'Run the code that wrote the journal: pin it with `previous`, or `migrate` its groups; or fork before the entry that is named.',
  NOT_JSON: 'Pass plain JSON data: the message names the path of the value that is not.',
  NO_HARNESS: 'Declare a harness with the needed capabilities, or change what the member needs.',
  PROCESS_INVALID: 'Export a process, `export default defineProcess(name, fn)`; mend the file where the message says.',
  QUORUM_LOST: 'Catch it, or ask for fewer; the message names the first failure.',
  RESERVED_EVENT: 'Use an event type that is not `*` and does not begin with `xstate.` or `troupe.`.',
  RUN_BUSY: 'Wait for the holder to end, or stop it; then try again.',
  RUN_EXISTS: 'Choose another run id, or resume the run.',
  RUN_UNKNOWN: 'List the runs with `troupe ls`; check --data and the id.',
  SEQ_CONFLICT: 'Read the tail, fold it, and decide again.',
  TIMEOUT: 'Give it more time, or find out why nobody answers.',
  UNKNOWN_GATE: 'Use one of the gates that the message lists; an answered gate stays answered.',
  UNKNOWN_GROUP: 'Use one of the groups that the message lists.',
  UNKNOWN_MEMBER: 'Use one of the members that the message lists.',
} as const satisfies Record<string, string>;

/** A stable error code; each stands in the README with its remedy. */
export type Code = keyof typeof remedies;

/** An error that its caller can act on. `message` is one sentence: what was expected, what came, how to mend it. */
export class TroupeError extends Error {
  override readonly name = 'TroupeError';
  readonly code: Code;
  /** Machine-readable particulars (file, line, seq …); plain JSON. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(`${code}: ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** True when `error` is a {@link TroupeError}, of this code if one is given. */
export function isTroupeError(error: unknown, code?: Code): error is TroupeError {
  return error instanceof TroupeError && (code === undefined || error.code === code);
}
