/**
 * From a thrown value to a plain object. Anything can be thrown: strings, null, proxies that throw when
 * looked at, causes in a circle. Nothing here throws, and what comes out is small, well-formed JSON.
 */
import type { PlainError } from './port.ts';

/** Longest message kept, UTF-16 units. */
const messageMax = 8_192;
/** Longest stack kept, UTF-16 units. */
const stackMax = 4_096;
/** Longest name or code kept, UTF-16 units. */
const wordMax = 200;
/** Errors of a chain kept, the first included. */
const depthMax = 5;
/** Inner errors of an AggregateError that its message names. */
const innerMax = 5;

/**
 * What of a thrown value can stand in a journal. Never throws. Messages are cut at 8,192 UTF-16 units, stacks at
 * 4,096, chains of causes at 5; what was cut off ends in `…`. An AggregateError names its first 5 errors in its
 * message, and its first one is the cause when it has no other.
 */
export function plainError(thrown: unknown): PlainError {
  return describe(thrown, 1);
}

/** `depth` counts causes, `within` the AggregateErrors that it is one of: either may lead back to where it began. */
function describe(thrown: unknown, depth: number, within = 1): PlainError {
  if ((typeof thrown !== 'object' && typeof thrown !== 'function') || thrown === null) return describeValue(thrown);
  const message = read(thrown, 'message');
  const name = read(thrown, 'name');
  if (typeof message !== 'string') return describeValue(thrown);

  const code = read(thrown, 'code');
  const stack = read(thrown, 'stack');
  const inner = within < depthMax ? innerErrors(thrown) : [];
  const cause = read(thrown, 'cause') ?? inner[0];
  return {
    name: typeof name === 'string' && name !== '' ? bounded(name, wordMax) : 'Error',
    message: bounded(inner.length === 0 ? message : withInner(message, inner, within), messageMax),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: bounded(String(code), wordMax) } : {}),
    ...(typeof stack === 'string' ? { stack: bounded(stack, stackMax) } : {}),
    ...(cause !== undefined && cause !== null && cause !== thrown && depth < depthMax
      ? { cause: describe(cause, depth + 1) }
      : {}),
  };
}

/** Something without a message was thrown: a string is the message, anything else is shown. */
function describeValue(thrown: unknown): PlainError {
  if (typeof thrown === 'string') return { name: 'Error', message: bounded(thrown, messageMax) };
  return { name: 'Error', message: `not an error was thrown: ${bounded(show(thrown), messageMax)}` };
}

function show(value: unknown): string {
  try {
    if (typeof value === 'object' && value !== null) {
      const json: unknown = JSON.stringify(value);
      if (typeof json === 'string' && json !== '{}') return json;
    }
    return typeof value === 'function' ? `function ${value.name}` : String(value);
  } catch {
    return `a value that cannot be shown (${typeof value})`;
  }
}

function innerErrors(thrown: object): readonly unknown[] {
  const errors = read(thrown, 'errors');
  try {
    return Array.isArray(errors) ? errors.slice(0, innerMax + 1) : [];
  } catch {
    return [];
  }
}

function withInner(message: string, inner: readonly unknown[], within: number): string {
  const messages = inner.slice(0, innerMax).map((error) => describe(error, depthMax, within + 1).message);
  if (inner.length > innerMax) messages.push('…');
  return `${message === '' ? 'several errors' : message} (${messages.join('; ')})`;
}

/** A property of anything: getters and proxies may throw. */
function read(target: object, key: string): unknown {
  try {
    return Reflect.get(target, key) as unknown;
  } catch {
    return undefined;
  }
}

/** At most `max` UTF-16 units, no half of a surrogate pair anywhere. */
function bounded(text: string, max: number): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return cut.replace(/\p{Surrogate}/gu, '\uFFFD');
}
