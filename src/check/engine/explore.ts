/** Which states there are: breadth first (exhaustive, shortest traces), depth first (exhaustive), or random walks (a sample). */
import { beyond, Edges } from './edges.ts';
import { actionKind, Finding, Widen, type Space } from './space.ts';
import { noState, States } from './states.ts';

/** Faults, and cancelling, do not help anything along. */
const stuckMask = actionKind.fault | actionKind.cancel;

/** In which order states are looked at. */
export type Strategy =
  | 'breadth-first'
  | 'depth-first'
  /** From the beginning, `steps` transitions far, `walks` times; the same `seed` gives the same walks. */
  | { readonly random: { readonly seed: number; readonly walks: number; readonly steps: number } };

/** What the exploration tells while it goes. */
export interface Watcher {
  /** `number` is in `space.current`; every state once, before it is expanded. False: stop. */
  state(number: number): boolean;
  /** `number` has been expanded; `isStuck`: by nothing but faults and cancelling. False: stop. */
  expanded(number: number, isStuck: boolean): boolean;
  /** A transition from `number` is itself a violation. False: stop. */
  finding(number: number, finding: Finding): boolean;
}

/** How to explore. */
export interface ExploreOptions {
  readonly strategy: Strategy;
  /** Stop when there are so many states. */
  readonly statesMax: number;
  readonly keepsEdges: boolean;
}

/** Why an exploration ended. `all`: there is nothing more, anywhere. */
export type Ending = 'all' | 'states' | 'stopped' | 'walked';

/** An exploration under way; call {@link Exploration.run} until it tells an ending. */
export class Exploration {
  readonly space: Space;
  readonly states: States;
  readonly edges: Edges | undefined;
  /** Initial states and transitions taken. */
  generated = 0;
  /** States that were expanded. */
  expandedCount = 0;
  private readonly options: ExploreOptions;
  private readonly watcher: Watcher;
  private key: Int32Array = new Int32Array(0);
  private readonly isDeep: boolean;
  private source = noState;
  private choices: number[] | undefined;
  private isStuck = true;
  private isCounted = true;
  private readonly stack: number[] = [];
  private readonly seen: Uint8Array[] = [];
  private draw: () => number = () => 0;
  private walk = { left: 0, steps: 0, at: noState };
  private hasBegun = false;
  private initialCount = 0;

  constructor(space: Space, options: ExploreOptions, watcher: Watcher) {
    this.space = space;
    this.options = options;
    this.watcher = watcher;
    this.states = new States(space.width, space.canonical !== undefined);
    this.edges = options.keepsEdges ? new Edges() : undefined;
    this.isDeep = options.strategy === 'depth-first';
    if (typeof options.strategy === 'object') {
      const { seed, walks } = options.strategy.random;
      this.draw = generator(seed);
      this.walk.left = walks;
    }
  }

  /** Looks at up to `count` more states. Undefined: there is more to do. */
  run(count: number): Ending | undefined {
    if (!this.hasBegun && !this.begin()) return 'stopped';
    const { strategy } = this.options;
    if (typeof strategy === 'object') return this.walkOn(count, strategy.random.steps);
    return strategy === 'breadth-first' ? this.broad(count) : this.deep(count);
  }

  private begin(): boolean {
    this.hasBegun = true;
    for (;;) {
      try {
        this.generated = 0;
        this.space.initial((action) => {
          this.generated += 1;
          this.add(noState, action);
        });
        break;
      } catch (error) {
        if (error instanceof Finding) {
          if (!this.watcher.finding(noState, error)) return false;
          break;
        }
        if (!(error instanceof Widen)) throw error;
        this.states.widen(error.width);
      }
    }
    this.initialCount = this.states.count;
    for (let number = this.initialCount - 1; number >= 0; number -= 1) this.stack.push(number);
    return true;
  }

  private broad(count: number): Ending | undefined {
    for (let done = 0; done < count; done += 1) {
      if (this.expandedCount === this.states.count) return 'all';
      if (this.states.count > this.options.statesMax) return 'states';
      if (!this.visit(this.expandedCount, undefined)) return 'stopped';
    }
    return undefined;
  }

