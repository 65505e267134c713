/**
 * Every state that was found: its vector, its parent and the action that led to it, in chunks of one kind of array; found
 * again by open addressing over state numbers with an exact compare. Nothing is ever lost to a hash.
 */
import { finish, mix } from './sequences.ts';

const chunkBits = 12;
const chunkMask = (1 << chunkBits) - 1;

/** Fewer look-ups than a table half full would need are not worth twice its memory. */
const loadMax = 0.62;

/** No state: the parent of an initial one. */
export const noState = -1;

/** The set of visited states. Numbers are given in the order of discovery, from 0. */
export class States {
  count = 0;
  private width: number;
  /** With symmetry a record also holds the least symmetric vector, which is what is compared. */
  private readonly isSymmetric: boolean;
  private chunks: Int32Array[] = [];
  private table: Int32Array = new Int32Array(1 << 12);
  /** Eight more bits of each hash, so that hardly any state is looked at that is not the one. */
  private tags: Uint8Array = new Uint8Array(1 << 12);
  private mask = (1 << 12) - 1;

  constructor(width: number, isSymmetric: boolean) {
    this.width = width;
    this.isSymmetric = isSymmetric;
  }

  /** Adds a state unless it is there. Returns its number; of a state that was there before, `-number - 1`. */
  add(vector: Int32Array, key: Int32Array, parent: number, action: number): number {
    const { width, table, tags, mask, isSymmetric } = this;
    const stride = this.stride();
    const keyAt = isSymmetric ? width : 0;
    let hash = 0;
    for (let index = 0; index < width; index += 1) hash = mix(hash, key[index] as number);
    hash = finish(hash);
    const tag = hash >>> 24;
    let slot = hash & mask;
    for (let entry = table[slot] as number; entry !== 0; entry = table[slot] as number) {
      if (tags[slot] !== tag) {
        slot = (slot + 1) & mask;
        continue;
      }
      const known = entry - 1;
      const chunk = this.chunks[known >>> chunkBits] as Int32Array;
      const at = (known & chunkMask) * stride + keyAt;
      let index = 0;
      while (index < width && chunk[at + index] === key[index]) index += 1;
      if (index === width) return -known - 1;
      slot = (slot + 1) & mask;
    }
    const number = this.count;
    let chunk = this.chunks[number >>> chunkBits];
    if (chunk === undefined) this.chunks.push((chunk = new Int32Array(stride << chunkBits)));
    const at = (number & chunkMask) * stride;
    for (let index = 0; index < width; index += 1) chunk[at + index] = vector[index] as number;
    if (isSymmetric) for (let index = 0; index < width; index += 1) chunk[at + width + index] = key[index] as number;
    chunk[at + stride - 2] = parent;
    chunk[at + stride - 1] = action;
    table[slot] = number + 1;
    tags[slot] = tag;
    this.count += 1;
    if (this.count > (mask + 1) * loadMax) this.rehash((mask + 1) * 2);
    return number;
  }

  /** Copies the vector of a state. */
  read(number: number, into: Int32Array): void {
    const chunk = this.chunks[number >>> chunkBits] as Int32Array;
    const at = (number & chunkMask) * this.stride();
    for (let index = 0; index < this.width; index += 1) into[index] = chunk[at + index] as number;
  }

  /** The state from which this one was found first. */
  parentOf(number: number): number {
    return this.tail(number, 2);
  }

  /** How it was found. */
  actionOf(number: number): number {
    return this.tail(number, 1);
  }

  /** Gives all vectors this width, with zeros at their ends. */
  widen(width: number): void {
    const { chunks: old, count } = this;
    const before = this.width;
    const strideBefore = this.stride();
    this.width = width;
    const stride = this.stride();
    this.chunks = old.map(() => new Int32Array(stride << chunkBits));
    for (let number = 0; number < count; number += 1) {
      const from = old[number >>> chunkBits] as Int32Array;
      const to = this.chunks[number >>> chunkBits] as Int32Array;
      const a = (number & chunkMask) * strideBefore;
      const b = (number & chunkMask) * stride;
      for (let index = 0; index < before; index += 1) {
        to[b + index] = from[a + index] as number;
        if (this.isSymmetric) to[b + width + index] = from[a + before + index] as number;
      }
      to[b + stride - 2] = from[a + strideBefore - 2] as number;
      to[b + stride - 1] = from[a + strideBefore - 1] as number;
    }
    this.rehash(this.table.length);
  }

  /** What the arrays take. */
  bytes(): number {
    return this.table.byteLength + this.tags.byteLength + this.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }

  private stride(): number {
    return (this.isSymmetric ? this.width * 2 : this.width) + 2;
  }

  private tail(number: number, back: number): number {
    const stride = this.stride();
    const chunk = this.chunks[number >>> chunkBits] as Int32Array;
    return chunk[((number & chunkMask) + 1) * stride - back] as number;
  }

  private rehash(slots: number): void {
    const stride = this.stride();
    const keyAt = this.isSymmetric ? this.width : 0;
    const table = new Int32Array(slots);
    const tags = new Uint8Array(slots);
    const mask = slots - 1;
    for (let number = 0; number < this.count; number += 1) {
      const chunk = this.chunks[number >>> chunkBits] as Int32Array;
      const at = (number & chunkMask) * stride + keyAt;
      let hash = 0;
      for (let index = 0; index < this.width; index += 1) hash = mix(hash, chunk[at + index] as number);
      hash = finish(hash);
      let slot = hash & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = number + 1;
      tags[slot] = hash >>> 24;
    }
    this.table = table;
    this.tags = tags;
    this.mask = mask;
  }
}
