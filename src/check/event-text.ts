import type { JsonValue } from '../json.ts';

const shownMax = 60;

/** An event or a timer in one line: what it is called, and its fields. */
export function eventText(event: JsonValue): string {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return JSON.stringify(event);
  const { type, timer, ...fields } = event as { readonly [name: string]: JsonValue };
  const name = typeof type === 'string' ? type : typeof timer === 'string' ? `timer ${timer}` : '?';
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const text = [name, ...(timer === undefined ? shown : [])].join(' ');
  return text.length > shownMax ? `${text.slice(0, shownMax - 1)}…` : text;
}
