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
    return expression === undefined ? clean : without(clean, expression);
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

/** Texts that stand in JSON, which stands in a text: as deep as this. */
const depthMax = 3;

/** The text with `█` for each match, also for those that are written with the escapes of JSON. */
function without(said: string, expression: RegExp): string {
  const stretches = [...matchesIn(said, expression, depthMax)].sort(([a], [b]) => a - b);
  let kept = '';
  let done = 0;
  for (const [from, to] of stretches) {
    if (from >= done) kept += `${said.slice(done, from)}█`;
    done = Math.max(done, to);
  }
  return kept + said.slice(done);
}

/** Where the matches stand, from and to. */
function* matchesIn(text: string, expression: RegExp, depth: number): Generator<readonly [number, number]> {
  for (const { index, 0: found } of text.matchAll(expression)) if (found !== '') yield [index, index + found.length];
  const inner = depth === 0 ? undefined : unescaped(text);
  if (inner === undefined) return;
  for (const [from, to] of matchesIn(inner.text, expression, depth - 1)) yield [inner.at(from), inner.at(to)];
}

/** What the text says where it is JSON, and where in it that stands; undefined when it has no escapes. */
function unescaped(text: string): { readonly text: string; at(index: number): number } | undefined {
  /** Of each escape: where what it stands for is, and how much longer all of them up to it are than that. */
  const places: number[] = [];
  const longer: number[] = [];
  const plain = text.replaceAll(/\\(?:u[\da-fA-F]{4}|["\\/bfnrt])/g, (escape, place: number) => {
    const before = longer.at(-1) ?? 0;
    places.push(place - before);
    longer.push(before + escape.length - 1);
    return JSON.parse(`"${escape}"`) as string;
  });
  if (places.length === 0) return undefined;
  const at = (index: number) => {
    let low = 0;
    for (let high = places.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((places[middle] as number) < index) low = middle + 1;
      else high = middle;
    }
    return index + (longer[low - 1] ?? 0);
  };
  return { text: plain, at };
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
