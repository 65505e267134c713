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
    // State nodes are numbered in document order.
    known = new Uint8Array((logic.logic as unknown as { readonly idMap: ReadonlyMap<string, unknown> }).idMap.size);
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
  // Counted from below, for a state may have thousands of children.
  const counts = new Map<Node, number>();
  for (const node of nodes) counts.set(node, 0);
  let isFound = true;
  for (const { parent } of nodes) {
    const count = parent === undefined ? 0 : counts.get(parent);
    if (count === undefined) isFound = false;
    else if (parent !== undefined) counts.set(parent, count + 1);
  }
  for (const [node, count] of counts) if (count !== activeChildrenOf(node)) isFound = false;
  whole.set(nodes, isFound);
  return isFound;
}

const regions = new WeakMap<Node, number>();

/** How many children of an active state are active too. */
function activeChildrenOf(node: Node): number {
  if (node.type !== 'parallel') return node.type === 'compound' ? 1 : 0;
  let count = regions.get(node);
  if (count === undefined) {
    count = Object.values(node.states).filter((child) => child.type !== 'history').length;
    regions.set(node, count);
  }
  return count;
}

function mayMatch(descriptor: string, type: string): boolean {
  const star = descriptor.indexOf('*');
  if (star === -1) return descriptor === type;
  // `a.*` matches `a`, `a.b` and `a.b.c`; what stands behind a star is left to XState.
  const prefix = descriptor.slice(0, star).replace(/\.$/, '');
  return type.startsWith(prefix);
}
