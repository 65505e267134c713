/** What a model is asked and what it answers, the same for every wire format. */
import type { JsonValue } from '../../../src/json.ts';

/** A JSON object, as arguments and bodies are. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** A tool as the agent offers it. `namespace`: the group it stands in, where the format has such groups. */
export interface OfferedTool {
  readonly name: string;
  readonly namespace?: string;
}

/** One thing said in the conversation, in order. */
export type Said =
  | { readonly type: 'assistant' | 'system' | 'user'; readonly text: string }
  | { readonly type: 'call'; readonly id: string; readonly tool: string }
  | { readonly type: 'result'; readonly id: string; readonly text: string };

/** One model request. */
export interface Question {
  /** Name of the wire format. */
  readonly wire: Wire['name'];
  readonly model: string;
  readonly isStream: boolean;
  readonly said: readonly Said[];
  /** None: a side request (a title, a summary). */
  readonly tools: readonly OfferedTool[];
  /** The JSON Schema that the answer is asked to meet. */
  readonly schema?: JsonValue;
}

/** Tokens, as reported. */
export interface ReportedUsage {
  readonly in: number;
  readonly out: number;
}

/** What the model says. */
export interface Answer {
  /** Unique per request, the same for the same request. */
  readonly id: string;
  readonly model: string;
  readonly usage: ReportedUsage;
  /** Text, in the pieces in which it is streamed; none: no text. */
  readonly pieces: readonly string[];
  /** Pause before each piece, ms. */
  readonly everyMs: number;
  readonly call?: { readonly id: string; readonly tool: OfferedTool; readonly args: JsonObject };
}

/** One server-sent event. */
export interface Frame {
  readonly event?: string;
  readonly data: JsonValue;
  /** Pause before it, ms. Default none. */
  readonly afterMs?: number;
}

/** A wire format. */
export interface Wire {
  readonly name: 'anthropic' | 'chat' | 'gemini' | 'responses';
  /** Reads a request's body; `path` is that of its URL. */
  readQuestion(body: JsonObject, path: string): Question;
  /** The answer as a stream. */
  frames(answer: Answer): readonly Frame[];
  /** What ends the stream besides: `data: [DONE]` of some formats. */
  readonly streamEnd?: string;
  /** The answer in one piece. */
  body(answer: Answer): JsonObject;
  /** A refusal. */
  errorBody(status: number, message: string): JsonObject;
}

/** The object itself, or an empty one for anything else. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** The list itself, or an empty one for anything else. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** The text itself; JSON for other values; `''` for nothing. */
export function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
