/** How `troupe` ends: one table, printed by `troupe --help`, relied on by scripts. */
import { isTroupeError, type Code } from '../error.ts';
import type { RunEnd } from '../process/run-view.ts';

/** Exit codes by name. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  busy: 3,
  corrupt: 4,
  diverged: 5,
  disk: 6,
  unknown: 7,
  bug: 70,
  interrupted: 130,
} as const;

type ExitName = keyof typeof exitCodes;

/** What each exit code says, in the words of the help. */
const meanings: Readonly<Record<ExitName, string>> = {
  ok: 'done; the run completed',
  failed: 'the run failed or was cancelled; a model is not verified',
  usage: 'wrong usage, input, process file or machine',
  busy: 'another host holds the run',
  corrupt: 'the journal is damaged, or of an unknown format',
  diverged: 'the code does not fit the journal',
  disk: 'trouble with the disk; the run can be resumed',
  unknown: 'there is no such run',
  bug: 'a bug of troupe',
  interrupted: 'interrupted; the run can be resumed',
};

const byCode: Readonly<Record<Code, ExitName>> = {
  BAD_INPUT: 'usage',
  BUDGET: 'failed',
  CANCELLED: 'failed',
  CONFIG_INVALID: 'usage',
  DUPLICATE_NAME: 'usage',
  ENTRY_TOO_LARGE: 'usage',
  EPOCH_STALE: 'busy',
  GROUP_ENDED: 'usage',
  GROUP_FAILED: 'failed',
  GROUP_MISMATCH: 'diverged',
  HOST_CLOSED: 'bug',
  JOURNAL_CORRUPT: 'corrupt',
  JOURNAL_FORMAT: 'corrupt',
  JOURNAL_IO: 'disk',
  LIMIT: 'usage',
  MACHINE_UNSUPPORTED: 'usage',
  MIGRATION_FAILED: 'diverged',
  NONDETERMINISM: 'diverged',
  NOT_JSON: 'usage',
  NO_HARNESS: 'usage',
  PROCESS_INVALID: 'usage',
  QUORUM_LOST: 'failed',
  RESERVED_EVENT: 'usage',
  RUN_BUSY: 'busy',
  RUN_EXISTS: 'usage',
  RUN_UNKNOWN: 'unknown',
  SEQ_CONFLICT: 'busy',
  TIMEOUT: 'failed',
  UNKNOWN_GATE: 'usage',
  UNKNOWN_GROUP: 'usage',
  UNKNOWN_MEMBER: 'usage',
};

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  return exitCodes[isTroupeError(error) ? byCode[error.code] : 'bug'];
}

/** The exit code for how a run ended. */
export function exitCodeOfEnd({ status }: RunEnd): number {
  return status === 'completed' ? exitCodes.ok : exitCodes.failed;
}

/** The table for the help. */
export function exitCodeHelp(): string {
  const lines = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${meanings[name as ExitName]}`,
  );
  return `Exit codes:\n${lines.join('\n')}`;
}
