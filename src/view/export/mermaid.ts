/** Mermaid: the statechart of a machine, and the messages of a run. For READMEs; no delays, overtaking or crash windows. */
import type { Chart, ChartNode } from '../chart.ts';
import { pairKey } from '../key.ts';
import type { Frame } from '../model.ts';

/** Names that Mermaid takes: letters, digits, underscores. Each `key` has its own, made of `name`. */
function namer(): (key: string, name?: string) => string {
  const known = new Map<string, string>();
  const taken = new Set<string>();
  return (key, name = key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const plain = name.replace(/\W+/g, '_').replace(/^(?=\d)/, '_') || '_';
    let own = plain;
    for (let number = 2; taken.has(own); number += 1) own = `${plain}_${number}`;
    taken.add(own);
    known.set(key, own);
    return own;
  };
}

/** What stands in a label: Mermaid ends a line's label at a semicolon and takes `#` for an entity; a terminal takes escapes. */
const label = (text: string) =>
  text
    .replaceAll('#', '#35;')
    .replaceAll(';', '#59;')
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll(':', '#58;');

/** A state diagram. A transition into a compound state of a parallel region leads to its first child: Mermaid breaks on the other. */
export function mermaidState(chart: Chart): string {
  const nameOf = namer();
  const childrenOf = (parent: string) => chart.nodes.filter((node) => node.parent === parent);
  const byId = new Map(chart.nodes.map((node) => [node.id, node]));
  const lines: string[] = ['stateDiagram-v2'];
  const isInParallel = (node: ChartNode | undefined): boolean => {
    for (let one = node; one !== undefined; one = one.parent === null ? undefined : byId.get(one.parent))
      if (one.type === 'parallel') return true;
    return false;
  };
  const landing = (id: string): string => {
    const node = byId.get(id);
    if (node?.type === 'compound' && isInParallel(node) && node.initial !== null) return landing(node.initial);
    return id;
  };
  const inside = (node: ChartNode, indent: string) => {
    const children = childrenOf(node.id);
    for (const [index, child] of children.entries()) {
      if (node.type === 'parallel' && index > 0) lines.push(`${indent}--`);
      const name = nameOf(child.id);
      const said = [
        ...child.entry.map((one) => `entry / ${one}`),
        ...child.exit.map((one) => `exit / ${one}`),
        ...child.invokes.map((one) => `invoke ${one}`),
        ...chart.transitions
          .filter(({ source, targets }) => source === child.id && targets.length === 0)
          .map((one) => labelOf(one)),
      ];
      if (childrenOf(child.id).length > 0) {
        lines.push(`${indent}state "${label(child.key)}" as ${name} {`);
        inside(child, `${indent}  `);
        lines.push(`${indent}}`);
      } else if (child.type === 'history')
        lines.push(`${indent}state "${child.history === 'deep' ? 'H*' : 'H'}" as ${name}`);
      else lines.push(`${indent}state "${[child.key, ...said].map(label).join('<br/>')}" as ${name}`);
      if (child.type === 'final') lines.push(`${indent}${name} --> [*]`);
    }
    if (node.initial !== null) lines.push(`${indent}[*] --> ${nameOf(node.initial)}`);
  };
  const [root] = chart.nodes;
  if (root === undefined) return `${lines.join('\n')}\n`;
  inside(root, '  ');
  for (const one of chart.transitions) {
    if (one.source === root.id) continue;
    for (const target of one.targets)
      lines.push(`  ${nameOf(one.source)} --> ${nameOf(landing(target))} : ${label(labelOf(one))}`);
  }
  return `${lines.join('\n')}\n`;
}

const labelOf = ({ label: name, guard, actions }: Chart['transitions'][number]) =>
  `${name}${guard === '' ? '' : ` [${guard}]`}${actions.length === 0 ? '' : ` / ${actions.join(', ')}`}`;

/** A sequence diagram of frames: starts, messages, settlements, checkpoints; hidden ones are counted. */
export function mermaidSequence(frames: readonly Frame[], max = 500): string {
  const nameOf = namer();
  const lines: string[] = [];
  const actors = new Map<string, string>();
  const actor = (group: string, address: string) => {
    const title = address === '' || address === 'coordinator' ? group : address;
    const own = address === 'coordinator' ? '' : address;
    const name = nameOf(pairKey(group, own), `${group} ${own}`);
    actors.set(name, title === '' ? ' ' : title);
    return name;
  };
  /** How often each is active: Mermaid refuses a diagram that ends what has not begun. */
  const active = new Map<string, number>();
  const begun = (name: string) => {
    active.set(name, (active.get(name) ?? 0) + 1);
    return name;
  };
  /** The minus that ends it, if it is active: a machine below, or who was refused before it started, never was. */
  const ended = (name: string) => {
    const count = active.get(name) ?? 0;
    if (count > 0) active.set(name, count - 1);
    return count > 0 ? '-' : '';
  };
  let told = 0;
  let hidden = 0;
  const tell = (line: string) => {
    if (told >= max) hidden += 1;
    else lines.push(line);
    told += 1;
  };
  for (const { stream, type, who, deliveries, summary, fault } of frames) {
    if (!stream.startsWith('group:')) {
      if (type === 'epoch.taken' && summary.includes('died'))
        tell(`  Note over ${actor('run', 'host')}: ${label(summary)}`);
      continue;
    }
    const group = stream.slice('group:'.length);
    if (type === 'attempt.started') tell(`  ${actor(group, '')}->>+${begun(actor(group, who))}: start`);
    if (type === 'checkpoint') tell(`  Note over ${actor(group, '')}: ● ${label(summary)}`);
    if (fault !== undefined) tell(`  Note over ${actor(group, '')}: ⚡ ${label(fault)}`);
    if (['attempt.cancelled', 'attempt.failed'].includes(type))
      tell(`  ${actor(group, who)}--x${ended(actor(group, who))}${actor(group, '')}: ${type.slice('attempt.'.length)}`);
    for (const { from, to, type: event } of deliveries) {
      if (event.startsWith('xstate.init') || from === to) continue;
      const settled = /^xstate\.(done|error)\.actor\./.exec(event);
      if (settled === null)
        tell(
          `  ${from === 'process' || from === 'outside' ? actor('process', from) : actor(group, from)}->>${actor(group, to)}: ${label(event)}`,
        );
      else tell(`  ${actor(group, from)}-->>${ended(actor(group, from))}${actor(group, to)}: ${settled[1]}`);
    }
  }
  const participants = [...actors].map(([name, title]) => `  participant ${name} as ${label(title)}`);
  if (hidden > 0) lines.push(`  %% ${hidden} hidden`);
  return `${['sequenceDiagram', ...participants, ...lines].join('\n')}\n`;
}
