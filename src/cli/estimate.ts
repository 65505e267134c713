/** What runs of a process have used: from it, what another will. Pure reading of runs that were completed. */
import { messageCount } from '../group/ledger.ts';
import { addSpend, noSpend } from '../group/budget.ts';
import type { RunView } from '../process/run-view.ts';

/** Of several figures; the median of an even number of them is the greater of the two in the middle. */
export type Spread = { readonly least: number; readonly median: number; readonly most: number };

/** What one run used, over several runs. Times in milliseconds, costs in US dollars. */
export type Estimate = {
  /** From its start to its end, waiting for people and pauses included. */
  readonly tookMs: Spread;
  readonly members: Spread;
  readonly attempts: Spread;
  readonly messages: Spread;
  readonly tokens: Spread;
  readonly costUsd: Spread;
  /** One attempt of each harness, over all attempts of those runs: what members used, by the number of their attempts. */
  readonly perAttempt: readonly {
    readonly harness: string;
    /** Of how many members. */
    readonly members: number;
    readonly wallMs: Spread;
    readonly tokens: Spread;
    readonly costUsd: Spread;
  }[];
};

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (index: number) => sorted[index] ?? 0;
  return { least: at(0), median: at(Math.floor(sorted.length / 2)), most: at(sorted.length - 1) };
}

/** The estimate by these runs, all of them ended, at least one. */
export function estimateOf(runs: readonly RunView[]): Estimate {
  const totals = runs.map(({ groups, createdAt, endedAt = createdAt }) => {
    const ledgers = [...groups.values()];
    const sum = (of: (ledger: (typeof ledgers)[number]) => number) =>
      ledgers.reduce((total, ledger) => total + of(ledger), 0);
    return {
      tookMs: endedAt - createdAt,
      members: sum(({ begun }) => begun),
      messages: sum(messageCount),
      spend: ledgers.reduce((total, { spend }) => addSpend(total, spend), noSpend),
    };
  });
  const byHarness = new Map<string, { wallMs: number; tokens: number; costUsd: number }[]>();
  for (const { groups } of runs)
    for (const { members } of groups.values())
      for (const { harness, spend } of members.values()) {
        if (spend.attempts === 0) continue;
        const one = {
          wallMs: spend.wallMs / spend.attempts,
          tokens: spend.tokens / spend.attempts,
          costUsd: spend.costUsd / spend.attempts,
        };
        byHarness.set(harness, [...(byHarness.get(harness) ?? []), one]);
      }
  return {
    tookMs: spread(totals.map(({ tookMs }) => tookMs)),
    members: spread(totals.map(({ members }) => members)),
    attempts: spread(totals.map(({ spend }) => spend.attempts)),
    messages: spread(totals.map(({ messages }) => messages)),
    tokens: spread(totals.map(({ spend }) => spend.tokens)),
    costUsd: spread(totals.map(({ spend }) => spend.costUsd)),
    perAttempt: [...byHarness].map(([harness, ones]) => ({
      harness,
      members: ones.length,
      wallMs: spread(ones.map(({ wallMs }) => wallMs)),
      tokens: spread(ones.map(({ tokens }) => tokens)),
      costUsd: spread(ones.map(({ costUsd }) => costUsd)),
    })),
  };
}
