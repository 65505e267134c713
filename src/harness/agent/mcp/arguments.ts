/** Arguments of a tool call: a model's own words, so each is looked at, and a wrong one is answered so that the next call is right. */
import { TroupeError } from '../../../error.ts';
import { nearest } from '../../../nearest.ts';

/** A tool's arguments as they came, and readers that throw BAD_INPUT. An argument that is null counts as left out. */
export interface ToolArguments {
  /** A text of 1 to `charsMax` characters. */
  text(name: string, charsMax: number): string;
  textIfAny(name: string, charsMax: number): string | undefined;
  /** A whole number from `min` to `max`, both included. */
  integer(name: string, bounds: { readonly min: number; readonly max: number }): number;
  integerIfAny(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined;
  booleanIfAny(name: string): boolean | undefined;
  /** One of a few words. */
  wordIfAny<Word extends string>(name: string, words: readonly Word[]): Word | undefined;
  /** Whatever it is; undefined when it was left out. */
  any(name: string): unknown;
  /** Whatever it is; `what` it was to be when it was left out. */
  some(name: string, what: string): unknown;
}

/** Reads the arguments of `tool`; one that it does not have is refused, with the nearest it has. */
export function toolArguments(
  tool: string,
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
): ToolArguments {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near.length > 0 ? ` Did you mean \`${near[0]}\`?` : '';
    throw bad(`has no argument \`${name.slice(0, 100)}\`; it has ${known.join(', ') || 'none'}.${hint}`);
  }

  function bad(what: string): TroupeError {
    return new TroupeError('BAD_INPUT', `${tool} ${what}`, { tool });
  }
  const of = (name: string): unknown => (Object.hasOwn(given, name) ? (given[name] ?? undefined) : undefined);
  const shown = (value: unknown) => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? '').slice(0, 80));
  const wanted = (name: string, what: string): never => {
    throw bad(`expects \`${name}\` to be ${what}, got ${shown(of(name))}.`);
  };

  const textIfAny = (name: string, charsMax: number): string | undefined => {
    const value = of(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '' || value.length > charsMax)
      return wanted(name, `a text of 1 to ${charsMax} characters`);
    return value;
  };
  const integerIfAny: ToolArguments['integerIfAny'] = (name, { min, max }) => {
    const value = of(name);
    if (value === undefined) return undefined;
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
      return wanted(name, `a whole number from ${min} to ${max}`);
    return value as number;
  };
  return {
    textIfAny,
    text: (name, charsMax) => textIfAny(name, charsMax) ?? wanted(name, `a text of 1 to ${charsMax} characters`),
    integerIfAny,
    integer: (name, bounds) =>
      integerIfAny(name, bounds) ?? wanted(name, `a whole number from ${bounds.min} to ${bounds.max}`),
    booleanIfAny(name) {
      const value = of(name);
      if (value === undefined || typeof value === 'boolean') return value;
      return wanted(name, 'true or false');
    },
    wordIfAny(name, words) {
      const value = of(name);
      if (value === undefined) return undefined;
      return words.find((word) => word === value) ?? wanted(name, `one of ${words.join(', ')}`);
    },
    any: of,
    some: (name, what) => of(name) ?? wanted(name, what),
  };
}
