/**
 * The running digest of a fold: two 32-bit lanes, chained over turns. It proves G6 cheaply and is not a
 * signature: it finds accidents, not attacks.
 */
import { canonical, type JsonValue } from '../json.ts';

/** 64 bits in two lanes. */
export interface Hash {
  readonly a: number;
  readonly b: number;
}

/** Texts that come again and again (addresses, event types, states) are hashed once. */
const cache = new Map<string, Hash>();
const cacheMax = 20_000;

/** Hash of a text that is expected to come again. */
export function hashed(text: string): Hash {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const hash = hashText(text);
  if (cache.size >= cacheMax) cache.clear();
  cache.set(text, hash);
  return hash;
}

/** Hash of a text: FNV-1a in one lane, a multiply-rotate in the other. */
export function hashText(text: string): Hash {
  return hashTexts([text]);
}

/** {@link hashText} of all texts, one behind the other, which are not joined for it. */
export function hashTexts(texts: readonly string[]): Hash {
  let length = 0;
  for (const text of texts) length += text.length;
  let a = 0x811c9dc5;
  let b = 0x9e3779b9 ^ length;
  for (const text of texts) {
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul((b << 13) | (b >>> 19), 5) + unit;
    }
  }
  return { a: scramble(a), b: scramble(b) };
}

/** Sixteen hexadecimal digits. */
export function hashToText(hash: Hash): string {
  return hex(hash.a) + hex(hash.b);
}

/** The lanes while a turn is folded. Order of mixing matters. */
export class Digest implements Hash {
  a: number;
  b: number;

  constructor(from: Hash) {
    this.a = from.a;
    this.b = from.b;
  }

  /** Mixes a number; all 53 bits count, fractions count by their text. */
  number(value: number): void {
    if ((value | 0) === value) this.lanes(value, value);
    else if (Number.isSafeInteger(value)) this.lanes(value | 0, Math.floor(value / 2 ** 32));
    else this.hash(hashText(String(value)));
  }

  /** Mixes a text that is expected to come again. */
  text(value: string): void {
    this.hash(hashed(value));
  }

  /** Mixes data that leaves the group. */
  json(value: JsonValue): void {
    this.hash(hashText(canonical(value)));
  }

  /** Mixes a machine's state value. */
  state(value: unknown): void {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      this.text(key);
      this.state(inner);
    }
    this.lanes(0, 1);
  }

  hash(value: Hash): void {
    this.lanes(value.a, value.b);
  }

  private lanes(a: number, b: number): void {
    const mixed = Math.imul(this.a ^ a, 0x85ebca6b);
    this.a = (((mixed << 13) | (mixed >>> 19)) + 0x2545f491) | 0;
    const other = Math.imul(this.b + b + (this.a >>> 7), 0xc2b2ae35);
    this.b = other ^ (other >>> 15);
  }
}

function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
