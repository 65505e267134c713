/**
 * What each property comes to at each step of a trace. Only what can be known from the trace is said: a property about ways on is
 * `unknown` where neither the trace nor the check's own verdict answers it.
 */
import { asked, type Model, type Opened, type Step } from './checkable.ts';
import { actionKind } from './engine/space.ts';
import type { Violation, ViolationKind } from './result.ts';
import { load, statesAlong, type Place } from './trace-states.ts';

/**
 * What a property comes to at a step. `holds`, `violated`: of the state there (`canAlways`: what it asks for can still be reached).
 * `unmet`, `met`: of `sometimes`, so far. `pending`, `met`: of `eventually`, so far.
 */
export type PropertyState = 'holds' | 'met' | 'pending' | 'unknown' | 'unmet' | 'violated';

/** A property at a step. Plain JSON. */
export interface PropertyAt {
  readonly property: string;
  readonly kind: ViolationKind;
  readonly state: PropertyState;
}

/** One property along a whole trace. */
interface Row {
  readonly property: string;
  readonly kind: ViolationKind;
  /** By step; shorter than the trace where no more is known. */
  readonly states: readonly PropertyState[];
  /** Comes with every model: left out where nothing at all is known of it. */
  readonly isDefault?: boolean;
}

const helpsNothing = actionKind.fault | actionKind.cancel;

/**
 * By step of the violation's trace, the properties that are something else there than at the step before; at the first, all of them.
 * `findings`: names of the checks that look at each step by itself (`noUnhandled` …) and are on.
 */
export function propertyChanges<State>(
  model: Model<State>,
  violation: Violation,
  findings: readonly string[] = [],
): readonly (readonly PropertyAt[])[] {
  const steps = violation.trace?.steps ?? [];
  const rows = rowsOf(model, violation, steps, findings);
  return steps.map((_, step) =>
    rows.flatMap(({ property, kind, states }) => {
      const state = states[step] ?? 'unknown';
      return step > 0 && state === (states[step - 1] ?? 'unknown') ? [] : [{ property, kind, state }];
    }),
  );
}

function rowsOf<State>(
  model: Model<State>,
  violation: Violation,
  steps: readonly Step[],
  findings: readonly string[],
): readonly Row[] {
  const opened = model.open();
  const { always = {}, sometimes = {}, eventually = {}, canAlways = {} } = model.properties;
  const broken = violation.kind === 'always' ? always[violation.property] : undefined;
  const places = statesAlong(
    opened,
    steps,
    () => broken === undefined || said(violation.property, broken, opened) === false,
  );
  /** By step: what `holds` says of the state there; undefined where it throws. */
  const along = (holds: () => boolean | undefined) =>
    places.map(({ vector }) => {
      load(opened.space, vector);
      return holds();
    });
  const asking = (property: string, holds: (state: State) => boolean) => along(() => said(property, holds, opened));
  const each = (
    properties: { readonly [name: string]: (state: State) => boolean },
    kind: ViolationKind,
    states: (values: readonly (boolean | undefined)[]) => readonly PropertyState[],
  ): readonly Row[] =>
    Object.entries(properties).map(([property, holds]) => ({
      property,
      kind,
      states: states(asking(property, holds)),
    }));
  const canReach = (without: number) => (values: readonly (boolean | undefined)[]) =>
    reachable(opened, places, values, without);
  const ends = along(() => opened.space.isEnd());
  const timers = helpsNothing | actionKind.timer;
  const { noDeadlock, canAlwaysEnd, canAlwaysEndWithoutTimers } = model.checks;
  const byDefault = (isOn: boolean, property: string, kind: ViolationKind, states: readonly PropertyState[]) =>
    isOn ? [{ property, kind, states, isDefault: true }] : [];
  const rows: readonly Row[] = [
    ...opened.invariants.map(({ name, holds }): Row => ({
      property: name,
      kind: 'always',
      states: along(holds).map(verdict),
    })),
    ...each(always, 'always', (values) => values.map(verdict)),
    ...each(sometimes, 'sometimes', (values) => soFar(values, 'unmet', steps.length)),
    ...each(eventually, 'eventually', (values) => soFar(values, 'pending', steps.length)),
    ...each(canAlways, 'canAlways', canReach(helpsNothing)),
    ...byDefault(
      noDeadlock,
      'noDeadlock',
      'deadlock',
      places.map(({ isStuck }, step) => (isStuck === undefined ? 'unknown' : verdict(!isStuck || ends[step] === true))),
    ),
    ...byDefault(canAlwaysEnd, 'canAlwaysEnd', 'canAlways', canReach(helpsNothing)(ends)),
    ...byDefault(canAlwaysEndWithoutTimers, 'canAlwaysEndWithoutTimers', 'canAlways', canReach(timers)(ends)),
    // A step that was taken was found to be right.
    ...findings.flatMap((name) =>
      byDefault(
        true,
        name,
        'finding',
        places.map(() => 'holds' as const),
      ),
    ),
  ];
  return withVerdict(rows, violation, steps.length).filter(
    ({ isDefault, states }) => isDefault !== true || states.some((state) => state !== 'unknown'),
  );
}

const verdict = (holds: boolean | undefined): PropertyState =>
  holds === undefined ? 'unknown' : holds ? 'holds' : 'violated';

/** A predicate that cannot say leaves its step blank: the check itself has refused it, or never came there. */
function said<State>(
  property: string,
  holds: (state: State) => boolean,
  { state }: Opened<State>,
): boolean | undefined {
  try {
    return asked(property, holds, state);
  } catch {
    return undefined;
  }
}

/** What has been met stays met, also where the trace is no longer followed. */
function soFar(
  values: readonly (boolean | undefined)[],
  before: 'pending' | 'unmet',
  steps: number,
): readonly PropertyState[] {
  const first = values.indexOf(true);
  return Array.from({ length: steps }, (_, step) => {
    if (first >= 0 && step >= first) return 'met';
    return step < values.length && !values.slice(0, step + 1).includes(undefined) ? before : 'unknown';
  });
}

/** Where the trace itself shows a way on to the goal, by nothing that is `without`. */
function reachable<State>(
  { space }: Opened<State>,
  places: readonly Place[],
  goal: readonly (boolean | undefined)[],
  without: number,
): readonly PropertyState[] {
  const states: PropertyState[] = places.map(() => 'unknown');
  for (let step = places.length - 1; step >= 0; step -= 1) {
    const next = places[step + 1];
    const leadsOn = next !== undefined && states[step + 1] === 'holds' && (space.kindOf(next.action) & without) === 0;
    if (goal[step] === true || leadsOn) states[step] = 'holds';
  }
  return states;
}

/** What the check found, which the trace alone may not show. */
function withVerdict(rows: readonly Row[], { property, kind }: Violation, steps: number): readonly Row[] {
  const told = (row: Row): Row => {
    if (row.property !== property || row.kind !== kind) return row;
    const states = Array.from({ length: steps }, (_, step): PropertyState => {
      if (step < steps - 1) return kind === 'canAlways' ? 'holds' : (row.states[step] ?? 'unknown');
      // That a way goes round for ever is said of the whole of it, after the last step.
      return kind === 'eventually' ? (row.states[step] ?? 'unknown') : 'violated';
    });
    return { ...row, states };
  };
  return rows.map(told);
}
