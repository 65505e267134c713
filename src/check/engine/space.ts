/**
 * The inner interface of the check kit, between what is checked and what checks it:
 *
 *     model({…})  protocol({…})          what authors write
 *           \       /
 *            Space                       global states as vectors of integers, and their transitions  (this file)
 *              |
 *          explore()                     which states there are: breadth first, depth first, random walks  (explore.ts)
 *              |
 *          StateGraph                    states, parents, edges: flat arrays of integers  (states.ts, edges.ts)
 *              |
 *          properties                    always, sometimes, eventually, canAlways …  (../check.ts, liveness.ts)
 *
 * A global state is a fixed number of integers. Each stands for something that the space has interned: the local state
 * of one actor, what is in flight, a history, a budget that is left. So a global transition costs a few look-ups, and the machines
 * themselves are asked once per (local state, event): Spin's COLLAPSE, with real machines as the step function.
 *
 * Rules a space keeps to:
 * - equal vectors are equal states, and equal states are equal vectors (of one width, symmetry apart);
 * - `expand` emits the same transitions in the same order, whenever it is asked;
 * - a budget (of crashes, duplicates, drops) is in the vector, never beside it;
 * - what cannot be represented is a Finding that is thrown, never a state that is merged with another.
 */

/**
 * Takes the transition that is in `space.next`: what was done, as an action of the space. `isOutside`: its state is outside the model's
 * boundary, so that it leads nowhere; but it can happen.
 */
export type Emit = (action: number, isOutside?: boolean) => void;

/** What an action is to the properties. Bits. */
export const actionKind = {
  /** Something that goes wrong: progress never depends on it, and fairness never asks for it. */
  fault: 1,
  /** A timer fires. */
  timer: 2,
  /** Somebody outside acts: it may help a group along, but fairness never asks for it. */
  outside: 4,
  /** Somebody outside ends the group. */
  cancel: 8,
} as const;

/** Transitions over vectors of integers. */
export interface Space {
  /** Shown in results. */
  readonly name: string;
  /** Integers in a vector. It can only grow, by {@link Widen}. */
  readonly width: number;
  /** Transitions out of the boundary count as generated. Absent: they do not. */
  readonly countsOutside?: boolean;
  /** The state that is asked about; the engine writes it. Its length is `width`. */
  readonly current: Int32Array;
  /** The state that is emitted; the space writes it. Its length is `width`. */
  readonly next: Int32Array;
  /** Emits each initial state, once. */
  initial(emit: Emit): void;
  /** Emits each enabled transition of `current`: self-loops and states seen before too. May throw {@link Widen} or a {@link Finding}. */
  expand(emit: Emit): void;
  /** {@link actionKind} bits. */
  kindOf(action: number): number;
  /** Whom weak fairness has in mind: actions of one class are one. 0: nobody. */
  classOf(action: number): number;
  /** True when `current` is where things may rest: no deadlock, and what canAlways must be able to reach. */
  isEnd(): boolean;
  /** Writes the least vector of the symmetric ones of `next` into `key` (of the same width). Absent: no symmetry. */
  canonical?(key: Int32Array): void;
}

/** A space needs longer vectors: the engine adds zeros to all and asks again. */
export class Widen extends Error {
  readonly width: number;

  constructor(width: number) {
    super(`vectors of ${width} integers are needed`);
    this.width = width;
  }
}

/** Something wrong that shows in a transition, not in a state: it ends the exploration there, with a trace. */
export class Finding extends Error {
  /** Which of the checks found it: `replayDeterminism`, `noUnhandled` … */
  readonly property: string;
  /** What was done, as far as it is known. */
  readonly action: number | undefined;

  constructor(property: string, message: string, action?: number) {
    super(message);
    this.property = property;
    this.action = action;
  }
}
