/** A measured row, and how it is measured: ours and rival in turns, ratios pair by pair, medians of all. */

/** How much an acknowledged write survives: nothing, the process, the machine's power loss. */
export type Level = 'D0' | 'D1' | 'D2';

/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** Undefined where nothing is compared. */
  readonly rival: number | undefined;
  /** What the rival is. */
  readonly rivalName: string;
  /** `ours / rival`, median of the pairs. */
  readonly ratio: number | undefined;
  /** Least and greatest ratio of a pair. */
  readonly spread: readonly [number, number] | undefined;
  /** What the ratio has to be; undefined for a figure that is only told. */
  readonly target: Target | undefined;
  readonly met: boolean | undefined;
  readonly level: Level;
  /** What was done, as far as the name does not say. */
  readonly note: string;
  /** When it was measured: ISO time. */
  readonly at: string;
}

/** A bench: measures, and tells its rows as they come. `smoke`: small sizes, to see that it works. */
export type Bench = (options: { readonly smoke: boolean; row(row: Row): void }) => Promise<void>;

/** A figure to reach. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** The middle one; the mean of both middle ones when there are two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** What a row says besides its figures. */
export interface About {
  readonly name: string;
  readonly unit: string;
  readonly level: Level;
  readonly rivalName?: string;
  readonly note?: string;
  readonly target?: Target;
}

/** A row from measurements taken in pairs: `ours[i]` beside `rival[i]`. */
export function rowOf(about: About, ours: readonly number[], rival: readonly number[]): Row {
  const ratios = rival.map((value, index) => (ours[index] ?? Number.NaN) / value);
  const ratio = ratios.length === 0 ? undefined : median(ratios);
  const { target } = about;
  return {
    name: about.name,
    unit: about.unit,
    ours: median(ours),
    rival: rival.length === 0 ? undefined : median(rival),
    rivalName: about.rivalName ?? '',
    ratio,
    spread: ratios.length === 0 ? undefined : [Math.min(...ratios), Math.max(...ratios)],
    target,
    met:
      target === undefined || ratio === undefined
        ? undefined
        : 'atLeast' in target
          ? ratio >= target.atLeast
          : ratio <= target.atMost,
    level: about.level,
    note: about.note ?? '',
    at: new Date().toISOString(),
  };
}

/** Measures each candidate once a round, in turns that change their order; the first round only warms up. */
export async function inTurns<Name extends string>(
  rounds: number,
  candidates: Readonly<Record<Name, () => number | Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(candidates) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      globalThis.gc?.();
      const value = await candidates[name]();
      if (round > 0) measured[name].push(value);
    }
    process.stderr.write(
      `  round ${round} of ${rounds}: ${names.map((name) => `${name} ${measured[name].at(-1)?.toPrecision(4) ?? 'warm'}`).join(', ')}\n`,
    );
  }
  return measured;
}
