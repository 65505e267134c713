/** The table as it is printed. */
import type { MachineFacts } from './machine-facts.ts';
import type { Row } from './row.ts';

/** Head of the table: what the figures were measured on. */
export function factsText({ cpu, cores, node, xstate, load, flushMs, flushMsP99, memoryGiB }: MachineFacts): string {
  return [
    `${cores} cores (${cpu}), ${memoryGiB.toFixed(0)} GiB, node ${node}, xstate ${xstate}, load ${load.map((one) => one.toFixed(1)).join(' ')}`,
    `one flush of this disk: ${flushMs.toFixed(2)} ms median, ${flushMsP99.toFixed(2)} ms p99`,
    'level: D0 memory · D1 survives kill -9 · D2 flushed. ratio = ours / rival, median of pairs [least–greatest]',
    '',
  ].join('\n');
}

/** A number with three digits that count. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** One row on two lines. */
export function rowText({ name, unit, level, ours, rival, rivalName, ratio, spread, target, met, note }: Row): string {
  const compared =
    rival === undefined
      ? ''
      : `   ${rivalName} ${short(rival)}   ratio ${short(ratio ?? Number.NaN)} [${spread?.map(short).join('–') ?? ''}]`;
  const judged =
    target === undefined
      ? ''
      : `   ${'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`} ${met === true ? 'reached' : 'MISSED'}`;
  return `${name}  (${unit}, ${level})\n    ours ${short(ours)}${compared}${judged}${note === '' ? '' : `\n    ${note}`}`;
}
