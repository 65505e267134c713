/** An output for people: texts as they are, objects and lists as indented lines, without the quotes and brackets of JSON. */
import type { JsonValue } from '../json.ts';
import { plainLine } from '../harness/program/last-line.ts';
import { widthOf } from './text.ts';

/** The lines of `output`. */
export function outputLines(output: JsonValue): readonly string[] {
  if (output === null) return ['(no output)'];
  if (typeof output === 'string') return output.replace(/\n$/, '').split('\n').map(plainLine);
  return isLeaf(output) ? [leafText(output)] : nested(output);
}

type Branch = readonly JsonValue[] | { readonly [name: string]: JsonValue };

function isLeaf(value: JsonValue): value is string | number | boolean | null {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0;
}

function leafText(value: JsonValue): string {
  return typeof value === 'string' ? plainLine(value) || '""' : JSON.stringify(value);
}

function nested(value: Branch): string[] {
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).flatMap((item) =>
      isLeaf(item) ? [`- ${leafText(item)}`] : nested(item).map((line, index) => `${index === 0 ? '-' : ' '} ${line}`),
    );
  }
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>);
  const width = Math.min(
    24,
    Math.max(0, ...entries.filter(([, item]) => isLeaf(item)).map(([name]) => widthOf(plainLine(name)))),
  );
  return entries.flatMap(([name, item]) => {
    const label = plainLine(name);
    if (!isLeaf(item)) return [`${label}:`, ...nested(item).map((line) => `  ${line}`)];
    return [`${label}:${' '.repeat(Math.max(0, width - widthOf(label)))} ${leafText(item)}`];
  });
}
