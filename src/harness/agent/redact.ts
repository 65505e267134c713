/**
 * Secrets stay out of the journal, of logs and of errors. What counts as one: the values of variables in the agent's
 * environment whose names look like it, and what else is given. Shorter ones than {@link secretLengthMin} are left: they are
 * words that stand everywhere (`true`, `test`, a user's name).
 */
import { plainError } from '../plain-error.ts';
import type { JsonValue } from '../../json.ts';
import type { PlainError } from '../port.ts';

/** Shortest value that is kept out, UTF-16 units. */
export const secretLengthMin = 6;

const looksSecret = /key(?!board|map)|token(?!izer)|secret|passw|auth(?!or)|credential/i;
/** Names that match and hold paths or switches, not secrets. */
const looksPlain = /^(SSH_AUTH_SOCK|GPG_AGENT_INFO|XAUTHORITY)$|(_URL|_PATH|_FILE|_DIR|_TYPE|_SOCK)$/i;
/** A line of a longer secret (a private key) counts by itself from this length on. */
const lineLengthMin = 16;

/** Takes secrets out of what is said. */
export interface Redactor {
  text(text: string): string;
  /** Texts and names in it; the rest stays. */
  json<Value extends JsonValue>(value: Value): Value;
  error(error: unknown): PlainError;
  /** One more secret, by what it is called; it counts for streams that are begun later. */
  add(name: string, value: string): void;
  /** For a stream of characters in parts: a secret that is cut in two is found all the same. `end` gives what was held back. */
  stream(): { push(text: string): string; end(): string };
}

/** What {@link redactor} goes by. */
export interface Secrets {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Further variables whose values are secret, by name. */
  readonly names?: readonly string[];
  /** Further secrets, by what they are called. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Makes a redactor. Each secret becomes `[redacted NAME]`. */
export function redactor({ env, names = [], values = {} }: Secrets): Redactor {
  const found = new Map<string, string>();
  let forms: readonly string[] = [];
  let pattern: RegExp | undefined;
  const find = (name: string, value: string) => {
    const parts = value.includes('\n') ? value.split(/\r?\n/).filter((line) => line.length >= lineLengthMin) : [];
    for (const one of [value, value.trim(), wellFormed(value), ...parts])
      for (const form of formsOf(one)) if (form.length >= secretLengthMin && !found.has(form)) found.set(form, name);
  };
  for (const [name, value] of Object.entries(env)) {
    const isSecret = names.includes(name) || (looksSecret.test(name) && !looksPlain.test(name));
    if (isSecret && value !== undefined && !/^\d+$/.test(value)) find(name, value);
  }
  for (const [name, value] of Object.entries(values)) find(name, value);

  const compile = () => {
    forms = [...found.keys()].toSorted((one, other) => other.length - one.length);
    const words = forms.map((form) => form.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
    pattern = words.length === 0 ? undefined : new RegExp(words.join('|'), 'g');
  };
  compile();

  const text = (said: string) =>
    pattern === undefined ? said : said.replace(pattern, (form) => `[redacted ${found.get(form) ?? ''}]`);

  const json = <Value extends JsonValue>(value: Value): Value => {
    const cleaned = (one: JsonValue): JsonValue => {
      if (typeof one === 'string') return text(one);
      if (typeof one !== 'object' || one === null) return one;
      if (Array.isArray(one)) return one.map(cleaned);
      return Object.fromEntries(Object.entries(one).map(([name, inner]) => [text(name), cleaned(inner as JsonValue)]));
    };
    // The same shape: only texts and names have changed.
    return (pattern === undefined ? value : cleaned(value)) as Value;
  };

  const plain = (error: PlainError): PlainError => ({
    ...error,
    message: text(error.message),
    ...(error.stack === undefined ? {} : { stack: text(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: plain(error.cause) }),
  });

  return {
    text,
    json,
    error: (error) => plain(plainError(error)),
    add(name, value) {
      find(name, value);
      compile();
    },
    stream() {
      let held = '';
      return {
        push(part) {
          const said = held + part;
          let from = beginning(said, forms);
          // What stands in a secret that is whole begins no other one; what may grow into a longer one waits as it is.
          for (const { 0: form, index } of pattern === undefined ? [] : said.matchAll(pattern)) {
            if (index >= from) break;
            const end = index + form.length;
            if (end > from) from = end + beginning(said.slice(end), forms);
          }
          held = said.slice(from);
          return text(said.slice(0, from));
        },
        end() {
          const rest = held;
          held = '';
          return text(rest);
        },
      };
    },
  };
}

/** A text as it is written into other texts: in JSON, in JSON that stands in JSON, with its slashes escaped, in an address. */
function formsOf(text: string): readonly string[] {
  const inJson = (one: string) => JSON.stringify(one).slice(1, -1);
  const once = inJson(text);
  return [text, once, inJson(once), once.replaceAll('/', String.raw`\/`), encodeURIComponent(wellFormed(text))];
}

/** Half a character cannot be encoded; a program is given U+FFFD for it. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Where at the end of `said` one of `forms` may have begun. */
function beginning(said: string, forms: readonly string[]): number {
  const longest = Math.min(said.length, (forms[0]?.length ?? 1) - 1);
  for (let length = longest; length > 0; length -= 1) {
    const end = said.slice(said.length - length);
    if (forms.some((form) => form.length > length && form.startsWith(end))) return said.length - length;
  }
  return said.length;
}
