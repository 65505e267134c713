/**
 * Scripts: what a prompt tells the model to do. The prompt carries `@@SCRIPT` and a JSON array of steps; text around it, which
 * agents add, does not matter.
 */
import type { JsonValue } from '../../../src/json.ts';
import { objectOf, textOf, type JsonObject, type ReportedUsage } from './question.ts';

/** How a stream goes wrong. `cut`: the connection dies half-way; `garbage`: a frame that is no JSON; `empty`: no frame at all. */
export type Breakage = 'cut' | 'empty' | 'garbage';

/** One step of a script. */
export type Step = StepKind & {
  /** Silence before the first byte, ms. */
  readonly wait?: number;
  /** Tokens to report. Default 100 in, 10 out. */
  readonly usage?: ReportedUsage;
  /** Only for agents that speak this format; to all others it is not there. */
  readonly wire?: string;
};

type StepKind =
  /** Says it, in so many pieces (default 1), and ends the turn. `{{NAME}}` is what a result has told as `NAME=…`; in `args` too. */
  | { readonly type: 'text'; readonly text: string; readonly pieces: number }
  /**
   * Calls the offered tool whose name equals or ends with `tool` (`a|b`: whichever is offered). `until`: again, until each of
   * these texts stood in a result, at most `max` times (default 20).
   */
  | {
      readonly type: 'tool';
      readonly tool: string;
      readonly args: JsonObject;
      readonly text: string;
      readonly until: readonly string[];
      readonly max: number;
    }
  /** Says `n` tokens, so many ms apart. */
  | { readonly type: 'slow'; readonly n: number; readonly ms: number }
  /** Says, as JSON, what it was told since the script: user and system texts, results of tools. */
  | { readonly type: 'echo' }
  /** Refuses with this HTTP status; `times`: only so often, then the script goes on. */
  | {
      readonly type: 'error';
      readonly status: number;
      readonly message: string;
      readonly times: number;
      readonly retryAfterS: number | undefined;
    }
  /** Breaks the stream; `times` as for errors. */
  | { readonly type: 'broken'; readonly how: Breakage; readonly times: number };

const marker = '@@SCRIPT';

/** The last script in a text; undefined when there is none. Throws when it is no script, saying why. */
export function scriptIn(text: string): readonly Step[] | undefined {
  const source = scriptText(text);
  return source === undefined ? undefined : parseScript(source);
}

/** The JSON text of the last script in `text`: from its first bracket to the one that closes it. */
export function scriptText(text: string): string | undefined {
  const at = text.lastIndexOf(marker);
  const start = at < 0 ? -1 : text.indexOf('[', at);
  if (start < 0) return undefined;
  let depth = 0;
  let isString = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (isString) {
      if (character === '\\') index += 1;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') {
      depth -= 1;
      if (depth === 0) return text.slice(start, index + 1);
    }
  }
  return text.slice(start);
}

/** A prompt that carries a script. */
export function scripted(steps: readonly JsonObject[], before = 'Do as the script says.'): string {
  return `${before}\n${marker} ${JSON.stringify(steps)}`;
}

function parseScript(source: string): readonly Step[] {
  const steps = JSON.parse(source) as JsonValue;
  if (!Array.isArray(steps) || steps.length === 0) throw new Error('expected a list of at least one step');
  return (steps as readonly JsonValue[]).map(parseStep);
}

function parseStep(value: JsonValue): Step {
  const raw = objectOf(value);
  const usage = objectOf(raw['usage']);
  const common = {
    ...(raw['wait'] === undefined ? {} : { wait: numberOf(raw, 'wait') }),
    ...(raw['wire'] === undefined ? {} : { wire: textOf(raw['wire']) }),
    ...(raw['usage'] === undefined ? {} : { usage: { in: numberOf(usage, 'in'), out: numberOf(usage, 'out') } }),
  };
  const times = raw['times'] === undefined ? Number.POSITIVE_INFINITY : numberOf(raw, 'times');
  if (raw['tool'] !== undefined) {
    const until = raw['until'];
    return {
      type: 'tool',
      tool: textOf(raw['tool']),
      args: objectOf(raw['args']),
      text: textOf(raw['text']),
      until: Array.isArray(until) ? until.map(textOf) : until === undefined ? [] : [textOf(until)],
      max: raw['max'] === undefined ? 20 : numberOf(raw, 'max'),
      ...common,
    };
  }
  if (raw['text'] !== undefined) {
    const pieces = raw['pieces'] === undefined ? 1 : numberOf(raw, 'pieces');
    return { type: 'text', text: textOf(raw['text']), pieces, ...common };
  }
  if (raw['echo'] === true) return { type: 'echo', ...common };
  if (raw['slow'] !== undefined) {
    const slow = objectOf(raw['slow']);
    return { type: 'slow', n: numberOf(slow, 'n'), ms: numberOf(slow, 'ms'), ...common };
  }
  if (raw['error'] !== undefined) {
    const retryAfterS = raw['retryAfterS'] === undefined ? undefined : numberOf(raw, 'retryAfterS');
    const message = raw['message'] === undefined ? 'as the script says' : textOf(raw['message']);
    return { type: 'error', status: numberOf(raw, 'error'), message, times, retryAfterS, ...common };
  }
  const how = raw['broken'];
  if (how === 'cut' || how === 'empty' || how === 'garbage') return { type: 'broken', how, times, ...common };
  throw new Error(`expected text, tool, echo, slow, error or broken, got ${JSON.stringify(value)}`);
}

function numberOf(raw: JsonObject, name: string): number {
  const value = raw[name];
  if (typeof value !== 'number') throw new Error(`expected a number for \`${name}\`, got ${JSON.stringify(value)}`);
  return value;
}
