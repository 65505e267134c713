import type { PlainError } from '../harness/port.ts';
import type { TroupeError } from '../error.ts';

const causesMax = 8;

/**
 * What of a thrown value can stand in a journal and in an actor's context. The stack is left out: it names files and
 * lines of this machine, and a replay elsewhere must come to the same value (G6).
 */
export function toPlainError(thrown: unknown, depth = 0): PlainError {
  if (typeof thrown !== 'object' || thrown === null) return { name: 'Error', message: String(thrown) };
  const { name, message, code, stack, cause } = thrown as Partial<Record<keyof PlainError, unknown>>;
  const isError = thrown instanceof Error;
  if (!isError && typeof message !== 'string')
    return { name: 'Error', message: 'an object that is not an error was thrown' };
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: String(message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(!isError && typeof stack === 'string' ? { stack } : {}),
    ...(cause !== undefined && depth < causesMax ? { cause: toPlainError(cause, depth + 1) } : {}),
  };
}

/** Is this already what {@link toPlainError} would make of it? */
export function isPlainError(value: unknown): value is PlainError {
  return (
    typeof value === 'object' &&
    value !== null &&
    !(value instanceof Error) &&
    typeof (value as PlainError).message === 'string'
  );
}

/** A troupe error as a value. */
export function plainTroupeError(error: TroupeError): PlainError {
  return { name: error.name, message: error.message, code: error.code };
}
