import type { Coverage, Step } from './checkable.ts';

/** Which check a violation failed. */
export type ViolationKind = 'always' | 'canAlways' | 'deadlock' | 'eventually' | 'finding' | 'sometimes';

/** A way through the model. */
export interface Trace {
  /** From the beginning, which is the first step. The shortest there is, after a breadth-first search. */
  readonly steps: readonly Step[];
  /** For what never ends: the steps from this place (0-based) on repeat for ever. */
  readonly loopsFrom?: number;
}

/** Something that should hold and does not. */
export interface Violation {
  readonly property: string;
  readonly kind: ViolationKind;
  /** One sentence. */
  readonly message: string;
  /** Absent where there is no way to show: a `sometimes` that is never met. */
  readonly trace: Trace | undefined;
}

/** What was done to find that out. */
export interface CheckStats {
  /** Transitions of each distinct state were all looked at. */
  readonly exact: boolean;
  readonly strategy: string;
  /** Integers in a state's vector, and bytes per state of everything that grows with states. */
  readonly width: number;
  readonly bytesPerState: number;
  readonly edgesKept: boolean;
  readonly ms: number;
  readonly statesPerSecond: number;
  readonly coverage: Coverage;
  /** Distinct local states, kernel steps and the like. */
  readonly figures: { readonly [name: string]: number };
}

/** What a check came to. */
export interface CheckResult {
  readonly model: string;
  /**
   * `verified`: everything holds in every state within the bounds. `violated`: something does not; see `violations`.
   * `incomplete`: nothing wrong was found, and nothing is proven: the search was cut short, or was a sample.
   */
  readonly verdict: 'incomplete' | 'verified' | 'violated';
  /** Every state within the bounds was looked at. */
  readonly complete: boolean;
  /** Why it is not complete. */
  readonly cutBy: 'maxSeconds' | 'maxStates' | 'sampling' | 'violation' | undefined;
  readonly distinct: number;
  /** Initial states and transitions, self-loops and those to known states included. */
  readonly generated: number;
  /** Levels of the breadth-first search, the initial states are the first; otherwise the longest way on which a state was found. */
  readonly depth: number;
  /** What bounds the proof. */
  readonly bounds: string;
  /** States were told apart by an abstraction of the author's: the proof is as good as that. */
  readonly viewUsed: boolean;
  /** States that differ by a change of places count as one. */
  readonly symmetryUsed: boolean;
  readonly violations: readonly Violation[];
  /** What was not judged, and why. */
  readonly unjudged: readonly string[];
  readonly stats: CheckStats;
}
