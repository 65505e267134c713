/**
 * An author's context as JSON to look at. What is the same object in two contexts is the same object here, so that
 * what did not change is neither copied, compared nor sent. Never throws: what is not JSON is told in words.
 */
import type { AnyActorRef } from 'xstate';
import type { JsonValue } from '../json.ts';
import { keyFor } from './key.ts';
import { keyOf } from '../group/ref.ts';

/** Nesting that is shown. */
const depthMax = 60;

const known = new WeakMap<object, JsonValue>();

/** The value as JSON. Actors are shown as `→ address`. */
export function plain(value: unknown, depth = 0): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      break;
    default:
      return `(${typeof value})`;
  }
  if (value === null) return null;
  const before = known.get(value);
  if (before !== undefined) return before;
  const key = keyOf(value as AnyActorRef);
  if (key !== undefined) return `→ ${key.place.address === '' ? 'coordinator' : key.place.address}`;
  if (depth > depthMax) return '…';
  const json = Array.isArray(value)
    ? value.map((item) => plain(item, depth + 1))
    : Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([name, item]) => [keyFor(name), plain(item, depth + 1)]),
      );
  known.set(value, json);
  return json;
}
