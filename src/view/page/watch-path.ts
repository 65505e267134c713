/** Watch expressions: places in a run's state. No code is run: a page that may not run any can watch all the same. */
import { keyFor } from '../key.ts';
import type { Frame, ViewState } from '../model.ts';

/**
 * A place in a state: `run.status`, `groups.work.members.a.status`; or, in short, `work.open.length`: of the context of group `work`. The parts
 * are between dots; one with dots in it stands in double quotes. Undefined for nothing.
 */
export function pathOf(expression: string, state: ViewState): readonly string[] | undefined {
  const parts = [...expression.trim().matchAll(/"([^"]*)"|([^."]+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
  const [first, ...rest] = parts;
  if (first === undefined) return undefined;
  if (Object.hasOwn(state, first)) return parts.map((part, index) => (index === 0 ? part : keyFor(part)));
  return ['groups', keyFor(first), 'actors', '', 'context', ...rest.map(keyFor)];
}

/** What stands there; undefined when there is nothing. Only own properties, and the length of lists and texts. */
export function valueAt(state: unknown, path: readonly string[]): unknown {
  let value: unknown = state;
  for (const part of path) {
    if (part === 'length' && (Array.isArray(value) || typeof value === 'string')) return value.length;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}

/** True when the frame changes what stands at `path`, or what is above or below. */
export function touches({ patches }: Frame, path: readonly string[]): boolean {
  const place = path.at(-1) === 'length' ? path.slice(0, -1) : path;
  return patches.some((patch) => {
    const shorter = Math.min(patch.path.length, place.length);
    for (let index = 0; index < shorter; index += 1) if (String(patch.path[index]) !== place[index]) return false;
    return true;
  });
}
