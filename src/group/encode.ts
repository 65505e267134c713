/**
 * Snapshots hold three things that JSON does not: actor refs, what is undefined, and objects that stand in several places. All are
 * written as objects with the one key below, so that a restored context is the same in every respect. Order of keys
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
  /** The very object that came with this number, from 0, on the way through the value. */
  | readonly ['same', number]
  /** An author's object that has our key itself. */
  | readonly ['data', JsonValue];

/** Objects on the way through one value, or several in a row, each with its number; undefined while its inside is being written. */
export type Numbers = Map<object, number | undefined>;

/** Writes data that may hold refs. Throws NOT_JSON with the path. */
export function encode(value: unknown, label: string): JsonValue {
  return encodeAny(value, label, 0, undefined);
}

/**
 * As {@link encode}; what is one object in several places, of all values that are written with the same `numbers`, is one again when they are
 * read in the same order: authors compare by identity.
 */
export function encodeShared(value: unknown, label: string, numbers: Numbers): JsonValue {
  return encodeAny(value, label, 0, numbers);
}

function encodeAny(value: unknown, label: string, depth: number, numbers: Numbers | undefined): JsonValue {
  if (typeof value !== 'object' || value === null) {
    assertJson(value, label);
    return value;
  }
  const key = keyOf(value as AnyActorRef);
  if (key !== undefined) return marked(['ref', key.place.address, key.incarnation, sourceOf(value as AnyActorRef)]);
  const number = numbers?.get(value);
  if (number !== undefined) return marked(['same', number]);
  if (
    depth > jsonDepthMax ||
    numbers?.has(value) === true ||
    !(Array.isArray(value) || isPlainObject(value)) ||
    Object.getOwnPropertySymbols(value).length > 0
  ) {
    assertJson(value, label);
    throw new TroupeError('NOT_JSON', `${label}: expected JSON, got an array or object of a class`, { path: label });
  }
  const own = numbers?.size ?? 0;
  numbers?.set(value, undefined);
  const written = Array.isArray(value)
    ? encodeArray(value, label, depth, numbers)
    : encodeObject(value as Readonly<Record<string, unknown>>, label, depth, numbers);
  numbers?.set(value, own);
  return written;
}

function encodeArray(
  value: readonly unknown[],
  label: string,
  depth: number,
  numbers: Numbers | undefined,
): readonly JsonValue[] {
  if (Object.keys(value).length !== value.length) assertJson(value, label);
  return Array.from(value, (item, index) => encodeItem(item, `${label}[${index}]`, depth, numbers));
}

function encodeObject(
  value: Readonly<Record<string, unknown>>,
  label: string,
  depth: number,
  numbers: Numbers | undefined,
): JsonValue {
  const copy: Record<string, JsonValue> = {};
  for (const [name, item] of Object.entries(value))
    setOwn(copy, name, encodeItem(item, `${label}.${name}`, depth, numbers));
  return mark in value ? marked(['data', copy]) : copy;
}

function encodeItem(item: unknown, label: string, depth: number, numbers: Numbers | undefined): JsonValue {
  return item === undefined ? marked(['undefined']) : encodeAny(item, label, depth + 1, numbers);
}

type Revive = (address: Address, incarnation: number, source: string) => AnyActorRef;

/**
 * Reads what {@link encode} wrote, or, with the same `known` for all that had the same numbers, {@link encodeShared}; `revive` finds the ref
 * of an actor. Never shares with `value`.
 */
export function decode(value: JsonValue | undefined, revive: Revive, known: object[] = []): unknown {
  return decodeAny(value, revive, known);
}

/** `known` are the objects so far, in the order of their numbers. */
function decodeAny(value: JsonValue | undefined, revive: Revive, known: object[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    known.push(copy);
    for (const item of value as readonly JsonValue[]) copy.push(decodeAny(item, revive, known));
    return copy;
  }
  const object = value as { readonly [key: string]: JsonValue };
  // Authors' objects with this key were wrapped by `encode`.
  const wrapped = object[mark] as Marked | undefined;
  if (wrapped !== undefined) {
    if (wrapped[0] === 'undefined') return undefined;
    if (wrapped[0] === 'ref') return revive(wrapped[1], wrapped[2], wrapped[3]);
    if (wrapped[0] === 'same') return known[wrapped[1]];
    return decodeObject(wrapped[1] as typeof object, revive, known);
  }
  return decodeObject(object, revive, known);
}

function decodeObject(object: { readonly [key: string]: JsonValue }, revive: Revive, known: object[]): unknown {
  const copy: Record<string, unknown> = {};
  known.push(copy);
  for (const [name, item] of Object.entries(object)) setOwn(copy, name, decodeAny(item, revive, known));
  return copy;
}

function marked(what: Marked): JsonValue {
  return { [mark]: what };
}

function sourceOf(ref: AnyActorRef): string {
  return typeof ref.src === 'string' ? ref.src : '';
}
