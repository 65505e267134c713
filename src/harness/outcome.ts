/** Constructors of outcomes, and what tells a failure class from any other word. */
import type { JsonValue } from '../json.ts';
import { plainError } from './plain-error.ts';
import type { FailureClass, Outcome, PlainError } from './port.ts';

/** Every failure class of the port, in the order of the alphabet. */
export const failureClasses = [
  'auth',
  'crashed',
  'failed',
  'invalid-output',
  'overloaded',
  'rate-limited',
  'refused',
  'timeout',
] as const satisfies readonly FailureClass[];

const known: ReadonlySet<unknown> = new Set(failureClasses);

/** True when `value` is one of the failure classes of the port. */
export function isFailureClass(value: unknown): value is FailureClass {
  return known.has(value);
}

/** It went well; `output` (default null) is what the member's done event carries. */
export function ok(output: JsonValue = null): Outcome {
  return { status: 'ok', output };
}

/** It went wrong, in the way `failureClass` says; `error` is a sentence, a {@link PlainError} or anything thrown. */
export function fail(failureClass: FailureClass = 'failed', error: unknown = failureClass): Outcome {
  return { status: 'error', class: failureClass, error: plainError(error) };
}

/** Like {@link fail}, for an error that has a stable code and needs no stack. */
export function failWith(failureClass: FailureClass, code: string, message: string): Outcome {
  const error: PlainError = { name: 'HarnessError', message, code };
  return { status: 'error', class: failureClass, error };
}

/** It ended early because somebody asked for that. */
export function cancelled(reason = 'cancelled'): Outcome {
  return { status: 'cancelled', reason };
}

/** The outcome of an attempt that ended because `signal` was aborted. */
export function cancelledBy(signal: AbortSignal): Outcome {
  return cancelled(reasonOf(signal));
}

/** Why `signal` was aborted, as one sentence. */
export function reasonOf(signal: AbortSignal): string {
  return plainError(signal.reason).message;
}
