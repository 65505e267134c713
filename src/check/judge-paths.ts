/** The properties that ask about ways: canAlways (AG EF) and eventually, on the complete graph. */
import { asked, type Model, type Opened } from './checkable.ts';
import { pathTo, type PathStep } from './engine/edges.ts';
import type { Exploration } from './engine/explore.ts';
import { neverOn } from './engine/liveness.ts';
import { canReach, type Graph } from './engine/paths.ts';
import { actionKind } from './engine/space.ts';
import type { Trace, Violation } from './result.ts';

/** What is judged. */
export interface PathQuestions<State> {
  readonly model: Model<State>;
  readonly opened: Opened<State>;
  readonly explored: Exploration;
  readonly trace: (path: readonly PathStep[]) => Trace;
  readonly stopAt: 'first' | 'never';
}

/** Violations of the properties about ways, in the order: an end can be reached, canAlways, eventually. */
export function judgePaths<State>({
  model,
  opened,
  explored,
  trace,
  stopAt,
}: PathQuestions<State>): readonly Violation[] {
  const { edges, states } = explored;
  if (edges === undefined) return [];
  const graph: Graph = { states, edges };
  const { space } = opened;
  const violations: Violation[] = [];
  const isDone = () => stopAt === 'first' && violations.length > 0;

  const mark = (holds: () => boolean): Uint8Array => {
    const marked = new Uint8Array(states.count);
    for (let number = 0; number < states.count; number += 1) {
      states.read(number, space.current);
      if (holds()) marked[number] = 1;
    }
    return marked;
  };
  const ask = (property: string, marked: Uint8Array, without: number, what: string) => {
    if (isDone()) return;
    const reach = canReach(graph, marked, (action) => (space.kindOf(action) & without) === 0);
    const stuck = reach.indexOf(0);
    if (stuck < 0) return;
    const shown = trace(pathTo(states, stuck));
    const message = `after ${shown.steps.length - 1} steps ${what}`;
    violations.push({ property, kind: 'canAlways', message, trace: shown });
  };

  const world = actionKind.fault | actionKind.cancel;
  const { canAlwaysEnd, canAlwaysEndWithoutTimers } = model.checks;
  if (canAlwaysEnd || canAlwaysEndWithoutTimers) {
    const ends = mark(() => space.isEnd());
    if (canAlwaysEnd) ask('canAlwaysEnd', ends, world, 'no end can be reached any more');
    if (canAlwaysEndWithoutTimers && violations.length === 0)
      ask(
        'canAlwaysEndWithoutTimers',
        ends,
        world | actionKind.timer,
        'no end can be reached any more but by waiting for a timer',
      );
  }
  for (const [name, holds] of Object.entries(model.properties.canAlways ?? {}))
    ask(
      name,
      mark(() => asked(name, holds, opened.state, opened.variants)),
      world,
      `\`${name}\` cannot be reached any more`,
    );

  for (const [name, holds] of Object.entries(model.properties.eventually ?? {})) {
    if (isDone()) break;
    const lasso = neverOn(
      graph,
      space,
      mark(() => asked(name, holds, opened.state, opened.variants)),
    );
    if (lasso === undefined) continue;
    const { stem, loop } = lasso;
    const { steps } = trace([...stem, ...loop]);
    const how = loop.length === 0 ? 'nothing has to happen any more' : `it goes round for ever in ${loop.length} steps`;
    violations.push({
      property: name,
      kind: 'eventually',
      message: `\`${name}\` need never hold: after ${stem.length - 1} steps ${how}`,
      trace: loop.length === 0 ? { steps } : { steps, loopsFrom: stem.length },
    });
  }
  return violations;
}
