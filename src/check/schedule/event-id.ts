/**
 * Names of events: what happened, to whom, and about what; never where it stood among what could happen. So a schedule means the same
 * after a part of it is gone, and in a model that can do more.
 */
import { canonical, type JsonValue } from '../../json.ts';
import type { Step } from '../checkable.ts';

/** Counted along the way: they change when what came before is left out. */
const counted: ReadonlySet<string> = new Set(['attempt', 'dueAt', 'incarnation', 'order']);

/** Characters of a mark. */
export const markLength = 6;

/** 31 bits of FNV-1a in six characters. */
export function markOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  // Its last bits know only of the last characters.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return (hash >>> 1).toString(36).padStart(markLength, '0');
}

/** `settled:m1:0k3f9a`. The `nth` of several equal ones that can happen at once (from 1) has a name of its own. */
export function eventId({ type, at, from, text, data }: Step, nth: number): string {
  const about = data === undefined ? text : plain(data);
  const mark = markOf(canonical([type, at, from ?? null, about, nth]));
  return `${type.replaceAll(' ', '-')}:${from ?? at}:${mark}`;
}

/** The mark at the end of an id. */
export function markIn(id: string): string {
  return id.slice(-markLength);
}

function plain(data: JsonValue): JsonValue {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return Object.fromEntries(Object.entries(data).filter(([name]) => !counted.has(name)));
}
