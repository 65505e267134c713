/** Questions about paths, asked of a complete graph. */
import { beyond, type Edges } from './edges.ts';
import type { States } from './states.ts';

/** The edges of a graph by the state they lead to. */
export interface Reverse {
  readonly starts: Int32Array;
  readonly sources: Int32Array;
}

/** A graph whose every state has been expanded. */
export interface Graph {
  readonly states: States;
  readonly edges: Edges;
}

/**
 * States from which a marked one can be reached by edges that `isAllowed` lets through; the marked ones too, and those from which a way
 * leads out of the model's boundary, where one may be. Backward search.
 */
export function canReach(
  { states, edges }: Graph,
  marked: Uint8Array,
  isAllowed: (action: number) => boolean,
): Uint8Array {
  const reach = marked.slice();
  for (let source = 0; source < states.count; source += 1)
    for (let edge = edges.startOf(source); edge < edges.endOf(source); edge += 1)
      if (edges.targets.at(edge) === beyond && isAllowed(edges.actions.at(edge))) reach[source] = 1;
  const { starts, sources } = reverseOf({ states, edges }, isAllowed);
  const queue = new Int32Array(states.count);
  let length = 0;
  for (let number = 0; number < states.count; number += 1) if (reach[number] === 1) queue[length++] = number;
  for (let at = 0; at < length; at += 1) {
    const number = queue[at] as number;
    for (let index = starts[number] as number; index < (starts[number + 1] as number); index += 1) {
      const source = sources[index] as number;
      if (reach[source] === 1) continue;
      reach[source] = 1;
      queue[length++] = source;
    }
  }
  return reach;
}

function reverseOf({ states, edges }: Graph, isAllowed: (action: number) => boolean): Reverse {
  const starts = new Int32Array(states.count + 1);
  const each = (visit: (source: number, target: number) => void) => {
    for (let source = 0; source < states.count; source += 1) {
      for (let edge = edges.startOf(source); edge < edges.endOf(source); edge += 1)
        if (edges.targets.at(edge) !== beyond && isAllowed(edges.actions.at(edge)))
          visit(source, edges.targets.at(edge));
    }
  };
  each((_source, target) => {
    starts[target + 1] = (starts[target + 1] as number) + 1;
  });
  for (let number = 0; number < states.count; number += 1)
    starts[number + 1] = (starts[number + 1] as number) + (starts[number] as number);
  const sources = new Int32Array(starts[states.count] as number);
  const fill = starts.slice(0, states.count);
  each((source, target) => {
    sources[fill[target] as number] = source;
    fill[target] = (fill[target] as number) + 1;
  });
  return { starts, sources };
}
