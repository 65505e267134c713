import type { AnyStateMachine } from 'xstate';
import type { JsonValue } from '../../json.ts';
import type { Properties } from '../checkable.ts';
import type { Facade, View } from '../kernel/locals.ts';
import type { Envelope, History } from './history.ts';
import type { NetworkKind } from './network.ts';

/** An event that an actor may meet at any time, of itself: it happens where its machine has a transition for it. */
export interface Move {
  readonly type: string;
  readonly [name: string]: JsonValue;
}

/** One actor of a model. */
export interface ModelActor {
  /** An ordinary machine; it sends with the action `tell`. */
  readonly machine: AnyStateMachine;
  readonly input?: JsonValue;
  /** What it may do of itself. Default nothing. */
  readonly moves?: readonly Move[];
  /** Fairness: its moves happen at some time where they stay possible. Default false: an actor may also do nothing. */
  readonly isFair?: boolean;
}

/** A state as properties see it. */
export interface ModelState<Record extends JsonValue = JsonValue> {
  readonly actors: { readonly [id: string]: Facade };
  /** What is in flight, equal messages each for itself. */
  readonly messages: readonly Envelope[];
  readonly history: Record;
}

/** What `model` takes. */
export interface ModelOptions<Record extends JsonValue = JsonValue> {
  /** Shown in results. Default `model`. */
  readonly name?: string;
  /** The actors by id, in the order in which they begin. */
  readonly actors: { readonly [id: string]: AnyStateMachine | ModelActor };
  /** Several beginnings: each gives some actors another input. Default one, with the actors' own. */
  readonly beginnings?: readonly { readonly [id: string]: JsonValue }[];
  /** Default `bag`. */
  readonly network?: NetworkKind;
  /**
   * Messages may be lost: `true` those that could be delivered, `anywhere` in a queue too, one transition for each place. Default false.
   */
  readonly lossy?: boolean | 'anywhere';
  /** With `lossy`: at most so many losses; default no bound. */
  readonly drops?: number;
  /** At most so many deliveries after which the message is still in flight (bag and ordered). Default 0. */
  readonly duplicates?: number;
  /**
   * A delivery that changes nothing and sends nothing is no transition, and the message stays (as in Stateright). False: every
   * delivery that its receiver has a transition for is one, self-loops too (as in TLA+). On an ordered network a delivery always
   * takes the message. Default true.
   */
  readonly pruneNoOps?: boolean;
  /**
   * States that count. Successors outside are not looked at, but they are there: what leads out is no deadlock, and may come to what
   * `ends`, `canAlways` and `eventually` ask for.
   */
  readonly boundary?: (state: ModelState<Record>) => boolean;
  /** Transitions out of the boundary count as generated (as in TLC) or not (as in Stateright). Default false. */
  readonly countsOutside?: boolean;
  readonly history?: History<Record>;
  /**
   * Sets of actors that may change places: states that differ only so, or in the order of a machine's children, are one. Not with `eventually`.
   * What is asked of states has to say the same of all of these, and is refused (BAD_INPUT) where it does not: it may name none of the actors.
   * Ids are renamed wherever they stand in a text with no letter or digit beside them: `lease a` and `a/undo`, but not `leaseA`.
   */
  readonly symmetry?: readonly (readonly string[])[];
  /** What of an actor's snapshot tells its states apart. Its use is told in the result. */
  readonly view?: View;
  readonly properties?: Properties<ModelState<Record>>;
  /** Where the protocol may rest: with it, deadlocks are found, and that an end can always be reached. */
  readonly ends?: (state: ModelState<Record>) => boolean;
  /** Each distinct step twice, in worlds that differ. Default true. */
  readonly replayDeterminism?: boolean;
}
