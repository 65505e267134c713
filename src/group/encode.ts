/**
 * Snapshots hold two things that JSON does not: actor refs, and properties that are undefined. Both are written
 * as objects with the one key below, so that a restored context is the same in every respect. Order of keys
 * is kept: authors may iterate over them.
 */
import type { AnyActorRef } from 'xstate';
import { TroupeError } from '../error.ts';
import { assertJson, isPlainObject, jsonDepthMax, setOwn, type JsonValue } from '../json.ts';
import type { Address } from './effect.ts';
import { keyOf } from './ref.ts';

const mark = '$troupe';

type Marked =
  | readonly ['undefined']
  | readonly ['ref', Address, number, string]
  /** An author's object that has our key itself. */
  | readonly ['data', JsonValue];

/** Writes data that may hold refs. Throws NOT_JSON with the path. */
export function encode(value: unknown, label: string, depth = 0): JsonValue {
  if (typeof value !== 'object' || value === null) {
    assertJson(value, label);
    return value;
  }
  const key = keyOf(value as AnyActorRef);
  if (key !== undefined) return marked(['ref', key.place.address, key.incarnation, sourceOf(value as AnyActorRef)]);
  if (
    depth > jsonDepthMax ||
    !(Array.isArray(value) || isPlainObject(value)) ||
    Object.getOwnPropertySymbols(value).length > 0
  ) {
    assertJson(value, label);
    throw new TroupeError('NOT_JSON', `${label}: expected JSON, got an array or object of a class`, { path: label });
  }
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) assertJson(value, label);
    return Array.from(value, (item, index) => encode(item, `${label}[${index}]`, depth + 1));
  }
  const copy: Record<string, JsonValue> = {};
  for (const [name, item] of Object.entries(value)) {
    setOwn(copy, name, item === undefined ? marked(['undefined']) : encode(item, `${label}.${name}`, depth + 1));
  }
  return mark in value ? marked(['data', copy]) : copy;
}

/** Reads what {@link encode} wrote; `revive` finds the ref of an actor. Never shares with `value`. */
export function decode(
  value: JsonValue | undefined,
  revive: (address: Address, incarnation: number, source: string) => AnyActorRef,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => decode(item, revive));
  const object = value as { readonly [key: string]: JsonValue };
  // Authors' objects with this key were wrapped by `encode`.
  const wrapped = object[mark] as Marked | undefined;
  if (wrapped !== undefined) {
    if (wrapped[0] === 'undefined') return undefined;
    if (wrapped[0] === 'ref') return revive(wrapped[1], wrapped[2], wrapped[3]);
    return decodeObject(wrapped[1] as typeof object, revive);
  }
  return decodeObject(object, revive);
}

function decodeObject(object: { readonly [key: string]: JsonValue }, revive: Parameters<typeof decode>[1]): unknown {
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(object)) setOwn(copy, name, decode(item, revive));
  return copy;
}

function marked(what: Marked): JsonValue {
  return { [mark]: what };
}

function sourceOf(ref: AnyActorRef): string {
  return typeof ref.src === 'string' ? ref.src : '';
}
