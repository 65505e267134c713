/** Statecharts: taken from the machines that run, laid out so that nothing lies upon anything else. */
import { createRequire } from 'node:module';
import type { ElkNode } from 'elkjs/lib/elk-api.js';
import { assign, setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import * as machines from 'troupe/machines';
import { reviewCouncil } from '../../machines/examples/review-council.ts';
import { chartOf, isMeant, labelOf, type Chart } from '../../src/view/chart.ts';
import { chartSvg, tableMeasure } from '../../src/view/export/svg.ts';
import { mermaidState } from '../../src/view/export/mermaid.ts';
import { drawnFrom, graphOf, type DrawnChart } from '../../src/view/page/chart-graph.ts';
import { isMachine } from '../../src/group/kind.ts';

const { default: Elk } = createRequire(import.meta.url)('elkjs/lib/elk.bundled.js') as {
  readonly default: new () => { layout(graph: ElkNode): Promise<ElkNode> };
};

/** Everything that a statechart may have. */
const everything = setup({
  types: {} as { context: { count: number } },
  actions: { note: assign({ count: ({ context }) => context.count + 1 }), tidy: () => {} },
  guards: { isMany: ({ context }) => context.count > 3 },
  delays: { patience: 5_000 },
}).createMachine({
  id: 'everything',
  context: { count: 0 },
  initial: 'idle',
  on: { stop: '.over' },
  states: {
    idle: { on: { go: { target: 'busy', actions: 'note' }, resume: 'busy.last' } },
    busy: {
      type: 'parallel',
      entry: 'tidy',
      states: {
        left: {
          initial: 'a',
          states: {
            a: { on: { next: 'b' }, after: { 1000: 'b', patience: { target: 'a', reenter: true } } },
            b: {
              on: { back: { target: 'a', guard: 'isMany' }, next: { actions: ['note', 'tidy'] } },
              always: { guard: 'isMany', target: 'c' },
            },
            c: { type: 'final' },
          },
        },
        right: { initial: 'x', states: { x: { on: { next: 'y' } }, y: { on: { next: 'x' } } } },
        last: { type: 'history', history: 'deep' },
      },
      on: { pause: 'idle', fail: 'over' },
      onDone: 'over',
    },
    over: { type: 'final' },
  },
});

const all = new Map<string, Chart>();
for (const [name, value] of Object.entries(machines)) if (isMachine(value)) all.set(name, chartOf(value));
all.set('reviewCouncil', chartOf(reviewCouncil));
all.set('everything', chartOf(everything));

const drawn = async (chart: Chart, direction: 'DOWN' | 'RIGHT' = 'DOWN'): Promise<DrawnChart> =>
  drawnFrom(chart, await new Elk().layout(graphOf(chart, tableMeasure, direction)));

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** What lies upon something else: two labels, two states of which neither holds the other, a label on a state's own text. */
function overlaps({ nodes, edges }: DrawnChart): readonly string[] {
  const found: string[] = [];
  const labels = edges.flatMap(({ label, transition }) =>
    label === undefined ? [] : [{ ...label, id: transition?.id ?? '' }],
  );
  labels.forEach((one, index) => {
    for (const other of labels.slice(index + 1)) if (overlap(one, other)) found.push(`${one.id} on ${other.id}`);
  });
  const holds = (outer: string, inner: string) => inner === outer || inner.startsWith(`${outer}.`);
  nodes.forEach((one, index) => {
    for (const other of nodes.slice(index + 1))
      if (overlap(one, other) && !holds(one.node.id, other.node.id) && !holds(other.node.id, one.node.id))
        found.push(`${one.node.id} on ${other.node.id}`);
    const head: Box = { ...one, height: 24 + one.lines.length * 15 };
    for (const label of labels) if (overlap(label, head)) found.push(`${label.id} on ${one.node.id}`);
  });
  return found;
}

describe.each([...all])('%s', (name, chart) => {
  test.each(['DOWN', 'RIGHT'] as const)('is laid out %s without overlaps, all of it', async (direction) => {
    const drawing = await drawn(chart, direction);
    expect(overlaps(drawing)).toEqual([]);
    expect(drawing.nodes.map(({ node }) => node.id).sort()).toEqual(chart.nodes.map(({ id }) => id).sort());
    const leading = chart.transitions.flatMap(({ targets }) => targets);
    expect(drawing.edges.filter(({ transition }) => transition !== undefined)).toHaveLength(leading.length);
    for (const { points, transition } of drawing.edges) {
      expect(points.length, `${name} ${transition?.id}`).toBeGreaterThan(1);
    }
  });

  test('begins above or left of what follows: its initial states are not pushed below their successors', async () => {
    const { nodes } = await drawn(chart);
    const yOf = new Map(nodes.map(({ node, y }) => [node.id, y]));
    for (const { initial, parent, id } of chart.nodes) {
      if (initial === null) continue;
      const siblings = chart.nodes.filter((node) => node.parent === id && node.type !== 'history');
      for (const sibling of siblings)
        expect(yOf.get(initial) ?? 0, `${parent} ${initial} above ${sibling.id}`).toBeLessThanOrEqual(
          yOf.get(sibling.id) ?? 0,
        );
    }
  });

  test('its routes begin and end at their states', async () => {
    const { nodes, edges } = await drawn(chart);
    const boxOf = new Map(nodes.map((one) => [one.node.id, one]));
    const touches = (point: { x: number; y: number } | undefined, id: string) => {
      const box = boxOf.get(id);
      if (box === undefined || point === undefined) return false;
      const near = (a: number, b: number) => Math.abs(a - b) < 2;
      const isWithin =
        point.x > box.x - 2 &&
        point.x < box.x + box.width + 2 &&
        point.y > box.y - 2 &&
        point.y < box.y + box.height + 2;
      return (
        isWithin &&
        (near(point.x, box.x) ||
          near(point.x, box.x + box.width) ||
          near(point.y, box.y) ||
          near(point.y, box.y + box.height))
      );
    };
    for (const { points, transition } of edges) {
      if (transition === undefined) continue;
      expect(touches(points[0], transition.source), `${transition.id} leaves ${transition.source}`).toBe(true);
      expect(
        transition.targets.some((target) => touches(points.at(-1), target)),
        `${transition.id} reaches ${transition.targets.join()}`,
      ).toBe(true);
    }
  });

  test('as SVG it is well-formed, and as Mermaid each state stands once', async () => {
    const svg = chartSvg(await drawn(chart));
    expect(svg.match(/<g /g)?.length).toBe(svg.match(/<\/g>/g)?.length);
    const mermaid = mermaidState(chart);
    const named = [...mermaid.matchAll(/^\s*state ".*" as (\w+)/gm)].map(([, one]) => one);
    expect(new Set(named).size).toBe(named.length);
    expect(named).toHaveLength(chart.nodes.length - 1);
  });
});

test('a chart has what the machine has: regions, history, guards, delays, actions, targetless transitions', () => {
  const chart = chartOf(everything, 'v1');
  expect(chart).toMatchObject({ id: 'everything', version: 'v1' });
  const nodeOf = (id: string) => chart.nodes.find((node) => node.id === id);
  expect(nodeOf('everything.busy')).toMatchObject({ type: 'parallel', initial: null, entry: ['tidy'] });
  expect(nodeOf('everything.busy.last')).toMatchObject({ type: 'history', history: 'deep' });
  expect(nodeOf('everything.busy.left.c')).toMatchObject({ type: 'final' });
  const labels = chart.transitions.map(({ source, label, guard, targets, actions }) =>
    [source.replace('everything', ''), label, guard, targets.join(), actions.join()].join(' | '),
  );
  expect(labels).toContain('.busy.left.a | after 1 s |  | everything.busy.left.b | ');
  expect(labels).toContain('.busy.left.a | after patience |  | everything.busy.left.a | ');
  expect(labels).toContain('.busy.left.b | back | isMany | everything.busy.left.a | ');
  expect(labels).toContain('.busy.left.b | always | isMany | everything.busy.left.c | ');
  expect(labels).toContain('.busy.left.b | next |  |  | note,tidy');
  expect(labels).toContain('.busy | done: itself |  | everything.over | ');
});

test('events in words, and which descriptors stand for which', () => {
  expect(labelOf('', 'm.a')).toBe('always');
  expect(labelOf('xstate.done.actor.judge', 'm.a')).toBe('done: judge');
  expect(labelOf('xstate.error.actor.*', 'm.a')).toBe('error: *');
  expect(labelOf('xstate.after.30000.m.a', 'm.a')).toBe('after 30 s');
  expect(labelOf('go', 'm.a')).toBe('go');
  expect(isMeant('*', 'go')).toBe(true);
  expect(isMeant('xstate.done.actor.*', 'xstate.done.actor.a')).toBe(true);
  expect(isMeant('go.*', 'go')).toBe(true);
  expect(isMeant('go.*', 'gone')).toBe(false);
});
