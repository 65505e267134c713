/** Mermaid pictures of machines: the one that a machine's definition makes, and the one at the head of its file. */
import type { AnyStateMachine } from 'xstate';

/** XState touch point: state nodes as they are at run time. */
interface Node {
  readonly key: string;
  readonly type: string;
  readonly parent: Node | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly initial: { readonly target: readonly Node[] } | undefined;
  readonly always: readonly Transition[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
}
interface Transition {
  readonly target: readonly Node[] | undefined;
  readonly guard: unknown;
}

/** `allSettled` → `all settled`. */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function guardWords(guard: unknown): string {
  if (typeof guard === 'string') return words(guard);
  throw new Error('a guard without a name cannot be drawn');
}

/** `xstate.after.patience.<state>` → `after patience`. */
function eventWords(type: string): string {
  return type.replace(/^xstate\.after\.([^.]+)(\..*)?$/, 'after $1');
}

/**
 * One line per pair of states: `from --> to: label / label`. A label is the event's type, with the guard in brackets where
 * the state is left, or only the guard where no event is needed. Transitions that stay are drawn too.
 */
export function machineToMermaid(machine: AnyStateMachine): string {
  const lines: string[] = [];
  // StateNode has what Node asks for; XState types its transitions more loosely.
  draw(machine.root as unknown as Node, '  ', lines);
  return ['stateDiagram-v2', ...lines].join('\n');
}

function draw(node: Node, indent: string, lines: string[]): void {
  for (const first of node.initial?.target ?? []) lines.push(`${indent}[*] --> ${first.key}`);
  for (const state of Object.values(node.states)) {
    const arrows = new Map<string, Set<string>>();
    const arrow = (to: string, label: string) => arrows.set(to, (arrows.get(to) ?? new Set()).add(label));
    for (const [type, transitions] of state.transitions) {
      for (const { target, guard } of transitions) {
        if (target === undefined) arrow(state.key, eventWords(type));
        for (const to of target ?? [])
          arrow(to.key, eventWords(type) + (guard === undefined ? '' : ` [${guardWords(guard)}]`));
      }
    }
    for (const { target, guard } of state.always ?? []) {
      for (const to of target ?? [state]) arrow(to.key, guard === undefined ? '' : guardWords(guard));
    }
    for (const [to, labels] of arrows) {
      const text = [...labels].filter((label) => label !== '').join(' / ');
      lines.push(`${indent}${state.key} --> ${to}${text === '' ? '' : `: ${text}`}`);
    }
    if (state.type === 'final') lines.push(`${indent}${state.key} --> [*]`);
    if (Object.keys(state.states).length > 0) {
      lines.push(`${indent}state ${state.key} {`);
      draw(state, `${indent}  `, lines);
      lines.push(`${indent}}`);
    }
  }
}

/** The Mermaid block of a file's head; undefined when there is none. */
export function mermaidOf(text: string): string | undefined {
  const head = text.slice(0, text.indexOf('*/'));
  const block = /```mermaid\n([^]*?)```/.exec(head)?.[1];
  return block
    ?.split('\n')
    .map((line) => line.replace(/^ \* ?/, ''))
    .join('\n')
    .trim();
}
