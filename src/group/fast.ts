/**
 * XState's transition, for machines that have exactly one active leaf (no parallel and no history states): the same
 * microsteps (5.33, raise-*.js), with what they compute from the chart alone worked out once per configuration and transition
 * instead of at every event. That is nine tenths of what an event costs, and replay is made of events. Everything else
 * runs in XState itself; the differential test holds both to live actors.
 */
import { assign, stopChild, type AnyActorScope, type AnyStateMachine } from 'xstate';
import { beginningOf, candidatesFor, chartOf, configurationOf, planOf, rootOf } from './chart.ts';
import type { Chart, Configuration, Plan } from './chart.ts';
import type { Builtin, Fast, Guard, Node, State, Transition } from './chart-types.ts';
import { changed, paramsOf, resolveActions } from './resolve-actions.ts';
import type { Heard } from './snapshot.ts';

/** How to start this machine and run its events; undefined when XState has to. */
export function fastMachine(machine: AnyStateMachine): Fast | undefined {
  const chart = chartOf(machine);
  if (chart === undefined) return undefined;
  let blank: State | undefined;
  return {
    start(scope, input, onMicrostep) {
      // The one public way to a snapshot of which nothing has been run.
      blank ??= machine.resolveState({ value: {}, context: {} }) as unknown as State;
      return firstSteps(chart, blank, { type: 'xstate.init', input }, scope, onMicrostep);
    },
    next(snapshot, event, scope, onMicrostep) {
      // A snapshot comes back to the machine that made it.
      const state = snapshot as State;
      const isOrdinary = event.type !== 'xstate.stop' && event.type !== 'xstate.init';
      return state.status === 'active' && isOrdinary ? macrostep(chart, state, event, scope, onMicrostep) : undefined;
    },
  };
}

/**
 * A context that stands in the configuration, for one actor alone. XState hands out the very object: an assign that changes it in place would
 * change it for every later actor, and for every later replay in this process.
 */
export function freshContext(context: object): object {
  const isFlat = Object.values(context).every((value) => typeof value !== 'object' || value === null);
  return isFlat ? { ...context } : (structuredClone(context) as object);
}

// — The algorithm: XState's getInitialSnapshot, macrostep and microstep ——————————————————————

interface Init extends Heard {
  readonly input: unknown;
}

function firstSteps(chart: Chart, blank: State, event: Init, scope: AnyActorScope, onMicrostep: () => void): State {
  const { root, config } = blank.machine;
  const none = rootOf(chart, root);
  const beginning = beginningOf(chart, root);
  const context = typeof config.context === 'object' && config.context !== null ? freshContext(config.context) : {};
  let state: State = {
    ...changed(blank, context, {}, { _nodes: none.nodes, value: beginning.to.value, tags: none.tags }),
    status: 'active',
    output: undefined,
  };
  const queue: Heard[] = [];
  try {
    if (typeof config.context === 'function') {
      const make = config.context as (of: object) => object;
      const toContext = assign(({ spawn, self }) => make({ spawn, input: event.input, self }));
      state = resolveActions(state, event, scope, [toContext as unknown as Builtin], queue, undefined);
    }
    const entered = enter(none, beginning, state, event, scope, queue);
    return rest(chart, entered, event, scope, queue, onMicrostep);
  } catch (error) {
    return { ...state, status: 'error', error };
  }
}

function macrostep(
  chart: Chart,
  before: State,
  event: Heard,
  scope: AnyActorScope,
  onMicrostep: () => void,
): State | undefined {
  const selected = select(chart, before, event);
  // XState has rules of its own for a failure that nobody handles.
  if (selected === undefined && event.type.startsWith('xstate.error.actor')) return undefined;
  const queue: Heard[] = [];
  const state = selected === undefined ? before : microstep(chart, selected, before, event, scope, queue);
  onMicrostep();
  return rest(chart, state, event, scope, queue, onMicrostep);
}

/** Eventless transitions and raised events, until there are none. */
function rest(
  chart: Chart,
  after: State,
  event: Heard,
  scope: AnyActorScope,
  queue: Heard[],
  onMicrostep: () => void,
): State {
  const { maxIterations } = after.machine.options;
  let state = after;
  let current = event;
  let tryEventless = true;
  for (let iteration = 1; state.status === 'active'; iteration += 1) {
    if (iteration > maxIterations) {
      throw new Error(
        `Infinite loop detected: the machine has processed more than ${maxIterations} microsteps without reaching a stable state. This usually happens when there's a cycle of transitions (e.g., eventless transitions or raised events causing state A -> B -> C -> A).`,
      );
    }
    let enabled: Transition | undefined = tryEventless ? selectEventless(chart, state, current) : undefined;
    const previous: State | undefined = enabled === undefined ? undefined : state;
    if (enabled === undefined) {
      const raised = queue.shift();
      if (raised === undefined) break;
      current = raised;
      enabled = select(chart, state, current);
    }
    if (enabled !== undefined) state = microstep(chart, enabled, state, current, scope, queue);
    tryEventless = state !== previous;
    onMicrostep();
  }
  if (state.status !== 'active') {
    const stops = Object.values(state.children).map((child) => stopChild(child) as unknown as Builtin);
    resolveActions(state, current, scope, stops, [], undefined);
  }
  return state;
}

