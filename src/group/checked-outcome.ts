/** The boundary at which what a harness, or an outside orchestrator, says becomes an outcome and progress of ours. */
import { isTroupeError } from '../error.ts';
import { isFailureClass } from '../harness/outcome.ts';
import { plainError } from '../harness/plain-error.ts';
import type { Outcome, Progress, Usage } from '../harness/port.ts';
import { toJson } from '../json.ts';
import { bytesOver } from './json-bytes.ts';

const invalid = (message: string, code: string): Outcome => ({
  status: 'error',
  class: 'invalid-output',
  error: { name: 'InvalidOutput', message, code },
});

/** `outcome` as plain JSON of at most `bytesMax` bytes; else an outcome of class `invalid-output` that says what is wrong. Never throws. */
export function checkedOutcome(outcome: unknown, member: string, bytesMax: number): Outcome {
  try {
    return outcomeOf(outcome, member, bytesMax);
  } catch (error) {
    // A getter or a proxy in it.
    const why = plainError(error).message;
    return invalid(`member \`${member}\`: what its harness returned cannot be read: ${why}`, 'OUTCOME_INVALID');
  }
}

function outcomeOf(outcome: unknown, member: string, bytesMax: number): Outcome {
  const {
    status,
    output,
    error,
    class: failureClass,
    reason,
    usage,
  } = (outcome ?? {}) as Readonly<Record<string, unknown>>;
  switch (status) {
    case 'ok':
      return { ...checkedOutput(output, member, bytesMax), ...checkedUsage(usage) };
    case 'error':
      return {
        status,
        class: isFailureClass(failureClass) ? failureClass : 'failed',
        error: plainError(error),
        ...checkedUsage(usage),
      };
    case 'cancelled':
      // Cut as the message of an error is: of any length it would be an entry that no journal takes, which stops the host.
      return {
        status,
        reason: typeof reason === 'string' ? plainError(reason).message : 'cancelled',
        ...checkedUsage(usage),
      };
    default:
      return invalid(
        `member \`${member}\`: expected its harness to return an outcome with status ok, error or cancelled, got ${typeof outcome}.`,
        'OUTCOME_INVALID',
      );
  }
}

/** Numbers only; anything else is left out. */
function checkedUsage(value: unknown): { readonly usage?: Usage } {
  if (typeof value !== 'object' || value === null) return {};
  const { tokens, costUsd } = value as Readonly<Record<string, unknown>>;
  const isAmount = (amount: unknown): amount is number =>
    typeof amount === 'number' && Number.isFinite(amount) && amount >= 0;
  return { usage: { ...(isAmount(tokens) ? { tokens } : {}), ...(isAmount(costUsd) ? { costUsd } : {}) } };
}

function checkedOutput(value: unknown, member: string, bytesMax: number): Outcome {
  try {
    const output = toJson(value ?? null, `output of member \`${member}\``);
    const bytes = bytesOver(output, bytesMax);
    if (bytes === undefined) return { status: 'ok', output };
    return invalid(
      `output of member \`${member}\`: expected at most ${bytesMax} bytes of JSON, got ${bytes}; put large data into a file and return its path.`,
      'ENTRY_TOO_LARGE',
    );
  } catch (error) {
    if (!isTroupeError(error)) throw error;
    return invalid(error.message, error.code);
  }
}

/** Longest line of progress that is recorded, UTF-16 units. */
const lineMax = 1_000;

/** Progress as it can be recorded. Data that is not JSON, or too large, is replaced by a sentence that says so. */
export function checkedProgress({ line, data, usage }: Progress, bytesMax: number): Progress {
  const checkedLine = {
    ...(typeof line === 'string' ? { line: line.length > lineMax ? `${line.slice(0, lineMax - 1)}…` : line } : {}),
    ...checkedUsage(usage),
  };
  if (data === undefined) return checkedLine;
  try {
    const checked = toJson(data, 'progress');
    const bytes = bytesOver(checked, bytesMax);
    if (bytes === undefined) return { ...checkedLine, data: checked };
    return { ...checkedLine, data: { left: `expected at most ${bytesMax} bytes of JSON, got ${bytes}` } };
  } catch (error) {
    return { ...checkedLine, data: { left: plainError(error).message } };
  }
}
