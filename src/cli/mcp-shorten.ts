/** JSON for a reader that takes only so much: long texts and lists are cut, and say so. */
import type { JsonValue } from '../json.ts';

const textCharsMax = 2_000;
const itemsMax = 50;
const depthMax = 12;
/** Characters in all; agents refuse results of more than some 25,000 tokens. */
const charsMax = 40_000;

/** `value`, shortened further and further until it is at most about 40,000 characters of JSON. */
export function shortened(value: JsonValue): JsonValue {
  let share = 1;
  for (;;) {
    const short = cut(value, Math.ceil(textCharsMax * share), Math.ceil(itemsMax * share), 0);
    if (share < 0.01 || JSON.stringify(short).length <= charsMax) return short;
    share /= 2;
  }
}

function cut(value: JsonValue, charsMost: number, itemsMost: number, depth: number): JsonValue {
  if (typeof value === 'string')
    return value.length <= charsMost ? value : `${value.slice(0, charsMost)}… (${value.length} characters in all)`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth === depthMax) return '…';
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[])
      .slice(0, itemsMost)
      .map((item) => cut(item, charsMost, itemsMost, depth + 1));
    return value.length <= itemsMost ? items : [...items, `… (${value.length} in all)`];
  }
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>);
  const kept = entries
    .slice(0, itemsMost)
    .map(([key, item]) => [key, cut(item, charsMost, itemsMost, depth + 1)] as const);
  return Object.fromEntries(entries.length <= itemsMost ? kept : [...kept, ['…', `${entries.length} in all`]]);
}
