/** Changing JSON in place, and no more of it than differs. */
import { isDraft, original } from 'immer';
import type { JsonValue } from '../json.ts';

/**
 * Writes `next` over `held` (a draft, or plain) in place, touching only what differs, so that patches say what changed and
 * nothing else. What is the same object in both is not looked into. Returns what now stands there.
 */
export function overwrite(held: unknown, next: JsonValue): JsonValue {
  if (Array.isArray(held) && Array.isArray(next)) {
    const base = baseOf(held) as readonly unknown[];
    const before = base.length;
    if (before > next.length) held.length = next.length;
    next.forEach((item: JsonValue, index) => {
      if (index >= before || base[index] !== item) put(held, index, index < before, item);
    });
    return held as unknown as JsonValue;
  }
  if (isRecord(held) && isRecord(next)) {
    const base = baseOf(held) as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(base)) if (!Object.hasOwn(next, key)) delete (held as Record<string, unknown>)[key];
    for (const [key, item] of Object.entries(next)) {
      const has = Object.hasOwn(base, key);
      if (!has || base[key] !== item) put(held, key, has, item as JsonValue);
    }
    return held as unknown as JsonValue;
  }
  return next;
}

const baseOf = (held: object): object => (isDraft(held) ? (original(held) ?? held) : held);

function put(holder: object, key: number | string, has: boolean, item: JsonValue): void {
  const slots = holder as Record<number | string, JsonValue>;
  if (!has || typeof item !== 'object' || item === null) {
    slots[key] = item;
    return;
  }
  const before = slots[key];
  const after = overwrite(before, item);
  if (after !== before) slots[key] = after;
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
