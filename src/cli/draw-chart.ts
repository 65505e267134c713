/** A statechart laid out in this process, by the same layout as the page's. */
import { createRequire } from 'node:module';
import type { ElkNode } from 'elkjs/lib/elk-api.js';
import { chartSvg, tableMeasure } from '../view/export/svg.ts';
import { drawnFrom, graphOf } from '../view/page/chart-graph.ts';
import type { Chart } from '../view/chart.ts';
import type { ActorState } from '../view/model.ts';

/** The chart as an SVG file. */
export async function drawChart(chart: Chart, actor?: ActorState): Promise<string> {
  // The library as it is published, beside the page: it takes 40 ms to load, and only drawing needs it.
  const { default: Elk } = createRequire(import.meta.url)('../view/elk.bundled.cjs') as {
    readonly default: new () => { layout(graph: ElkNode): Promise<ElkNode> };
  };
  const laidOut = await new Elk().layout(graphOf(chart, tableMeasure));
  return chartSvg(drawnFrom(chart, laidOut), actor);
}
