/** A trace as a space-time diagram in text: a column for each lane, a row for each step, time runs down. */
import type { Step } from './checkable.ts';
import type { Trace } from './result.ts';

const laneWidthMax = 14;
const always = ['outside', 'host', 'coordinator'];

/** The lanes of a trace: those given first, then who else appears, in order. Only who takes part. */
function lanesOf(steps: readonly Step[], known: readonly string[]): readonly string[] {
  const taking = new Set(steps.flatMap(({ at, from }) => (from === undefined ? [at] : [from, at])));
  return [...new Set([...known, ...always, ...taking])].filter((lane) => taking.has(lane));
}

/** Draws a trace; `lanes` stand in this order, as far as they take part. Lines end without blanks. */
export function diagramOf({ steps, loopsFrom }: Trace, lanes: readonly string[] = []): string {
  const all = lanesOf(steps, lanes);
  const width = Math.min(laneWidthMax, Math.max(6, ...all.map((lane) => lane.length))) + 2;
  const numbers = String(steps.length).length;
  const lines = [`${' '.repeat(numbers + 2)}${all.map((lane) => centred(short(lane), width)).join('')}`.trimEnd()];
  for (const [index, step] of steps.entries()) {
    if (index === loopsFrom)
      lines.push(`${' '.repeat(numbers)}  ${'┄'.repeat(width * all.length)}  from here on again and again`);
    const number = String(index).padStart(numbers);
    lines.push(`${number}  ${row(step, all, width)}  ${step.isFault === true ? '✗ ' : ''}${step.text}`);
  }
  return lines.join('\n');
}

function row({ at, from, type, isFault }: Step, lanes: readonly string[], width: number): string {
  const to = lanes.indexOf(at);
  const source = from === undefined ? to : lanes.indexOf(from);
  const cells: string[] = [];
  const first = Math.min(to, source);
  const last = Math.max(to, source);
  for (let lane = 0; lane < lanes.length; lane += 1) {
    const left = Math.floor((width - 1) / 2);
    const right = width - 1 - left;
    const isWay = source !== to;
    const mark =
      lane === to
        ? isFault === true
          ? '✗'
          : '●'
        : lane === source
          ? '○'
          : isWay && lane > first && lane < last
            ? '─'
            : '│';
    const before = isWay && lane > first && lane <= last;
    const after = isWay && lane >= first && lane < last;
    const head = to > source ? '▶' : '◀';
    const leftPart = before ? (lane === to ? `${'─'.repeat(left - 1)}${head}` : '─'.repeat(left)) : ' '.repeat(left);
    const rightPart = after ? (lane === to ? `${head}${'─'.repeat(right - 1)}` : '─'.repeat(right)) : ' '.repeat(right);
    cells.push(leftPart + (type === 'host crashed' && lane !== to ? '┆' : mark) + rightPart);
  }
  return cells.join('');
}

function short(lane: string): string {
  return lane.length > laneWidthMax ? `${lane.slice(0, laneWidthMax - 1)}…` : lane;
}

function centred(text: string, width: number): string {
  const left = Math.max(0, Math.floor((width - 1) / 2) - Math.floor((text.length - 1) / 2));
  return `${' '.repeat(left)}${text}`.padEnd(width);
}
