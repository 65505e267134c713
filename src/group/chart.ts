/** A machine's chart, worked out: which transitions a configuration may take, and what each of them leaves and enters. */
import { spawnChild, stopChild, type AnyStateMachine } from 'xstate';
import type { AnyAction, Builtin, Machine, Node, Transition } from './chart-types.ts';

const typesMax = 1_000;

/** A configuration: the active states, and everything that follows from them alone. */
export interface Configuration {
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
export interface Plan {
  readonly exits: readonly (readonly AnyAction[])[];
  readonly entries: readonly Entry[];
  /** The next configuration; the same one when the same states are active again. */
  readonly to: Configuration;
}
/** A state that is entered, and what happens then. */
export interface Entry {
  readonly node: Node;
  readonly actions: readonly AnyAction[];
  readonly invoked: readonly string[];
}

/** The configurations of a machine, by their array of nodes and by their text. */
export interface Chart {
  readonly byNodes: WeakMap<readonly Node[], Configuration>;
  readonly byText: Map<string, Configuration>;
  /** What entering the first states does, once it is known. */
  beginning: Plan | undefined;
}

/** The chart of a machine that has exactly one active leaf at any time; undefined for those with parallel or history states. */
export function chartOf(machine: AnyStateMachine): Chart | undefined {
  const { root } = machine as unknown as Machine;
  return hasOneLeaf(root) ? { byNodes: new WeakMap(), byText: new Map(), beginning: undefined } : undefined;
}

function hasOneLeaf(node: Node): boolean {
  if (node.type !== 'compound' && node.type !== 'atomic' && node.type !== 'final') return false;
  const transitions = [...node.transitions.values(), node.always ?? []].flat();
  return transitions.every(({ target }) => (target?.length ?? 0) <= 1) && Object.values(node.states).every(hasOneLeaf);
}

/** Transitions to try for an event, in XState's order: inner states first, exact descriptors before wildcards. */
export function candidatesFor(configuration: Configuration, type: string): readonly Transition[] {
  const known = configuration.candidates.get(type);
  if (known !== undefined) return known;
  // Event types come from outside too: what is remembered of them is bounded.
  if (configuration.candidates.size >= typesMax) configuration.candidates.clear();
  const candidates = configuration.line.flatMap((node) => candidatesOf(node, type));
  configuration.candidates.set(type, candidates);
  return candidates;
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

/** The configuration of these active states. */
export function configurationOf(chart: Chart, nodes: readonly Node[]): Configuration {
  const known = chart.byNodes.get(nodes);
  if (known !== undefined) return known;
  const text = nodes.map(({ order }) => order).join();
  let configuration = chart.byText.get(text);
  if (configuration === undefined) {
    const line: Node[] = [];
    for (let node = nodes.find(({ type }) => type !== 'compound'); node !== undefined; node = node.parent)
      line.push(node);
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

/** What a transition does in a configuration. */
export function planOf(chart: Chart, from: Configuration, transition: Transition): Plan {
  const known = from.plans.get(transition);
  if (known !== undefined) return known;
  const plan = makePlan(chart, from, transition);
  from.plans.set(transition, plan);
  return plan;
}

function makePlan(chart: Chart, from: Configuration, transition: Transition): Plan {
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
    entries: entered.map((node) => entryOf(node, byDefault.has(node))),
    to: isSame ? from : configurationOf(chart, nodes),
  };
}

function entryOf(node: Node, isByDefault: boolean): Entry {
  return {
    node,
    invoked: node.invoke.map(({ id }) => id),
    actions: [
      ...node.entry,
      ...node.invoke.map(
        (invoke) =>
          spawnChild(
            invoke.src as never,
            { ...invoke, syncSnapshot: invoke.onSnapshot !== undefined } as never,
          ) as unknown as Builtin,
      ),
      ...(isByDefault && node.config.initial !== undefined ? node.initial.actions : []),
    ],
  };
}

/** The configuration in which a machine's context is made: nothing but its root. */
export function rootOf(chart: Chart, root: Node): Configuration {
  return chart.byText.get(String(root.order)) ?? configurationOf(chart, [root]);
}

/** What entering the first states of a machine does: the root, its initial state, and so on inwards, all by default. */
export function beginningOf(chart: Chart, root: Node): Plan {
  if (chart.beginning !== undefined) return chart.beginning;
  const line = [root];
  for (let node: Node | undefined = root; node?.type === 'compound';) {
    [node] = node.initial.target ?? [];
    if (node !== undefined) line.push(node);
  }
  chart.beginning = {
    exits: [],
    entries: line.map((node) => entryOf(node, true)),
    to: line.length === 1 ? rootOf(chart, root) : configurationOf(chart, line),
  };
  return chart.beginning;
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

function entrySet(
  source: Node,
  target: Node,
  reenter: boolean,
  domain: Node | undefined,
): { entered: readonly Node[]; byDefault: ReadonlySet<Node> } {
  const entered = new Set<Node>();
  const byDefault = new Set<Node>();
  if (source !== target || source !== domain || reenter) {
    entered.add(target);
    byDefault.add(target);
  }
  for (let node = target; node.type === 'compound';) {
    const [first] = node.initial.target ?? [];
    if (first === undefined) break;
    entered.add(first);
    byDefault.add(first);
    node = first;
  }
  const within = source.parent === undefined && reenter ? undefined : domain;
  if (target !== domain) {
    for (let node = target.parent; node !== undefined && node !== domain; node = node.parent)
      if (within === undefined || isWithin(node, within)) entered.add(node);
  }
  return { entered: [...entered].sort((a, b) => a.order - b.order), byDefault };
}

/** XState's isDescendant: every state lies within undefined. */
function isWithin(node: Node, ancestor: Node | undefined): boolean {
  let above = node.parent;
  while (above !== undefined && above !== ancestor) above = above.parent;
  return above === ancestor;
}