function microstep(
  chart: Chart,
  transition: Transition,
  before: State,
  event: Heard,
  scope: AnyActorScope,
  queue: Heard[],
): State {
  const from = configurationOf(chart, before._nodes);
  const plan = planOf(chart, from, transition);
  let state = before;
  for (const actions of plan.exits) state = resolveActions(state, event, scope, actions, queue, undefined);
  state = resolveActions(state, event, scope, transition.actions, queue, undefined);
  return enter(from, plan, state, event, scope, queue);
}

function enter(
  from: Configuration,
  { entries, to }: Plan,
  before: State,
  event: Heard,
  scope: AnyActorScope,
  queue: Heard[],
): State {
  let state = before;
  for (const { node, actions, invoked } of entries) {
    state = resolveActions(state, event, scope, actions, queue, invoked);
    if (node.type === 'final') state = enterFinal(state, node, event, scope, queue);
  }
  if (state.status === 'done') {
    const nodes = to.nodes.toSorted((a, b) => b.order - a.order);
    for (const node of nodes) state = resolveActions(state, event, scope, node.exit, queue, undefined);
    return to === from ? state : { ...state, _nodes: nodes, value: to.value, tags: to.tags };
  }
  return to === from
    ? state
    : changed(state, state.context, state.children, { _nodes: to.nodes, value: to.value, tags: to.tags });
}

function enterFinal(state: State, node: Node, event: Heard, scope: AnyActorScope, queue: Heard[]): State {
  const { parent } = node;
  const outputOf = (mapper: unknown, heard: Heard): unknown =>
    typeof mapper === 'function' ? mapper({ context: state.context, event: heard, self: scope.self }) : mapper;
  if (parent?.type === 'compound')
    queue.push(doneState(parent.id, node.output === undefined ? undefined : outputOf(node.output, event)));
  if (parent?.parent !== undefined) return state;
  const { output } = state.machine.root;
  if (output === undefined) return { ...state, status: 'done', output: undefined };
  const done = doneState(
    node.id,
    node.output !== undefined && parent !== undefined ? outputOf(node.output, event) : undefined,
  );
  return { ...state, status: 'done', output: outputOf(output, done) };
}

function doneState(id: string, output: unknown): Heard & { readonly output: unknown } {
  return { type: `xstate.done.state.${id}`, output };
}

// — Selecting ——————————————————————————————————————————————————————————————————————————————

function select(chart: Chart, state: State, event: Heard): Transition | undefined {
  for (const candidate of candidatesFor(configurationOf(chart, state._nodes), event.type)) {
    const { guard } = candidate;
    // As XState does: `null` is none either.
    if (!guard) return candidate;
    try {
      if (passes(guard, state.context, event, state)) return candidate;
    } catch (error) {
      const name = typeof guard === 'string' ? guard : typeof guard === 'object' ? guard.type : undefined;
      throw new Error(
        `Unable to evaluate guard ${name === undefined ? '' : `'${name}' `}in transition for event '${event.type}' in state node '${candidate.source.id}':\n${(error as Error).message}`,
      );
    }
  }
  return undefined;
}

function selectEventless(chart: Chart, state: State, event: Heard): Transition | undefined {
  return configurationOf(chart, state._nodes).always.find(
    ({ guard }) => guard === undefined || passes(guard, state.context, event, state),
  );
}

function passes(guard: Guard, context: object, event: Heard, state: State): boolean {
  const isInline = typeof guard === 'function';
  const resolved = isInline
    ? guard
    : state.machine.implementations.guards[typeof guard === 'string' ? guard : guard.type];
  if (resolved === undefined)
    throw new Error(
      `Guard '${typeof guard === 'string' ? guard : (guard as { type: string }).type}' is not implemented.'.`,
    );
  if (typeof resolved !== 'function') return passes(resolved, context, event, state);
  const args = { context, event };
  if (resolved.check !== undefined) return resolved.check(state, args, resolved);
  return resolved(args, isInline || typeof guard === 'string' ? undefined : paramsOf(guard, args));
}
