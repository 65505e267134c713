/** A line as a JSON object; nothing is believed of what an agent prints. */
import type { JsonValue } from '../../../json.ts';
import { withoutMarks } from '../line-start.ts';

/** A parsed line. */
export type LineObject = Readonly<Record<string, JsonValue>>;

/** Objects and lists in a line may stand in each other this deep: no agent needs more, and what walks them is safe. */
export const lineDepthMax = 100;

/** The object in a line; undefined when it is none, or one that nests deeper than {@link lineDepthMax}. */
export function lineObject(given: string): LineObject | undefined {
  const line = withoutMarks(given);
  if (!line.startsWith('{') || isTooDeep(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    // An object: its line begins with a brace; and what JSON.parse gives is JSON.
    return value as LineObject;
  } catch {
    return undefined;
  }
}

/** Looked at before it is parsed: brackets outside of strings. */
function isTooDeep(line: string): boolean {
  if (line.length <= lineDepthMax) return false;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if (isText) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) isText = false;
    } else if (code === 0x22) isText = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > lineDepthMax) return true;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return false;
}

const nothing: LineObject = {};

/** `value` as an object; an empty one when it is none. */
export function fields(value: JsonValue | undefined): LineObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as LineObject) : nothing;
}

/** `value` as a list; an empty one when it is none. */
export function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** `value` as a text; empty when it is none. */
export function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** `value` as an amount that can be added up; 0 when it is none. */
export function amount(value: JsonValue | undefined): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

/** `value` as a status or code; undefined when it is none. */
export function status(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}
