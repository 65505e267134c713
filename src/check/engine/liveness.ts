/**
 * `eventually`, soundly: a counterexample is a fair way on which the goal never holds. It ends either in a state that nothing
 * leaves, or goes round for ever in a strongly connected component of the states without the goal that is fair: each fairness class is
 * somewhere in it disabled, or somewhere taken. (Under weak fairness a component that is not fair has no fair part, so looking at the
 * greatest ones is enough.) No bits along paths: cycles and joins cannot hide anything. What leads out of the model's boundary can
 * happen, and is never a part of a counterexample.
 */
import { beyond, type PathStep } from './edges.ts';
import type { Graph } from './paths.ts';
import type { Space } from './space.ts';
import { noState } from './states.ts';

/** A fair way on which the goal never holds. */
export interface Lasso {
  /** From an initial state. */
  readonly stem: readonly PathStep[];
  /** From the stem's end and back to it; empty when the way ends there. */
  readonly loop: readonly PathStep[];
}

/** A counterexample to "on every fair way `goal` (1 by state) holds at some point"; undefined when there is none. */
export function neverOn(graph: Graph, space: Space, goal: Uint8Array): Lasso | undefined {
  const search = new Search(graph, space, goal);
  return search.lasso();
}

class Search {
  private readonly graph: Graph;
  private readonly space: Space;
  /** States that can be reached without meeting the goal: the edge that led there + 2; 0: none, 1: initial. */
  private readonly cameBy: Int32Array;
  private readonly parents: Int32Array;
  private readonly order: number[] = [];

  constructor(graph: Graph, space: Space, goal: Uint8Array) {
    this.graph = graph;
    this.space = space;
    const { states, edges } = graph;
    this.cameBy = new Int32Array(states.count);
    this.parents = new Int32Array(states.count).fill(noState);
    for (let number = 0; number < states.count; number += 1) {
      if (states.parentOf(number) !== noState || goal[number] === 1) continue;
      this.cameBy[number] = 1;
      this.order.push(number);
    }
    for (let at = 0; at < this.order.length; at += 1) {
      const source = this.order[at] as number;
      for (let edge = edges.startOf(source); edge < edges.endOf(source); edge += 1) {
        const target = edges.targets.at(edge);
        if (target === beyond || goal[target] === 1 || this.cameBy[target] !== 0) continue;
        this.cameBy[target] = edge + 2;
        this.parents[target] = source;
        this.order.push(target);
      }
    }
  }

  lasso(): Lasso | undefined {
    let best: Lasso | undefined;
    const end = this.order.find((number) => this.isDeadEnd(number));
    if (end !== undefined) best = { stem: this.stemTo(end), loop: [] };
    for (const component of this.components()) {
      const first = component.reduce((least, number) => Math.min(least, this.placeOf(number)), Number.MAX_SAFE_INTEGER);
      const entry = this.order[first] as number;
      if (best !== undefined && this.stemTo(entry).length >= best.stem.length) continue;
      const loop = this.fairLoop(component, entry);
      if (loop !== undefined) best = { stem: this.stemTo(entry), loop };
    }
    return best;
  }

  private places: Int32Array | undefined;

  /** Place in the order in which states were reached: nearer ones come first. */
  private placeOf(number: number): number {
    if (this.places === undefined) {
      const places = new Int32Array(this.graph.states.count);
      for (const [place, one] of this.order.entries()) places[one] = place;
      this.places = places;
    }
    return this.places[number] as number;
  }

  private isIn(number: number): boolean {
    return this.cameBy[number] !== 0;
  }

  /** Nothing that has to happen can happen: things may rest here for ever. */
  private isDeadEnd(number: number): boolean {
    const { edges } = this.graph;
    for (let edge = edges.startOf(number); edge < edges.endOf(number); edge += 1)
      if (this.space.classOf(edges.actions.at(edge)) !== 0) return false;
    return true;
  }

  private stemTo(number: number): readonly PathStep[] {
    const stem: PathStep[] = [];
    for (let at = number; at !== noState; at = this.parents[at] as number) {
      const edge = (this.cameBy[at] as number) - 2;
      stem.push({ state: at, action: edge < 0 ? this.graph.states.actionOf(at) : this.graph.edges.actions.at(edge) });
    }
    return stem.reverse();
  }

