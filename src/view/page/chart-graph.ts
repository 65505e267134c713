/**
 * A chart as a graph to be laid out, and the layout as something to draw. Edges that lead back are turned round before the layout
 * and their routes after it: else the layout puts initial states below what follows them.
 */
import type { ElkEdgeSection, ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { Chart, ChartNode, ChartTransition } from '../chart.ts';
import { backEdges } from './back-edges.ts';

/** Width in px of a text as it will be drawn; `isSmall`: a label, not a title. */
export type Measure = (text: string, isSmall: boolean) => number;

/** Height of a state's title, px. */
export const headerHeight = 24;
/** Height of a line inside a state, px. */
export const lineHeight = 15;
const labelHeight = 15;

/** A state as it is drawn. Coordinates in px, from the top left of the chart. */
export interface DrawnNode {
  readonly node: ChartNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** What is written inside it: entry, exit, invoke, and transitions that lead nowhere. */
  readonly lines: readonly DrawnLine[];
}

/** A line inside a state; `transition` when it is one. */
export interface DrawnLine {
  readonly text: string;
  readonly transition?: string;
}

/** A transition as it is drawn. */
export interface DrawnEdge {
  readonly transition: ChartTransition | undefined;
  /** Corners of the route, the first at the source. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label?: {
    readonly lines: readonly string[];
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** A chart to draw. */
export interface DrawnChart {
  readonly width: number;
  readonly height: number;
  /** Parents before their children. */
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
  /** Where the dots of initial states are. */
  readonly initials: readonly { readonly x: number; readonly y: number }[];
}

const initialOf = (id: string) => `${id} initial`;

/** What is written beside a transition. */
export function labelLines({ label, guard, actions }: ChartTransition): readonly string[] {
  const lines = [guard === '' ? label : `${label} [${guard}]`];
  if (actions.length > 0)
    lines.push(
      `/ ${actions.length > 3 ? `${actions.slice(0, 3).join(', ')} +${actions.length - 3}` : actions.join(', ')}`,
    );
  return lines;
}

/** What is written inside a state. */
export function linesOf(chart: Chart, node: ChartNode): readonly DrawnLine[] {
  const inside = chart.transitions.filter(({ source, targets }) => source === node.id && targets.length === 0);
  return [
    ...node.entry.map((name) => ({ text: `entry / ${name}` })),
    ...node.exit.map((name) => ({ text: `exit / ${name}` })),
    ...node.invokes.map((name) => ({ text: `invoke ${name}` })),
    ...inside.map((one) => ({ text: labelLines(one).join(' '), transition: one.id })),
  ];
}

/** The graph of a chart. */
export function graphOf(chart: Chart, measure: Measure, direction: 'DOWN' | 'RIGHT' = 'DOWN'): ElkNode {
  const byId = new Map(chart.nodes.map((node) => [node.id, node]));
  const childrenOf = new Map<string, ChartNode[]>();
  for (const node of chart.nodes) {
    if (node.parent !== null) childrenOf.set(node.parent, [...(childrenOf.get(node.parent) ?? []), node]);
  }
  const isBack = backEdges(chart, byId, childrenOf);

  const elkNode = (node: ChartNode): ElkNode => {
    const lines = linesOf(chart, node);
    const children = childrenOf.get(node.id) ?? [];
    const width = Math.max(
      measure(node.key, false) + 34,
      ...lines.map(({ text }) => measure(text, true) + 22),
      node.type === 'history' ? 0 : 70,
    );
    const height = headerHeight + lines.length * lineHeight + (lines.length > 0 ? 8 : 4);
    if (node.type === 'history') return { id: node.id, width: 28, height: 28 };
    if (children.length === 0) return { id: node.id, width, height };
    const dots: ElkNode[] =
      node.initial === null
        ? []
        : [
            {
              id: initialOf(node.id),
              width: 10,
              height: 10,
              layoutOptions: { 'elk.layered.layering.layerConstraint': 'FIRST' },
            },
          ];
    return {
      id: node.id,
      children: [...dots, ...children.map(elkNode)],
      layoutOptions: {
        'elk.padding': `[top=${height + 10},left=16,bottom=16,right=16]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${width},${height})`,
      },
    };
  };

  const edges: ElkExtendedEdge[] = [];
  for (const node of chart.nodes) {
    if (node.initial === null || !childrenOf.has(node.id)) continue;
    edges.push({
      id: initialOf(node.id),
      sources: [initialOf(node.id)],
      targets: [node.initial],
      layoutOptions: {
        'elk.layered.priority.direction': '100',
        'elk.layered.priority.shortness': '100',
        'elk.layered.priority.straightness': '100',
      },
    });
  }
  for (const one of chart.transitions) {
    for (const [index, target] of one.targets.entries()) {
      if (!byId.has(target)) continue;
      const lines = labelLines(one);
      const ends = isBack(one.source, target) ? [target, one.source] : [one.source, target];
      edges.push({
        id: `${one.id} ${index}`,
        sources: [ends[0] as string],
        targets: [ends[1] as string],
        labels: [
          {
            id: `${one.id} ${index} label`,
            text: lines.join('\n'),
            width: Math.max(...lines.map((line) => measure(line, true))) + 8,
            height: lines.length * labelHeight + 2,
            layoutOptions: { 'elk.edgeLabels.inline': 'true' },
          },
        ],
      });
    }
  }
  const [root] = chart.nodes;
  return {
    id: ' chart',
    children: root === undefined ? [] : [elkNode(root)],
    edges,
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.direction': direction,
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.layered.considerModelOrder.components': 'MODEL_ORDER',
      'elk.layered.cycleBreaking.strategy': 'GREEDY',
      'elk.json.edgeCoords': 'ROOT',
      'elk.json.shapeCoords': 'ROOT',
      'elk.spacing.nodeNode': '26',
      'elk.layered.spacing.nodeNodeBetweenLayers': '34',
      'elk.spacing.edgeNode': '14',
      'elk.spacing.edgeEdge': '10',
      'elk.layered.spacing.edgeNodeBetweenLayers': '14',
      'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
      'elk.spacing.labelNode': '6',
      'elk.spacing.edgeLabel': '4',
    },
  };
}

/** The layout as something to draw. */
export function drawnFrom(chart: Chart, laidOut: ElkNode): DrawnChart {
  const byId = new Map(chart.nodes.map((node) => [node.id, node]));
  const nodes: DrawnNode[] = [];
  const initials: { x: number; y: number }[] = [];
  const visit = ({ id, x = 0, y = 0, width = 0, height = 0, children = [] }: ElkNode) => {
    const node = byId.get(id);
    if (node !== undefined) nodes.push({ node, x, y, width, height, lines: linesOf(chart, node) });
    else if (id.endsWith(' initial')) initials.push({ x: x + width / 2, y: y + height / 2 });
    children.forEach(visit);
  };
  laidOut.children?.forEach(visit);
  const edges: DrawnEdge[] = [];
  const transitions = new Map(chart.transitions.map((one) => [one.id, one]));
  for (const { id, sources, sections, labels } of laidOut.edges ?? []) {
    const transition = transitions.get(id.slice(0, id.lastIndexOf(' ')));
    const isTurned = transition !== undefined && sources[0] !== transition.source;
    const points = (sections ?? []).flatMap(pointsOf);
    if (isTurned) points.reverse();
    const [label] = labels ?? [];
    edges.push({
      transition,
      points,
      ...(label === undefined || transition === undefined
        ? {}
        : {
            label: {
              lines: labelLines(transition),
              x: label.x ?? 0,
              y: label.y ?? 0,
              width: label.width ?? 0,
              height: label.height ?? 0,
            },
          }),
    });
  }
  return { width: laidOut.width ?? 0, height: laidOut.height ?? 0, nodes, edges, initials };
}

const pointsOf = ({ startPoint, bendPoints = [], endPoint }: ElkEdgeSection) => [startPoint, ...bendPoints, endPoint];

/** A route as an SVG path with rounded corners. */
export function pathOf(points: DrawnEdge['points'], radius = 6): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x},${first.y}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    const before = index === 0 ? first : (rest[index - 1] ?? first);
    if (next === undefined) {
      path += `L${point.x},${point.y}`;
      return;
    }
    const into = toward(point, before, radius);
    const out = toward(point, next, radius);
    path += `L${into.x},${into.y}Q${point.x},${point.y} ${out.x},${out.y}`;
  });
  return path;
}

function toward(from: { x: number; y: number }, to: { x: number; y: number }, most: number): { x: number; y: number } {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  const by = length === 0 ? 0 : Math.min(most, length / 2) / length;
  return { x: from.x + dx * by, y: from.y + dy * by };
}
