/**
 * A persistent vector: 32-way tree of arrays. Setting one place copies the way to it and shares the
 * rest, so that every system of actors ever made stays whole.
 */
const bits = 5;
const width = 1 << bits;
const mask = width - 1;

type Node = readonly unknown[];

/** Immutable; places that were never set are undefined. */
export interface Vector<Item> {
  readonly root: Node;
  /** Bits of an index that the root's children leave over; 0 when the root holds the items. */
  readonly shift: number;
  /** Phantom: what the leaves hold. */
  readonly item?: Item;
}

const empty: Vector<never> = { root: [], shift: 0 };

/** The empty vector. */
export function emptyVector<Item>(): Vector<Item> {
  return empty;
}

/** Whether a tree of this height is too low for the index, which is below 2^31. */
function isBeyond(index: number, shift: number): boolean {
  return shift + bits < 31 && index >> (shift + bits) !== 0;
}

/** What stands at `index`. */
export function getAt<Item>(vector: Vector<Item>, index: number): Item | undefined {
  let { root: node, shift } = vector;
  if (isBeyond(index, shift)) return undefined;
  for (; shift > 0; shift -= bits) {
    const child = node[(index >>> shift) & mask] as Node | undefined;
    if (child === undefined) return undefined;
    node = child;
  }
  // The tree is only written by `setAt`, which keeps items at level 0.
  return node[index & mask] as Item | undefined;
}

/** A vector that has `item` at `index` and is equal elsewhere. */
export function setAt<Item>(vector: Vector<Item>, index: number, item: Item): Vector<Item> {
  let { root, shift } = vector;
  while (isBeyond(index, shift)) {
    root = [root];
    shift += bits;
  }
  return { root: written(root, shift, index, item), shift };
}

function written(node: Node, shift: number, index: number, item: unknown): Node {
  const copy = node.slice();
  const slot = (index >>> shift) & mask;
  while (copy.length < slot) copy.push(undefined);
  copy[slot] = shift === 0 ? item : written((copy[slot] as Node | undefined) ?? [], shift - bits, index, item);
  return copy;
}

/** Calls `visit` for everything that was set, by index. */
export function forEachOf<Item>(vector: Vector<Item>, visit: (item: Item) => void): void {
  const walk = (node: Node, shift: number): void => {
    for (const child of node) {
      if (child === undefined) continue;
      if (shift === 0) visit(child as Item);
      else walk(child as Node, shift - bits);
    }
  };
  walk(vector.root, vector.shift);
}

/** Calls `visit` for everything that stands in `after` and not, as the same, in `before`; shared parts are not looked into. */
export function forEachChanged<Item>(before: Vector<Item>, after: Vector<Item>, visit: (item: Item) => void): void {
  if (before.shift !== after.shift) {
    // The tree has grown by a level: its old root stands first in the new one.
    let grown = before.root;
    for (let shift = before.shift; shift < after.shift; shift += bits) grown = [grown];
    forEachChanged({ root: grown, shift: after.shift }, after, visit);
    return;
  }
  const walk = (was: Node | undefined, now: Node, shift: number): void => {
    if (was === now) return;
    now.forEach((child, slot) => {
      if (child === undefined || was?.[slot] === child) return;
      // The tree is only written by `setAt`, which keeps items at level 0.
      if (shift === 0) visit(child as Item);
      else walk(was?.[slot] as Node | undefined, child as Node, shift - bits);
    });
  };
  walk(before.root, after.root, after.shift);
}
