/**
 * XState's transition, for machines that have exactly one active leaf (no parallel and no history states): the same
 * microsteps (5.33, raise-*.js), with what they compute from the chart alone worked out once per configuration and transition
 * instead of at every event. That is nine tenths of what an event costs, and replay is made of events. Everything else
 * runs in XState itself; the differential test holds both to live actors.
 */
import { stopChild, type AnyActorScope, type AnyStateMachine } from 'xstate';
import { candidatesFor, chartOf, configurationOf, planOf, type Chart } from './chart.ts';
import type { Builtin, FastTransition, Guard, Node, State, Transition } from './chart-types.ts';
import { changed, paramsOf, resolveActions } from './resolve-actions.ts';
import type { Heard } from './snapshot.ts';

/** How to run this machine's events; undefined when XState has to. */
export function fastTransition(machine: AnyStateMachine): FastTransition | undefined {
  const chart = chartOf(machine);
  if (chart === undefined) return undefined;
  return (snapshot, event, scope, onMicrostep) => {
    // A snapshot comes back to the machine that made it.
    const state = snapshot as State;
    const isOrdinary = event.type !== 'xstate.stop' && event.type !== 'xstate.init' && event.type !== '*';
    return state.status === 'active' && isOrdinary ? macrostep(chart, state, event, scope, onMicrostep) : undefined;
  };
}

// — The algorithm: XState's macrostep and microstep ————————————————————————————————————————

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
  const { maxIterations } = before.machine.options;
  let state = selected === undefined ? before : microstep(chart, selected, before, event, scope, queue);
  onMicrostep();
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
  for (const { node, actions, invoked } of plan.entries) {
    state = resolveActions(state, event, scope, actions, queue, invoked);
    if (node.type === 'final') state = enterFinal(state, node, event, scope, queue);
  }
  if (state.status === 'done') {
    const nodes = plan.to.nodes.toSorted((a, b) => b.order - a.order);
    for (const node of nodes) state = resolveActions(state, event, scope, node.exit, queue, undefined);
    return plan.to === from ? state : { ...state, _nodes: nodes, value: plan.to.value, tags: plan.to.tags };
  }
  return plan.to === from
    ? state
    : changed(state, state.context, state.children, {
        _nodes: plan.to.nodes,
        value: plan.to.value,
        tags: plan.to.tags,
      });
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
    if (guard === undefined) return candidate;
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
