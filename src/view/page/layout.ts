/** Charts laid out, each once; none when it takes too long: then the page shows a list. */
import ELK from 'elkjs/lib/elk-api.js';
import type { Chart } from '../chart.ts';
import { drawnFrom, graphOf, type DrawnChart, type Measure } from './chart-graph.ts';

/** Longest wait for a layout, ms. */
const deadlineMs = 2_000;

/** Lays charts out. */
export interface Layouts {
  /** The drawing of a chart; undefined when there is none in time. Computed once per chart. */
  of(chart: Chart): Promise<DrawnChart | undefined>;
}

/** Layouts by elkjs in a worker, which is made from `workerSource`: it is synchronous in itself and may take seconds. */
export function layouts(workerSource: string, measure: Measure): Layouts {
  const known = new Map<string, Promise<DrawnChart | undefined>>();
  let elk: InstanceType<typeof ELK> | undefined;

  const layout = async (chart: Chart): Promise<DrawnChart | undefined> => {
    const waitMs = deadlineMs + (elk === undefined ? 1_500 : 0);
    elk ??= new ELK({ workerFactory: () => workerOf(workerSource) });
    const used = elk;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        // It cannot be interrupted otherwise; the next chart gets a new one.
        used.terminateWorker();
        if (elk === used) elk = undefined;
        resolve(undefined);
      }, waitMs);
    });
    try {
      const laidOut = await Promise.race([used.layout(graphOf(chart, measure)), late]);
      return laidOut === undefined ? undefined : drawnFrom(chart, laidOut);
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    of(chart) {
      const key = `${chart.id}@${chart.version} ${chart.nodes.length}`;
      const drawn = known.get(key) ?? layout(chart);
      known.set(key, drawn);
      return drawn;
    },
  };
}

function workerOf(source: string): Worker {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  return new Worker(url);
}

/** Measures with the page's own font. */
export function canvasMeasure(): Measure {
  const context = document.createElement('canvas').getContext('2d');
  const family = getComputedStyle(document.body).fontFamily;
  return (text, isSmall) => {
    if (context === null) return text.length * (isSmall ? 6.4 : 7.4);
    context.font = isSmall ? `11.5px ${family}` : `600 13px ${family}`;
    return context.measureText(text).width;
  };
}
