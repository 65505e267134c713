/** JSON for a reader that takes only so much: long texts and lists are cut, and say so. */
import type { JsonValue } from '../json.ts';

const textCharsMax = 2_000;
const itemsMax = 50;
const depthMax = 12;
/** Characters in all; agents refuse results of more than some 25,000 tokens. */
const charsMax = 40_000;

/** What stands under these names was made by processes and members; everywhere else names are ours, few, and none is left out. */
const theirs: ReadonlySet<string> = new Set(['data', 'input', 'output']);

/** `value`, as `troupe show --json` has it, shortened further and further until it is at most about 40,000 characters of JSON. */
export function shortened(value: JsonValue): JsonValue {
  let share = 1;
  for (;;) {
    const most: Most = { chars: Math.ceil(textCharsMax * share), items: Math.ceil(itemsMax * share), isOurs: true };
    const short = cut(value, most, 0);
    if (share < 0.01 || JSON.stringify(short).length <= charsMax) return short;
    share /= 2;
  }
}

/** How much is left of a value. */
interface Most {
  readonly chars: number;
  readonly items: number;
  readonly isOurs: boolean;
}

function cut(value: JsonValue, most: Most, depth: number): JsonValue {
  if (typeof value === 'string') return shortText(value, most.chars, '');
  if (typeof value !== 'object' || value === null) return value;
  if (depth === depthMax) return '…';
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[]).slice(0, most.items).map((item) => cut(item, most, depth + 1));
    return value.length <= most.items ? items : [...items, `… (${value.length} in all)`];
  }
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>);
  const kept = most.isOurs ? entries : entries.slice(0, most.items);
  const short = kept.map(([name, item], index) => {
    const within = { ...most, isOurs: most.isOurs && !theirs.has(name) };
    // Two that begin alike stay two.
    return [shortText(name, most.chars, `, name ${index + 1}`), cut(item, within, depth + 1)] as const;
  });
  return Object.fromEntries(kept.length === entries.length ? short : [...short, ['…', `${entries.length} in all`]]);
}

function shortText(text: string, charsMost: number, which: string): string {
  return text.length <= charsMost ? text : `${text.slice(0, charsMost)}… (${text.length} characters in all${which})`;
}
