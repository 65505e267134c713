import type { AnySnapshot } from './snapshot.ts';
import type { Compiled } from './logic.ts';

/** XState touch point: a state node, and the active ones of a machine's snapshot. */
interface Node {
  readonly order: number;
  readonly type: string;
  readonly parent: Node | undefined;
  readonly states: { readonly [key: string]: Node };
  readonly always: unknown;
  readonly transitions: ReadonlyMap<string, unknown>;
}
interface Nodes {
  readonly _nodes?: readonly Node[];
}

const unknown = 0;
const deaf = 1;
const hearing = 2;

/** Event types come from outside too, so what is remembered of them is bounded. */
const typesMax = 1_000;

/**
 * Can an active state do anything with an event of this type? When not, XState's transition would return the
 * same snapshot after looking everywhere, which is most of what it costs. Never false without being sure:
 * eventless transitions are tried at every event, and the engine's own types have rules of their own.
 */
export function hears(logic: Compiled & { kind: 'machine' }, snapshot: AnySnapshot, type: string): boolean {
  const nodes = (snapshot as AnySnapshot & Nodes)._nodes;
  if (nodes === undefined || snapshot.status !== 'active' || type.startsWith('xstate.') || type === '*') return true;
  if (!isWhole(nodes)) return true;
  let known = logic.hearing.get(type);
  if (known === undefined) {
    if (logic.hearing.size >= typesMax) logic.hearing.clear();
    known = new Uint8Array(stateCount(logic.logic.root));
    logic.hearing.set(type, known);
  }
  for (const node of nodes) {
    let verdict = known[node.order] ?? unknown;
    if (verdict === unknown) {
      verdict =
        node.always !== undefined || [...node.transitions.keys()].some((descriptor) => mayMatch(descriptor, type))
          ? hearing
          : deaf;
      known[node.order] = verdict;
    }
    if (verdict === hearing) return true;
  }
  return false;
}

const whole = new WeakMap<readonly Node[], boolean>();

/**
 * Are these nodes a configuration? XState (5.33) leaves the ancestors of a deep history's states out when another region's transition has left
 * them in the same step; its value has them all the same, and by its value it looks for transitions.
 */
function isWhole(nodes: readonly Node[]): boolean {
  const known = whole.get(nodes);
  if (known !== undefined) return known;
  const active = new Set(nodes);
  const isComplete = ({ type, parent, states }: Node) => {
    if (parent !== undefined && !active.has(parent)) return false;
    if (type !== 'compound' && type !== 'parallel') return true;
    const children = Object.values(states).filter((child) => child.type !== 'history');
    const count = children.filter((child) => active.has(child)).length;
    return count === (type === 'compound' ? 1 : children.length);
  };
  const isFound = nodes.every(isComplete);
  whole.set(nodes, isFound);
  return isFound;
}

/** State nodes are numbered in document order. */
function stateCount(node: { readonly states: object }): number {
  let count = 1;
  for (const child of Object.values(node.states) as (typeof node)[]) count += stateCount(child);
  return count;
}

function mayMatch(descriptor: string, type: string): boolean {
  const star = descriptor.indexOf('*');
  if (star === -1) return descriptor === type;
  // `a.*` matches `a`, `a.b` and `a.b.c`; what stands behind a star is left to XState.
  const prefix = descriptor.slice(0, star).replace(/\.$/, '');
  return type.startsWith(prefix);
}
