/**
 * What is not to be seen by whoever looks at a run, in the page or in an export: secrets of this environment, and what matches a
 * pattern. Applied before anything is sent or written; the journal stays as it is.
 */
import { TroupeError } from '../error.ts';
import { redactor } from '../harness/agent/redact.ts';
import type { JsonValue } from '../json.ts';

/** Masks texts and names in JSON; the shape stays. */
export type Mask = <Value>(value: Value) => Value;

/** A mask; `pattern`: a regular expression whose matches become `█`. Codes: BAD_INPUT. */
export function maskOf(pattern: string | undefined): Mask {
  const secrets = redactor({ env: process.env });
  const expression = pattern === undefined ? undefined : expressionOf(pattern);
  const text = (said: string) => {
    const clean = secrets.text(said);
    return expression === undefined ? clean : clean.replace(expression, '█');
  };
  const masked = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(masked);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), masked(inner as JsonValue)]));
  };
  // Only texts and names change: what was of a type is of it still.
  return <Value>(value: Value) => masked(value as JsonValue) as Value;
}

function expressionOf(pattern: string): RegExp {
  try {
    const expression = new RegExp(pattern, 'gu');
    if (expression.test('')) throw new SyntaxError('it matches nothing at all, everywhere');
    return expression;
  } catch (error) {
    throw new TroupeError(
      'BAD_INPUT',
      `expected --mask to be a regular expression, got \`${pattern}\`: ${(error as Error).message}.`,
    );
  }
}
