/**
 * The codec: what may stand in a journal, and its one canonical form. What cannot be written is an
 * error that names the path, never silently changed. Two things are documented rather than refused: a
 * property that is undefined counts as absent, and -0 is written 0.
 */
import { TroupeError } from './error.ts';

/** What may stand in a journal: plain JSON. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Arrays and objects may stand in each other this deep. */
export const jsonDepthMax = 500;

/** What is wrong and where, innermost key last to first. */
interface Flaw {
  readonly found: string;
  readonly path: (string | number)[];
}

/**
 * Throws NOT_JSON unless `value` is plain JSON data: `context.items[3].when: expected JSON, got a Date`.
 * `label` begins the path.
 */
export function assertJson(value: unknown, label: string): asserts value is JsonValue {
  const flaw = flawOf(value, 0);
  if (flaw !== undefined) throw notJson(flaw, label);
}

/** A checked deep copy: order of keys kept, undefined properties left out, -0 made 0. Throws NOT_JSON. */
export function toJson(value: unknown, label: string): JsonValue {
  assertJson(value, label);
  return copyOf(value);
}

/** The one text for equal values: keys sorted by code unit, no blanks. Throws NOT_JSON. */
export function canonical(value: JsonValue): string {
  const ordered = inOrder(value);
  return ordered === undefined ? spelledOut(value) : JSON.stringify(ordered);
}

const quotedTexts = new Map<string, string>();
const quotedTextsMax = 10_000;

/** A text as JSON, kept: for names that come again and again (event types, addresses, streams). */
export function quoted(text: string): string {
  let json = quotedTexts.get(text);
  if (json === undefined) {
    if (quotedTexts.size >= quotedTextsMax) quotedTexts.clear();
    quotedTexts.set(text, (json = JSON.stringify(text)));
  }
  return json;
}

/**
 * The same value with every object's keys in order, itself where they are so already, so that one JSON.stringify writes it:
 * several times faster than key by key. Undefined when JSON.stringify would write it otherwise, or it is no JSON at all.
 */
function inOrder(value: JsonValue): JsonValue | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object') return undefined;
  if (isArray(value)) {
    let copy: JsonValue[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index] as JsonValue;
      const ordered = inOrder(item);
      if (ordered === undefined) return undefined;
      if (ordered !== item) copy ??= [...value];
      if (copy !== undefined) copy[index] = ordered;
    }
    return copy ?? value;
  }
  const object = value as JsonObject;
  const keys = Object.keys(object);
  let isSame = true;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as string;
    const first = key.charCodeAt(0);
    // Keys that look like numbers have an order of their own, and these two are not like others.
    if ((first >= 48 && first <= 57) || key === '__proto__' || key === 'toJSON') return undefined;
    if (index > 0 && (keys[index - 1] as string) > key) isSame = false;
  }
  if (!isSame) keys.sort();
  let copy: Record<string, JsonValue> | undefined = isSame ? undefined : {};
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as string;
    const item = object[key];
    if (item === undefined) continue;
    const ordered = inOrder(item);
    if (ordered === undefined) return undefined;
    if (ordered !== item && copy === undefined) {
      copy = {};
      for (const before of keys.slice(0, index)) copy[before] = object[before] as JsonValue;
    }
    if (copy !== undefined) copy[key] = ordered;
  }
  return copy ?? (isPlainObject(object) ? object : undefined);
}

function spelledOut(value: JsonValue): string {
  if (typeof value !== 'object') {
    if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return JSON.stringify(value);
    assertJson(value, 'value');
  }
  if (value === null) return 'null';
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  let text = '';
  for (const key of Object.keys(value as JsonObject).sort()) {
    const item = (value as JsonObject)[key];
    if (item !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(item)}`;
  }
  return `{${text}}`;
}

/** True for an object that JSON writes as one: made by `{}`, `JSON.parse` or `Object.create(null)`. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Sets a property even where its name is `__proto__`. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function copyOf(value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object') return value === 0 ? 0 : value;
  if (isArray(value)) return value.map(copyOf);
  const copy: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined) setOwn(copy, key, copyOf(item));
  }
  return copy;
}

/** The first flaw in document order; the path is built on the way back, so that sound data costs nothing. */
function flawOf(value: unknown, depth: number): Flaw | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : { found: String(value), path: [] };
    case 'object':
      if (value === null) return undefined;
      if (depth >= jsonDepthMax)
        return { found: isCyclic(value) ? 'a cycle' : `nesting deeper than ${jsonDepthMax}`, path: [] };
      return Array.isArray(value) ? flawInArray(value, depth) : flawInObject(value, depth);
    default:
      return { found: describe(value), path: [] };
  }
}

function flawInArray(value: readonly unknown[], depth: number): Flaw | undefined {
  for (let index = 0; index < value.length; index += 1) {
    const item = value[index];
    const flaw =
      item === undefined ? { found: index in value ? 'undefined' : 'a hole', path: [] } : flawOf(item, depth + 1);
    if (flaw !== undefined) return under(flaw, index);
  }
  const keys = Object.keys(value);
  if (keys.length > value.length) return { found: 'an array with extra properties', path: [keys[value.length] ?? ''] };
  return Object.getOwnPropertySymbols(value).length > 0 ? { found: 'a symbol key', path: [] } : undefined;
}

function flawInObject(value: object, depth: number): Flaw | undefined {
  if (!isPlainObject(value)) return { found: describe(value), path: [] };
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    const flaw = flawOf(item, depth + 1);
    if (flaw !== undefined) return under(flaw, key);
  }
  return Object.getOwnPropertySymbols(value).length > 0 ? { found: 'a symbol key', path: [] } : undefined;
}

function under(flaw: Flaw, key: string | number): Flaw {
  flaw.path.push(key);
  return flaw;
}

/** Does anything on the way down from `root` contain itself? Only asked where data is too deep anyway; each object is looked at once. */
function isCyclic(root: object): boolean {
  const way = new Set<object>();
  const done = new Set<object>();
  const stack: object[] = [root];
  for (let here = stack.at(-1); here !== undefined; here = stack.at(-1)) {
    if (way.has(here) || done.has(here)) {
      // All below it has been looked at.
      way.delete(here);
      done.add(here);
      stack.pop();
      continue;
    }
    way.add(here);
    for (const inner of Object.values(here) as unknown[]) {
      if (typeof inner !== 'object' || inner === null) continue;
      if (way.has(inner)) return true;
      if (!done.has(inner)) stack.push(inner);
    }
  }
  return false;
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return value === undefined ? 'undefined' : `a ${typeof value}`;
  }
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  if (typeof name !== 'string' || name === '') return 'an object of a class';
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

function notJson(flaw: Flaw, label: string): TroupeError {
  let path = label;
  for (const key of flaw.path.reverse()) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  }
  // A value that contains itself is found out where it is as deep as none may be.
  const shown = path.length > 300 ? `${path.slice(0, 150)}…${path.slice(-100)}` : path;
  const hint = flaw.found === 'a Promise' ? ' (is an `await` missing?)' : '';
  return new TroupeError('NOT_JSON', `${shown}: expected JSON, got ${flaw.found}${hint}`, { path });
}
