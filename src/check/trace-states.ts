/** The states that a trace goes through: the model is gone through again, step by step, by what the trace says of each. */
import { canonical } from '../json.ts';
import type { Opened, Step } from './checkable.ts';
import { actionKind, Finding, Widen, type Emit } from './engine/space.ts';

/** A state on the way. */
export interface Place {
  readonly vector: Int32Array;
  /** What led here. */
  readonly action: number;
  /** Nothing but faults and cancelling can happen here; undefined where that cannot be told: a transition is wrong in itself. */
  readonly isStuck: boolean | undefined;
}

type Reached = Omit<Place, 'isStuck'> & { isStuck: boolean | undefined; readonly from: Reached | undefined };

const helpsNothing = actionKind.fault | actionKind.cancel;

/** Two steps of which this is the same are the same event. */
const nameOf = ({ type, at, from, text, data }: Step) => canonical([type, at, from ?? null, data ?? text]);

/**
 * The states after each of `steps`, in order; fewer where the model cannot do what a step says, or does it only with a finding. Where
 * steps can be read in more than one way, a way on which `isMeant` is true of the last state (in `space.current`) is preferred.
 */
export function statesAlong<State>(
  opened: Opened<State>,
  steps: readonly Step[],
  isMeant: () => boolean,
): readonly Place[] {
  const { space } = opened;
  let layer: readonly Reached[] = [];
  for (const [index, step] of steps.entries()) {
    const next =
      index === 0
        ? successors(opened, undefined, nameOf(step))
        : distinct(layer.flatMap((place) => successors(opened, place, nameOf(step))));
    if (next.length === 0) break;
    layer = next;
  }
  // Only what was gone on from is known to be stuck or not.
  for (const place of layer) if (place.isStuck === undefined) successors(opened, place, '');
  const last =
    layer.find((place) => {
      load(space, place.vector);
      return isMeant();
    }) ?? layer[0];
  const way: Place[] = [];
  for (let at = last; at !== undefined; at = at.from) way.push(at);
  return way.reverse();
}

/** What the step of this name leads to from a place, or from the beginning; says of the place whether it is stuck. */
function successors<State>(opened: Opened<State>, from: Reached | undefined, name: string): readonly Reached[] {
  const { space } = opened;
  for (;;) {
    const found: Reached[] = [];
    let isStuck = true;
    const emit: Emit = (action, isOutside) => {
      if ((space.kindOf(action) & helpsNothing) === 0) isStuck = false;
      if (isOutside === true) return;
      if (nameOf(opened.describe(action)) === name)
        found.push({ vector: space.next.slice(), action, isStuck: undefined, from });
    };
    try {
      if (from === undefined) space.initial(emit);
      else {
        load(space, from.vector);
        space.expand(emit);
        from.isStuck = isStuck;
      }
      return found;
    } catch (error) {
      if (error instanceof Finding) return found;
      if (!(error instanceof Widen)) throw error;
    }
  }
}

/** Writes a state into `space.current`. Vectors grow while a model is gone through; what is not there is zero. */
export function load(space: Opened<never>['space'], vector: Int32Array): void {
  space.current.fill(0);
  space.current.set(vector);
}

function distinct(places: readonly Reached[]): readonly Reached[] {
  return [...new Map(places.map((place) => [place.vector.join().replace(/(,0)+$/, ''), place])).values()];
}
