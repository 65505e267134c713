/** Which transitions lead back to where their common parent has been before: layouts draw them the other way round. */
import type { Chart, ChartNode } from '../chart.ts';

/** Tells edges that lead back: by the distance of their ends' ancestors from where their common parent begins. */
export function backEdges(
  chart: Chart,
  byId: ReadonlyMap<string, ChartNode>,
  childrenOf: ReadonlyMap<string, readonly ChartNode[]>,
): (source: string, target: string) => boolean {
  const waysUp = (id: string): string[] => {
    const way: string[] = [];
    for (let node = byId.get(id); node !== undefined; node = node.parent === null ? undefined : byId.get(node.parent))
      way.push(node.id);
    return way;
  };
  /** The two children of the nearest common ancestor that hold the ends; undefined when one end holds the other. */
  const siblings = (source: string, target: string): readonly [string, string, string] | undefined => {
    const from = waysUp(source);
    const to = waysUp(target);
    if (from.includes(target) || to.includes(source)) return undefined;
    const common = from.find((id) => to.includes(id));
    if (common === undefined) return undefined;
    const a = from[from.indexOf(common) - 1];
    const b = to[to.indexOf(common) - 1];
    return a === undefined || b === undefined ? undefined : [common, a, b];
  };
  const follows = new Map<string, Set<string>>();
  for (const { source, targets } of chart.transitions) {
    for (const target of targets) {
      const pair = siblings(source, target);
      if (pair !== undefined && pair[1] !== pair[2])
        follows.set(pair[1], (follows.get(pair[1]) ?? new Set()).add(pair[2]));
    }
  }
  const rank = new Map<string, number>();
  for (const [parent, children] of childrenOf) {
    const node = byId.get(parent);
    const initial =
      node === undefined || node.initial === null ? undefined : childHolding(node.initial, children, waysUp);
    const queue = node?.type === 'parallel' || initial === undefined ? children.map(({ id }) => id) : [initial];
    queue.forEach((id, index) => rank.set(id, node?.type === 'parallel' ? index : 0));
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      for (const other of follows.get(next) ?? []) {
        if (rank.has(other)) continue;
        rank.set(other, (rank.get(next) ?? 0) + 1);
        queue.push(other);
      }
    }
  }
  return (source, target) => {
    const pair = siblings(source, target);
    if (pair === undefined || pair[1] === pair[2]) return false;
    return (rank.get(pair[2]) ?? Number.POSITIVE_INFINITY) < (rank.get(pair[1]) ?? Number.POSITIVE_INFINITY);
  };
}

function childHolding(
  id: string,
  children: readonly ChartNode[],
  waysUp: (id: string) => readonly string[],
): string | undefined {
  const way = new Set(waysUp(id));
  return children.find((child) => way.has(child.id))?.id;
}