  private deep(count: number): Ending | undefined {
    const { stack } = this;
    for (let done = 0; done < count; done += 1) {
      const number = stack.pop();
      if (number === undefined) return 'all';
      if (this.states.count > this.options.statesMax) return 'states';
      const found = stack.length;
      if (!this.visit(number, undefined)) return 'stopped';
      // The first transition's state comes next.
      for (let a = found, b = stack.length - 1; a < b; a += 1, b -= 1) {
        const top = stack[a] as number;
        stack[a] = stack[b] as number;
        stack[b] = top;
      }
    }
    return undefined;
  }

  private walkOn(count: number, steps: number): Ending | undefined {
    const { walk } = this;
    for (let done = 0; done < count; done += 1) {
      if (this.states.count > this.options.statesMax) return 'states';
      if (walk.at === noState || walk.steps === 0) {
        // Without a beginning, nobody goes anywhere.
        if (walk.left === 0 || this.initialCount === 0) return 'walked';
        walk.left -= 1;
        walk.steps = steps;
        walk.at = Math.floor(this.draw() * this.initialCount);
      }
      walk.steps -= 1;
      const choices: number[] = [];
      if (!this.visit(walk.at, choices)) return 'stopped';
      walk.at = choices.length === 0 ? noState : (choices[Math.floor(this.draw() * choices.length)] as number);
    }
    return undefined;
  }

  /** Looks at a state and takes its transitions. `choices` collects where they lead. */
  private visit(number: number, choices: number[] | undefined): boolean {
    const { space, states, edges, watcher } = this;
    states.read(number, space.current);
    this.isCounted = choices === undefined || this.isFirstLook(number);
    if (this.isCounted) {
      this.expandedCount += 1;
      if (!watcher.state(number)) return false;
    }
    const generatedBefore = this.generated;
    const edgesBefore = edges?.targets.length ?? 0;
    this.source = number;
    this.choices = choices;
    edges?.begin(number);
    for (;;) {
      this.isStuck = true;
      try {
        space.expand(this.take);
        break;
      } catch (error) {
        if (error instanceof Widen) {
          // Once more with longer vectors: what was found meanwhile is known by now.
          this.generated = generatedBefore;
          edges?.cut(edgesBefore);
          if (choices !== undefined) choices.length = 0;
          states.widen(error.width);
          states.read(number, space.current);
          continue;
        }
        if (!(error instanceof Finding)) throw error;
        edges?.end(number);
        return watcher.finding(number, error);
      }
    }
    edges?.end(number);
    return this.isCounted ? watcher.expanded(number, this.isStuck) : true;
  }

  private readonly take = (action: number, isOutside = false): void => {
    if (this.isCounted && (!isOutside || this.space.countsOutside === true)) this.generated += 1;
    if (this.isStuck && (this.space.kindOf(action) & stuckMask) === 0) this.isStuck = false;
    if (isOutside) {
      this.edges?.add(beyond, action);
      return;
    }
    // A transition that changes nothing need not be looked up.
    const found = this.isSelfLoop() ? -this.source - 1 : this.add(this.source, action);
    const target = found < 0 ? -found - 1 : found;
    if (this.edges !== undefined) this.edges.add(target, action);
    if (this.choices !== undefined) this.choices.push(target);
    if (found >= 0 && this.isDeep) this.stack.push(target);
  };

  private isSelfLoop(): boolean {
    const { current, next, width } = this.space;
    for (let index = 0; index < width; index += 1) if (current[index] !== next[index]) return false;
    return true;
  }

  private add(parent: number, action: number): number {
    const { space, states } = this;
    if (space.canonical === undefined) return states.add(space.next, space.next, parent, action);
    if (this.key.length !== space.width) this.key = new Int32Array(space.width);
    space.canonical(this.key);
    return states.add(space.next, this.key, parent, action);
  }

  private isFirstLook(number: number): boolean {
    const place = number >>> 16;
    while (this.seen.length <= place) this.seen.push(new Uint8Array(1 << 16));
    const marks = this.seen[place] as Uint8Array;
    const isFirst = marks[number & 0xffff] === 0;
    marks[number & 0xffff] = 1;
    return isFirst;
  }
}

/** Numbers from 0 to 1 (exclusive), the same for the same seed: mulberry32. */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Length of the longest way on which a state was found, the initial state counted. The levels of a breadth-first search. */
export function depthOf(states: States): number {
  const depths = new Int32Array(states.count);
  let most = 0;
  for (let number = 0; number < states.count; number += 1) {
    const parent = states.parentOf(number);
    const depth = parent === noState ? 1 : (depths[parent] as number) + 1;
    depths[number] = depth;
    if (depth > most) most = depth;
  }
  return most;
}
