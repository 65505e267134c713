/**
 * XState's transition, for machines that have exactly one active leaf (no parallel and no history states): the same
 * microsteps (5.33, raise-*.js), with what they compute from the chart alone worked out once per configuration and transition
 * instead of at every event. That is nine tenths of what an event costs, and replay is made of events. Everything else
 * runs in XState itself; the differential test holds both to live actors.
 */
import { createActor, spawnChild, stopChild, type AnyActorLogic, type AnyActorRef, type AnyActorScope, type AnyStateMachine } from 'xstate';
import type { Action, AnySnapshot, Heard } from './cell.ts';

/** XState touch point: the parts of a machine at run time that its types leave out. */
interface Machine {
  readonly id: string;
  readonly root: Node;
  readonly options: { readonly maxIterations: number };
  readonly implementations: {
    readonly actions: Readonly<Record<string, Builtin | undefined>>;
    readonly guards: Readonly<Record<string, Guard | undefined>>;
    readonly actors: Readonly<Record<string, AnyActorLogic | undefined>>;
  };
}
interface Node {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly order: number;
  readonly parent: Node | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly config: { readonly initial?: unknown };
  readonly initial: Transition;
  readonly entry: readonly AnyAction[];
  readonly exit: readonly AnyAction[];
  readonly invoke: readonly { readonly id: string; readonly src: string; readonly onSnapshot?: unknown }[];
  readonly always: readonly Transition[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  readonly tags: readonly string[];
  readonly output: unknown;
}
interface Transition {
  readonly guard: Guard | undefined;
  readonly actions: readonly AnyAction[];
  readonly source: Node;
  readonly target: readonly Node[] | undefined;
  readonly reenter: boolean;
}
interface Arguments {
  readonly context: object;
  readonly event: Heard;
  readonly self: AnyActorRef;
  readonly system: unknown;
}
/** A name, a name with parameters, or a function that may be one of XState's own. */
type AnyAction = string | { readonly type: string; readonly params?: unknown } | Builtin;
interface Builtin {
  (args: Arguments, params: unknown): void;
  readonly type: string;
  readonly assignment?: unknown;
  resolve?(scope: AnyActorScope, snapshot: State, args: Arguments, params: unknown, action: Builtin, extra: object): readonly [State, unknown, readonly AnyAction[] | undefined];
  readonly execute?: unknown;
  retryResolve?(scope: AnyActorScope, snapshot: State, params: unknown): void;
}
type Guard = string | { readonly type: string; readonly params?: unknown } | GuardFunction;
interface GuardFunction {
  (args: { readonly context: object; readonly event: Heard }, params: unknown): boolean;
  check?(snapshot: State, args: object, guard: GuardFunction): boolean;
}
interface State extends AnySnapshot {
  readonly machine: Machine;
  readonly context: object;
  readonly _nodes: readonly Node[];
  readonly value: unknown;
  readonly tags: ReadonlySet<string>;
  readonly children: Readonly<Record<string, AnyActorRef>>;
  readonly historyValue: unknown;
  readonly matches: unknown;
  readonly hasTag: unknown;
  readonly can: unknown;
  readonly getMeta: unknown;
  readonly toJSON: unknown;
}

/** A configuration: the active states, and everything that follows from them alone. */
interface Configuration {
  readonly nodes: readonly Node[];
  readonly value: unknown;
  readonly tags: ReadonlySet<string>;
  /** The active leaf, its parent, and so on to the root. */
  readonly line: readonly Node[];
  readonly always: readonly Transition[];
  /** Transitions to try, per event type, in XState's order. */
  readonly candidates: Map<string, readonly Transition[]>;
  readonly plans: Map<Transition, Plan>;
}

/** What a transition does to a configuration. */
interface Plan {
  readonly exits: readonly (readonly AnyAction[])[];
  readonly entries: readonly Entry[];
  /** The next configuration; the same one when the same states are active again. */
  readonly to: Configuration;
}
interface Entry {
  readonly node: Node;
  readonly actions: readonly AnyAction[];
  readonly invoked: readonly string[];
}

/** Per machine: its configurations, by their array of nodes and by their text. */
interface Charted {
  readonly byNodes: WeakMap<readonly Node[], Configuration>;
  readonly byText: Map<string, Configuration>;
}

const charts = new WeakMap<AnyStateMachine, Charted | null>();
const typesMax = 1_000;

/** How to run this machine's events; undefined when XState has to. */
export function fastTransition(machine: AnyStateMachine): FastTransition | undefined {
  let charted = charts.get(machine);
  if (charted === undefined) {
    charted = hasOneLeaf((machine as unknown as Machine).root) ? { byNodes: new WeakMap(), byText: new Map() } : null;
    charts.set(machine, charted);
  }
  if (charted === null) return undefined;
  const chart = charted;
  return (snapshot, event, scope, microstep) => {
    // A snapshot comes back to the machine that made it.
    const state = snapshot as State;
    if (state.status !== 'active' || event.type === 'xstate.stop' || event.type === 'xstate.init' || event.type === '*') return undefined;
    return macrostep(chart, state, event, scope, microstep);
  };
}

/** Undefined: ask XState. `microstep` is called once per microstep. */
export type FastTransition = (snapshot: AnySnapshot, event: Heard, scope: AnyActorScope, microstep: () => void) => AnySnapshot | undefined;

function hasOneLeaf(node: Node): boolean {
  if (node.type !== 'compound' && node.type !== 'atomic' && node.type !== 'final') return false;
  const transitions = [...node.transitions.values(), node.always ?? []].flat();
  return transitions.every(({ target }) => (target?.length ?? 0) <= 1) && Object.values(node.states).every(hasOneLeaf);
}

// — The algorithm: XState's macrostep and microstep ————————————————————————————————————————

function macrostep(chart: Charted, before: State, event: Heard, scope: AnyActorScope, onMicrostep: () => void): State | undefined {
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

function microstep(chart: Charted, transition: Transition, before: State, event: Heard, scope: AnyActorScope, queue: Heard[]): State {
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
  return plan.to === from ? state : changed(state, state.context, state.children, { _nodes: plan.to.nodes, value: plan.to.value, tags: plan.to.tags });
}

function enterFinal(state: State, node: Node, event: Heard, scope: AnyActorScope, queue: Heard[]): State {
  const { parent } = node;
  const outputOf = (mapper: unknown, heard: Heard): unknown =>
    typeof mapper === 'function' ? mapper({ context: state.context, event: heard, self: scope.self }) : mapper;
  if (parent?.type === 'compound') queue.push(doneState(parent.id, node.output === undefined ? undefined : outputOf(node.output, event)));
  if (parent?.parent !== undefined) return state;
  const { output } = state.machine.root;
  if (output === undefined) return { ...state, status: 'done', output: undefined };
  const done = doneState(node.id, node.output !== undefined && parent !== undefined ? outputOf(node.output, event) : undefined);
  return { ...state, status: 'done', output: outputOf(output, done) };
}

function doneState(id: string, output: unknown): Heard & { readonly output: unknown } {
  return { type: `xstate.done.state.${id}`, output };
}

// — Selecting ——————————————————————————————————————————————————————————————————————————————

function select(chart: Charted, state: State, event: Heard): Transition | undefined {
  const configuration = configurationOf(chart, state._nodes);
  let candidates = configuration.candidates.get(event.type);
  if (candidates === undefined) {
    if (configuration.candidates.size >= typesMax) configuration.candidates.clear();
    candidates = configuration.line.flatMap((node) => candidatesOf(node, event.type));
    configuration.candidates.set(event.type, candidates);
  }
  for (const candidate of candidates) {
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

function selectEventless(chart: Charted, state: State, event: Heard): Transition | undefined {
  return configurationOf(chart, state._nodes).always.find(({ guard }) => guard === undefined || passes(guard, state.context, event, state));
}

function candidatesOf(node: Node, type: string): readonly Transition[] {
  const exact = node.transitions.get(type) ?? [];
  const wild = [...node.transitions.keys()]
    .filter((descriptor) => descriptor !== type && matches(type, descriptor))
    .sort((a, b) => b.length - a.length)
    .flatMap((descriptor) => node.transitions.get(descriptor) ?? []);
  return [...exact, ...wild];
}

function matches(type: string, descriptor: string): boolean {
  if (descriptor === '*') return true;
  if (!descriptor.endsWith('.*')) return false;
  const tokens = type.split('.');
  const wanted = descriptor.split('.');
  const star = wanted.indexOf('*');
  return star === wanted.length - 1 && wanted.slice(0, star).every((token, index) => token === tokens[index]);
}

function passes(guard: Guard, context: object, event: Heard, state: State): boolean {
  const isInline = typeof guard === 'function';
  const resolved = isInline ? guard : state.machine.implementations.guards[typeof guard === 'string' ? guard : guard.type];
  if (resolved === undefined) throw new Error(`Guard '${typeof guard === 'string' ? guard : (guard as { type: string }).type}' is not implemented.'.`);
  if (typeof resolved !== 'function') return passes(resolved, context, event, state);
  const args = { context, event };
  if (resolved.check !== undefined) return resolved.check(state, args, resolved);
  return resolved(args, isInline || typeof guard === 'string' ? undefined : paramsOf(guard, args));
}

function paramsOf(parameterized: { readonly params?: unknown }, args: object): unknown {
  const { params } = parameterized;
  return typeof params === 'function' ? params(args) : params;
}

// — Actions ————————————————————————————————————————————————————————————————————————————————

function resolveActions(state: State, event: Heard, scope: AnyActorScope, actions: readonly AnyAction[], queue: Heard[], invoked: readonly string[] | undefined): State {
  if (actions.length === 0) return state;
  const retries: (() => void)[] = [];
  const resolved = resolveEach(state, event, scope, actions, { internalQueue: queue, deferredActorIds: invoked }, (builtin, params) => {
    if (invoked !== undefined) retries.push(() => builtin.retryResolve?.(scope, resolved, params));
  });
  for (const retry of retries) retry();
  return resolved;
}

function resolveEach(before: State, event: Heard, scope: AnyActorScope, actions: readonly AnyAction[], extra: object, retry: (builtin: Builtin, params: unknown) => void): State {
  let state = before;
  for (const action of actions) {
    const isInline = typeof action === 'function';
    const name = isInline ? action.name : typeof action === 'string' ? action : action.type;
    const builtin = isInline ? action : state.machine.implementations.actions[name];
    const args: Arguments = { context: state.context, event, self: scope.self, system: scope.system };
    const given = isInline || typeof action === 'string' ? undefined : paramsOf(action, { context: state.context, event });
    if (builtin?.resolve === undefined) {
      execute(scope, { type: name === '' ? '(anonymous)' : name, params: given });
    } else if (builtin.type === 'xstate.assign') {
      state = assign(state, args, given, builtin.assignment, scope);
    } else {
      const [next, params, more] = builtin.resolve(scope, state, args, given, builtin, extra);
      state = next;
      if (builtin.retryResolve !== undefined) retry(builtin, params);
      if (builtin.execute !== undefined) execute(scope, { type: builtin.type, params });
      if (more !== undefined) state = resolveEach(state, event, scope, more, extra, retry);
    }
  }
  return state;
}

/** The kernel's executor reads no more than these two. */
function execute(scope: AnyActorScope, action: Action): void {
  scope.actionExecutor(action as Parameters<AnyActorScope['actionExecutor']>[0]);
}

function assign(state: State, args: Arguments, params: unknown, assignment: unknown, scope: AnyActorScope): State {
  let spawned: Record<string, AnyActorRef> | undefined;
  const spawn = (src: string | AnyActorLogic, options?: SpawnOptions) => {
    const ref = spawnActor(state, args, scope, src, options);
    (spawned ??= {})[ref.id] = ref;
    scope.defer(() => ref.start());
    return ref;
  };
  const given = { context: state.context, event: args.event, spawn, self: args.self, system: args.system };
  let update: object = {};
  if (typeof assignment === 'function') {
    update = assignment(given, params) as object;
  } else {
    const values: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(assignment as object)) values[key] = typeof value === 'function' ? value(given, params) : value;
    update = values;
  }
  const context = Object.assign({}, state.context, update);
  return changed(state, context, spawned === undefined ? state.children : { ...state.children, ...spawned }, state);
}

/** A changed copy, spelled out in XState's order of fields: spreading one costs more than all else that an event does. */
function changed(state: State, context: object, children: State['children'], { _nodes, value, tags }: Pick<State, '_nodes' | 'value' | 'tags'>): State {
  const { status, output, error, machine, historyValue, matches, hasTag, can, getMeta, toJSON } = state;
  return { status, output, error, machine, context, _nodes, value, tags, children, historyValue, matches, hasTag, can, getMeta, toJSON };
}

interface SpawnOptions {
  readonly id?: string;
  readonly systemId?: string;
  readonly input?: unknown;
  readonly syncSnapshot?: boolean;
}

function spawnActor({ machine }: State, { context, event }: Arguments, scope: AnyActorScope, src: string | AnyActorLogic, options: SpawnOptions = {}): AnyActorRef {
  const { id, systemId, input, syncSnapshot } = options;
  const logic = typeof src === 'string' ? machine.implementations.actors[src] : src;
  if (logic === undefined) throw new Error(`Actor logic '${String(src)}' not implemented in machine '${machine.id}'`);
  return createActor(logic, {
    id,
    parent: scope.self,
    syncSnapshot,
    input: typeof src === 'string' && typeof input === 'function' ? input({ context, event, self: scope.self }) : input,
    src,
    systemId,
    // `parent` and the like are XState's own options, not in its types.
  } as Parameters<typeof createActor>[1]) as AnyActorRef;
}

// — Configurations and plans ———————————————————————————————————————————————————————————————

function configurationOf(chart: Charted, nodes: readonly Node[]): Configuration {
  const known = chart.byNodes.get(nodes);
  if (known !== undefined) return known;
  const text = nodes.map(({ order }) => order).join();
  let configuration = chart.byText.get(text);
  if (configuration === undefined) {
    const line: Node[] = [];
    for (let node = nodes.find(({ type }) => type !== 'compound'); node !== undefined; node = node.parent) line.push(node);
    let value: unknown = line.length > 1 ? line[0]?.key : {};
    for (const node of line.slice(1, -1)) value = { [node.key]: value };
    configuration = {
      nodes,
      value,
      tags: new Set(nodes.flatMap((node) => node.tags)),
      line,
      always: line.flatMap((node) => node.always ?? []),
      candidates: new Map(),
      plans: new Map(),
    };
    chart.byText.set(text, configuration);
  }
  chart.byNodes.set(nodes, configuration);
  return configuration;
}

function planOf(chart: Charted, from: Configuration, transition: Transition): Plan {
  const known = from.plans.get(transition);
  if (known !== undefined) return known;
  const plan = makePlan(chart, from, transition);
  from.plans.set(transition, plan);
  return plan;
}

function makePlan(chart: Charted, from: Configuration, transition: Transition): Plan {
  const target = transition.target?.[0];
  if (target === undefined) return { exits: [], entries: [], to: from };
  const { source, reenter } = transition;
  const domain = domainOf(source, target, reenter);
  const exited = from.nodes.filter((node) => isWithin(node, domain)).sort((a, b) => b.order - a.order);
  const { entered, byDefault } = entrySet(source, target, reenter, domain);
  const nodes = [...new Set([...from.nodes.filter((node) => !exited.includes(node)), ...entered])];
  const isSame = nodes.length === from.nodes.length && nodes.every((node) => from.nodes.includes(node));
  return {
    exits: exited.map((node) => [...node.exit, ...node.invoke.map(({ id }) => stopChild(id) as unknown as Builtin)]),
    entries: entered.map((node) => ({
      node,
      invoked: node.invoke.map(({ id }) => id),
      actions: [
        ...node.entry,
        ...node.invoke.map((invoke) => spawnChild(invoke.src as never, { ...invoke, syncSnapshot: invoke.onSnapshot !== undefined } as never) as unknown as Builtin),
        ...(byDefault.has(node) && node.config.initial !== undefined ? node.initial.actions : []),
      ],
    })),
    to: isSame ? from : configurationOf(chart, nodes),
  };
}

/** The state inside which everything is left and entered; undefined when the root itself is. */
function domainOf(source: Node, target: Node, reenter: boolean): Node | undefined {
  if (!reenter && (target === source || isWithin(target, source))) return source;
  for (let node = target.parent; node !== undefined; node = node.parent) if (isWithin(source, node)) return node;
  if (reenter) return undefined;
  let root = source;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

function entrySet(source: Node, target: Node, reenter: boolean, domain: Node | undefined): { entered: readonly Node[]; byDefault: ReadonlySet<Node> } {
  const entered = new Set<Node>();
  const byDefault = new Set<Node>();
  if (source !== target || source !== domain || reenter) {
    entered.add(target);
    byDefault.add(target);
  }
  for (let node = target; node.type === 'compound'; ) {
    const [first] = node.initial.target ?? [];
    if (first === undefined) break;
    entered.add(first);
    byDefault.add(first);
    node = first;
  }
  const within = source.parent === undefined && reenter ? undefined : domain;
  if (target !== domain) {
    for (let node = target.parent; node !== undefined && node !== domain; node = node.parent) if (within === undefined || isWithin(node, within)) entered.add(node);
  }
  return { entered: [...entered].sort((a, b) => a.order - b.order), byDefault };
}

/** XState's isDescendant: every state lies within undefined. */
function isWithin(node: Node, ancestor: Node | undefined): boolean {
  let above = node.parent;
  while (above !== undefined && above !== ancestor) above = above.parent;
  return above === ancestor;
}
