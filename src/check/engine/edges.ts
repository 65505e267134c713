/** The edges of an explored graph: kept only where a property asks about paths. */
import type { States } from './states.ts';

const chunkBits = 16;
const chunkMask = (1 << chunkBits) - 1;

/** A list of integers that grows without copying. */
export class IntList {
  length = 0;
  private readonly chunks: Int32Array[] = [];

  push(value: number): void {
    let chunk = this.chunks[this.length >>> chunkBits];
    if (chunk === undefined) this.chunks.push((chunk = new Int32Array(1 << chunkBits)));
    chunk[this.length & chunkMask] = value;
    this.length += 1;
  }

  at(index: number): number {
    return (this.chunks[index >>> chunkBits] as Int32Array)[index & chunkMask] as number;
  }

  set(index: number, value: number): void {
    while (this.length <= index) this.push(0);
    (this.chunks[index >>> chunkBits] as Int32Array)[index & chunkMask] = value;
  }

  /** Forgets all from `length` on. */
  cut(length: number): void {
    this.length = length;
  }

  bytes(): number {
    return this.chunks.length * (4 << chunkBits);
  }
}

/** Where a transition out of the model's boundary leads: no state, and what would come of it there is not known. */
export const beyond = -1;

/** Transitions taken, by the state they start in, in the order of expansion. */
export class Edges {
  readonly targets = new IntList();
  readonly actions = new IntList();
  private readonly starts = new IntList();
  private readonly ends = new IntList();

  /** `number` is expanded now. */
  begin(number: number): void {
    this.starts.set(number, this.targets.length);
    this.ends.set(number, this.targets.length);
  }

  add(target: number, action: number): void {
    this.targets.push(target);
    this.actions.push(action);
  }

  /** `number` has been expanded. */
  end(number: number): void {
    this.ends.set(number, this.targets.length);
  }

  cut(length: number): void {
    this.targets.cut(length);
    this.actions.cut(length);
  }

  startOf(number: number): number {
    return this.starts.at(number);
  }

  endOf(number: number): number {
    return this.ends.at(number);
  }

  bytes(): number {
    return this.targets.bytes() + this.actions.bytes() + this.starts.bytes() + this.ends.bytes();
  }
}

/** One edge of a path: what was done, and where it led. */
export interface PathStep {
  readonly action: number;
  readonly state: number;
}

/** The way on which a state was found, from an initial state (whose action is -1): the shortest, after a breadth-first search. */
export function pathTo(states: States, number: number): readonly PathStep[] {
  const path: PathStep[] = [];
  for (let at = number; at >= 0; at = states.parentOf(at)) path.push({ action: states.actionOf(at), state: at });
  return path.reverse();
}
