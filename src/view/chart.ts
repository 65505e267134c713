/**
 * A machine as a drawing needs it: taken from the machine that runs, never from its source text. What an author
 * gave no name is called `inline`.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** A state node. */
export interface ChartNode {
  readonly id: string;
  readonly key: string;
  /** Null for the machine itself. */
  readonly parent: string | null;
  readonly type: 'atomic' | 'compound' | 'final' | 'history' | 'parallel';
  /** Id of the child that is entered first. */
  readonly initial: string | null;
  readonly history: 'deep' | 'shallow' | null;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** `src as id`. */
  readonly invokes: readonly string[];
  readonly tags: readonly string[];
  readonly description: string;
}

/** A transition; without targets it only acts. */
export interface ChartTransition {
  /** `<source>/<event>/<index>`: stable as long as the machine is. */
  readonly id: string;
  readonly source: string;
  readonly targets: readonly string[];
  /** The event descriptor as XState has it; `''` for one that needs no event. */
  readonly event: string;
  /** The same in words: `done: judge`, `after 5s`, `always`. */
  readonly label: string;
  readonly guard: string;
  readonly actions: readonly string[];
  readonly reenter: boolean;
}

/** A statechart. */
export interface Chart {
  readonly id: string;
  readonly version: string;
  /** Document order; the first is the machine itself. */
  readonly nodes: readonly ChartNode[];
  readonly transitions: readonly ChartTransition[];
}

/** The chart of a machine; `version` tells two of one id apart. */
export function chartOf(machine: AnyStateMachine, version = ''): Chart {
  const nodes: ChartNode[] = [];
  const transitions: ChartTransition[] = [];
  const visit = (node: AnyStateNode) => {
    nodes.push({
      id: node.id,
      key: node.key,
      parent: node.parent?.id ?? null,
      type: node.type,
      initial: node.type === 'compound' ? (node.initial.target[0]?.id ?? null) : null,
      history: node.history === false ? null : node.history === 'deep' ? 'deep' : 'shallow',
      entry: node.entry.map(nameOf).filter(isTold),
      exit: node.exit.map(nameOf).filter(isTold),
      invokes: node.invoke.map(({ src, id }) => `${typeof src === 'string' ? src : 'inline'} as ${id}`),
      tags: [...node.tags],
      description: node.description ?? '',
    });
    for (const [event, several] of node.transitions) several.forEach((one, index) => add(node, event, index, one));
    (node.always ?? []).forEach((one, index) => add(node, '', index, one));
    if (node.type === 'history') add(node, 'default', 0, { target: historyTarget(node), actions: [], reenter: false });
    for (const child of Object.values(node.states)) visit(child);
  };
  const add = (node: AnyStateNode, event: string, index: number, one: Drawn) => {
    const targets = (one.target ?? []).map(({ id }) => id);
    const actions = one.actions.map(nameOf).filter(isTold);
    if (event === 'default' && targets.length === 0) return;
    transitions.push({
      id: transitionId(node.id, event, index),
      source: node.id,
      targets,
      event,
      label: labelOf(event, node.id),
      guard: one.guard === undefined ? '' : nameOf(one.guard),
      actions,
      reenter: one.reenter,
    });
  };
  visit(machine.root);
  return { id: machine.id, version, nodes, transitions };
}

/** {@link ChartTransition.id} of a state node's `index`-th transition of an event descriptor. */
export const transitionId = (node: string, event: string, index: number): string => `${node}/${event}/${index}`;

interface Drawn {
  readonly target?: readonly AnyStateNode[] | undefined;
  readonly actions: readonly unknown[];
  readonly guard?: unknown;
  readonly reenter: boolean;
}

/** XState resolves a history node's default target when it is needed. */
function historyTarget(node: AnyStateNode): readonly AnyStateNode[] {
  const { target } = node.config as { readonly target?: string | readonly string[] };
  if (target === undefined || node.parent === undefined) return [];
  const names = typeof target === 'string' ? [target] : target;
  return names.flatMap((name) => node.parent?.states[name] ?? []);
}

/** XState's own actions that bring about `after` and `invoke`: their effects are drawn as what they are. */
const isTold = (name: string) => !name.startsWith('xstate.');

/** What an action or guard is called: its name, XState's kind of it, or `inline`. */
function nameOf(one: unknown): string {
  if (typeof one === 'string') return one;
  if (typeof one === 'function') {
    const { type } = one as { readonly type?: unknown };
    if (typeof type === 'string') return type.startsWith('xstate.') && isBuiltIn(type) ? type.slice(7) : type;
    return one.name === '' ? 'inline' : one.name;
  }
  const { type } = one as { readonly type?: unknown };
  return typeof type === 'string' ? nameOf(type) : 'inline';
}

const builtIns = new Set([
  'xstate.assign',
  'xstate.sendTo',
  'xstate.emit',
  'xstate.log',
  'xstate.spawnChild',
  'xstate.enqueueActions',
  'xstate.stopChild',
]);
const isBuiltIn = (type: string) => builtIns.has(type);

/** An event descriptor in words. */
export function labelOf(event: string, source: string): string {
  if (event === '') return 'always';
  const done = /^xstate\.done\.(?:actor|state)\.(.*)$/.exec(event);
  if (done !== null) return `done: ${done[1]?.replace(`${source}`, '').replace(/^\./, '') || 'itself'}`;
  const error = /^xstate\.error\.actor\.(.*)$/.exec(event);
  if (error !== null) return `error: ${error[1]}`;
  if (event.startsWith('xstate.after.')) {
    const end = event.lastIndexOf(`.${source}`);
    const delay = event.slice('xstate.after.'.length, end === -1 ? undefined : end);
    return `after ${/^\d+$/.test(delay) ? `${Number(delay) / 1000} s` : delay}`;
  }
  return event;
}

/** True when an event of this type is one that the descriptor stands for: equal, `*`, or `a.b.*`. */
export function isMeant(descriptor: string, type: string): boolean {
  if (descriptor === type || descriptor === '*') return true;
  return descriptor.endsWith('.*') && (type.startsWith(descriptor.slice(0, -1)) || type === descriptor.slice(0, -2));
}
