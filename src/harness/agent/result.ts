/** What a turn that went well leaves: the member's output. */
import { failWith, ok } from '../outcome.ts';
import { toJson, type JsonValue } from '../../json.ts';
import type { Invocation, Outcome } from '../port.ts';
import type { AgentInput } from './options.ts';
import type { TurnEnd } from './port.ts';
import type { Redactor } from './redact.ts';

/**
 * The output: what the agent answered under a schema, else its last text. Where JSON is asked for (`input.outputSchema`, or a
 * schema named by `output`), a text that is JSON, in a code fence or not, becomes that; under `input.outputSchema` any other is
 * class `invalid-output`.
 */
export function resultOf(
  end: Extract<TurnEnd, { readonly status: 'ok' }>,
  input: AgentInput,
  invocation: Pick<Invocation, 'output'>,
  clean: Redactor,
): Outcome {
  if (end.structured !== undefined) return ok(clean.json(end.structured));
  if (input.outputSchema === undefined && invocation.output === undefined) return ok(clean.text(end.text));
  const parsed = parsedJson(end.text);
  if (parsed !== undefined) return ok(clean.json(parsed.value));
  if (input.outputSchema === undefined) return ok(clean.text(end.text));
  const shown = clean.text(end.text).slice(0, 200);
  return failWith('invalid-output', 'NOT_JSON', `expected an answer in JSON, got: ${shown || 'nothing'}`);
}

function parsedJson(text: string): { readonly value: JsonValue } | undefined {
  const fenced = /^```(?:json)?\s*\n([^]*?)\n?```$/.exec(text.trim())?.[1];
  try {
    // What JSON.parse gives is JSON, but it may be too deep for whoever looks at it after us.
    return { value: toJson(JSON.parse(fenced ?? text), 'answer') };
  } catch {
    return undefined;
  }
}
