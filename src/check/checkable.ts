/** What `check` needs of a model, whichever way it was written. */
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { Space } from './engine/space.ts';

/** What has to hold. Each predicate is told a state; it must be a pure function of it. */
export interface Properties<State> {
  /** Holds in every state. */
  readonly always?: { readonly [name: string]: (state: State) => boolean };
  /** Holds in some state: one that is never met is a failure, for then the rest may hold of nothing. */
  readonly sometimes?: { readonly [name: string]: (state: State) => boolean };
  /** On every fair way from the beginning it holds at some point. Fair: what can happen all the time happens at some time; faults and outsiders need not act. */
  readonly eventually?: { readonly [name: string]: (state: State) => boolean };
  /** From every state there is a way, without faults, to one in which it holds (AG EF). */
  readonly canAlways?: { readonly [name: string]: (state: State) => boolean };
}

/** One transition, as people read it. Plain JSON. */
export interface Step {
  /** What happened: `deliver`, `settle`, `crash` … */
  readonly type: string;
  /** Whose lane it is in: an actor, a member, `host`, `outside`. */
  readonly at: string;
  /** Where it came from, when that is another lane. */
  readonly from?: string;
  /** One line. */
  readonly text: string;
  /** It is a fault of the world, not a step of the protocol. */
  readonly isFault?: boolean;
  /** Particulars: the event, the outcome, the message. */
  readonly data?: JsonValue;
}

/** How much of the machines was seen. */
export interface Coverage {
  /** By machine: states that were active at some time, and those that never were. */
  readonly [machine: string]: { readonly states: readonly string[]; readonly unvisited: readonly string[] };
}

/** A model that is opened to be explored once. */
export interface Opened<State> {
  readonly space: Space;
  /** Tells of what is in `space.current` at the moment. The same object each time: it is read, not kept. */
  readonly state: State;
  /** With symmetry: each other state that this one becomes when actors change places. */
  variants(): readonly State[];
  describe(action: number): Step;
  /** What else has to hold in every state: memoised where possible. */
  readonly invariants: readonly { readonly name: string; holds(): boolean }[];
  coverage(): Coverage;
  /** What the tables take that grow with the states, beside the states themselves. */
  bytes(): number;
  /** Distinct local states, kernel steps taken, and the like. */
  figures(): { readonly [name: string]: number };
}

/** What comes with a model besides its properties. */
export interface Checks {
  /** Something can always happen, except at an end. */
  readonly noDeadlock: boolean;
  /** From every state an end can be reached without a fault (AG EF). */
  readonly canAlwaysEnd: boolean;
  /** And also without any timer firing. */
  readonly canAlwaysEndWithoutTimers: boolean;
}

/** A model: see `model` and `protocol`. */
export interface Model<State = never> {
  readonly name: string;
  /** What is bounded, as shown in results: `K=4, dup 1, crash 1`. */
  readonly bounds: string;
  readonly isViewUsed: boolean;
  readonly isSymmetryUsed: boolean;
  readonly properties: Properties<State>;
  readonly checks: Checks;
  open(): Opened<State>;
  /** Lanes of the diagram, in order. */
  readonly lanes: readonly string[];
}

/**
 * What a predicate says of a state, and of its `variants`. One that throws is a mistake of the model, and so is one that tells those
 * apart which stand for each other. Code: BAD_INPUT.
 */
export function asked<State>(
  name: string,
  holds: (state: State) => boolean,
  state: State,
  variants?: () => readonly State[],
): boolean {
  const said = askedOne(name, holds, state);
  if (variants?.().some((variant) => askedOne(name, holds, variant) !== said))
    throw new TroupeError(
      'BAD_INPUT',
      `property \`${name}\` tells those apart that \`symmetry\` lets change places: of two states that differ only so it says true and false. Write it of all of them alike, or leave \`symmetry\` out.`,
    );
  return said;
}

function askedOne<State>(name: string, holds: (state: State) => boolean, state: State): boolean {
  try {
    const said: unknown = holds(state);
    // A promise would be true whatever comes of it.
    if (typeof said === 'object' && said !== null && 'then' in said) throw new Error('it returned a promise');
    return Boolean(said);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new TroupeError(
      'BAD_INPUT',
      `property \`${name}\` threw where it was to say true or false: ${said}`,
      {},
      error,
    );
  }
}

/** True for what `model` and `protocol` return, by whichever copy of the library. */
export function isModel(value: unknown): value is Model<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['bounds', 'checks', 'lanes', 'open', 'properties'].every((name) => name in value)
  );
}
