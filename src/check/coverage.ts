/** Which states of the machines were ever active. */
import type { AnyStateMachine } from 'xstate';
import type { Definition } from '../group/definition.ts';
import { actors, type System } from '../group/step.ts';
import type { Coverage } from './checkable.ts';
import type { Steps } from './kernel/steps.ts';

/** XState touch point: a state node's place in its machine. */
interface Node {
  readonly id: string;
  readonly type: string;
  readonly states: Readonly<Record<string, Node>>;
  readonly always?: readonly { readonly guard?: unknown }[];
}

/** Coverage of every machine that lived in any local state. */
export function coverageOf(all: readonly Steps[]): Coverage {
  const active = new Map<string, Set<string>>();
  const machines = new Map<string, AnyStateMachine>();
  for (const { definition, locals } of all) {
    known(definition, machines);
    for (let id = 0; id < locals.size; id += 1) note(locals.systemOf(id), active);
  }
  const coverage: Record<string, { states: string[]; unvisited: string[] }> = {};
  for (const [id, machine] of machines) {
    const seen = active.get(id) ?? new Set();
    const states: string[] = [];
    const unvisited: string[] = [];
    for (const node of nodesOf(machine.root as unknown as Node)) (seen.has(node) ? states : unvisited).push(node);
    coverage[id] = { states, unvisited };
  }
  return coverage;
}

function known({ machine }: Definition, machines: Map<string, AnyStateMachine>): void {
  machines.set(machine.id, machine);
}

function note(system: System, active: Map<string, Set<string>>): void {
  for (const { snapshot } of actors(system)) {
    const { machine, _nodes } = snapshot as typeof snapshot & {
      readonly machine?: AnyStateMachine;
      readonly _nodes?: readonly Node[];
    };
    if (machine === undefined || _nodes === undefined) continue;
    let seen = active.get(machine.id);
    if (seen === undefined) active.set(machine.id, (seen = new Set()));
    for (const { id } of _nodes) seen.add(id);
  }
}

/** States in which a machine can rest: one that is left at once is never seen. */
function nodesOf(node: Node): readonly string[] {
  const isLeftAtOnce = node.always?.some(({ guard }) => guard === undefined) === true;
  return [...(isLeftAtOnce ? [] : [node.id]), ...Object.values(node.states).flatMap((child) => nodesOf(child))];
}