  /** Strongly connected components with an edge inside: Tarjan's algorithm, without recursion. */
  private *components(): Generator<readonly number[]> {
    const { edges, states } = this.graph;
    const index = new Int32Array(states.count);
    const low = new Int32Array(states.count);
    const cursor = new Int32Array(states.count);
    const onStack = new Uint8Array(states.count);
    const stack: number[] = [];
    let counter = 0;
    for (const root of this.order) {
      if (index[root] !== 0) continue;
      const path: number[] = [root];
      while (path.length > 0) {
        const number = path.at(-1) as number;
        if (index[number] === 0) {
          counter += 1;
          index[number] = low[number] = counter;
          cursor[number] = edges.startOf(number);
          stack.push(number);
          onStack[number] = 1;
        }
        let isDeeper = false;
        while ((cursor[number] as number) < edges.endOf(number)) {
          const target = edges.targets.at(cursor[number] as number);
          cursor[number] = (cursor[number] as number) + 1;
          if (target === beyond || !this.isIn(target)) continue;
          if (index[target] === 0) {
            path.push(target);
            isDeeper = true;
            break;
          }
          if (onStack[target] === 1) low[number] = Math.min(low[number] as number, index[target] as number);
        }
        if (isDeeper) continue;
        path.pop();
        const above = path.at(-1);
        if (above !== undefined) low[above] = Math.min(low[above] as number, low[number] as number);
        if (low[number] !== index[number]) continue;
        const component: number[] = [];
        for (;;) {
          const member = stack.pop() as number;
          onStack[member] = 0;
          component.push(member);
          if (member === number) break;
        }
        if (component.length > 1 || this.hasSelfLoop(number)) yield component;
      }
    }
  }

  private hasSelfLoop(number: number): boolean {
    const { edges } = this.graph;
    for (let edge = edges.startOf(number); edge < edges.endOf(number); edge += 1)
      if (edges.targets.at(edge) === number) return true;
    return false;
  }

  /** A cycle through `entry` that is fair; undefined when the component is not. */
  private fairLoop(component: readonly number[], entry: number): readonly PathStep[] | undefined {
    const { edges } = this.graph;
    const inside = new Set(component);
    /** By class: how many states of the component enable it; an edge inside that takes it. */
    const enabledIn = new Map<number, number>();
    const takenBy = new Map<number, number>();
    for (const number of component) {
      const here = new Set<number>();
      for (let edge = edges.startOf(number); edge < edges.endOf(number); edge += 1) {
        const name = this.space.classOf(edges.actions.at(edge));
        if (name === 0) continue;
        here.add(name);
        if (inside.has(edges.targets.at(edge)) && !takenBy.has(name)) takenBy.set(name, edge);
      }
      for (const name of here) enabledIn.set(name, (enabledIn.get(name) ?? 0) + 1);
    }
    /** What the cycle must pass: edges to take, states where a class is disabled. */
    const musts: ({ readonly edge: number; readonly source: number } | { readonly state: number })[] = [];
    for (const [name, count] of enabledIn) {
      if (count < component.length) {
        if (!takenBy.has(name))
          musts.push({ state: component.find((number) => !this.enables(number, name)) as number });
        continue;
      }
      const edge = takenBy.get(name);
      if (edge === undefined) return undefined;
      musts.push({ edge, source: this.sourceOf(edge, component) });
    }
    const loop: PathStep[] = [];
    let at = entry;
    for (const must of musts) {
      const goal = 'state' in must ? must.state : must.source;
      loop.push(...this.within(inside, at, goal, false));
      at = goal;
      if ('edge' in must) {
        at = edges.targets.at(must.edge);
        loop.push({ action: edges.actions.at(must.edge), state: at });
      }
    }
    loop.push(...this.within(inside, at, entry, loop.length === 0));
    return loop;
  }

  private enables(number: number, name: number): boolean {
    const { edges } = this.graph;
    for (let edge = edges.startOf(number); edge < edges.endOf(number); edge += 1)
      if (this.space.classOf(edges.actions.at(edge)) === name) return true;
    return false;
  }

  private sourceOf(edge: number, component: readonly number[]): number {
    const { edges } = this.graph;
    return component.find((number) => edges.startOf(number) <= edge && edge < edges.endOf(number)) as number;
  }

  /** The shortest way inside the component; `isMoving`: at least one step, also from a state to itself. */
  private within(inside: ReadonlySet<number>, from: number, to: number, isMoving: boolean): readonly PathStep[] {
    if (from === to && !isMoving) return [];
    const { edges } = this.graph;
    const came = new Map<number, { readonly source: number; readonly edge: number }>();
    const queue = [from];
    for (let at = 0; at < queue.length && !came.has(to); at += 1) {
      const source = queue[at] as number;
      for (let edge = edges.startOf(source); edge < edges.endOf(source); edge += 1) {
        const target = edges.targets.at(edge);
        if (!inside.has(target) || came.has(target)) continue;
        came.set(target, { source, edge });
        queue.push(target);
      }
    }
    const way: PathStep[] = [];
    let state = to;
    do {
      const { source, edge } = came.get(state) as { readonly source: number; readonly edge: number };
      way.push({ action: edges.actions.at(edge), state });
      state = source;
    } while (state !== from);
    return way.reverse();
  }
}
