/** Budgets: what has been spent, by the journal, against what may be. Checked before an attempt, never after the bill. */
import type { Budget } from '../harness/port.ts';

/** What has been spent. */
export interface Spend {
  readonly attempts: number;
  /** Time of all attempts added up, ms. */
  readonly wallMs: number;
  readonly tokens: number;
  readonly costUsd: number;
}

/** A budget and what happens over it. */
export interface BudgetPolicy extends Budget {
  /** Share of a limit at which `budget.warned` is recorded, 0 to 1. Default 0.8. */
  readonly warnAt?: number;
  /**
   * Over it: `fail` (default) settles the member that wanted the next attempt as refused, code BUDGET; `stop` cancels the
   * group; `ask` opens the gate `budget` in the group and lets its members wait for the answer: approved lifts this budget, and
   * the run's, for that group; rejected refuses whoever wants another attempt.
   */
  readonly over?: 'ask' | 'fail' | 'stop';
}

/** A limit that has been reached, or nearly. */
export interface Overspend {
  readonly what: keyof Spend;
  readonly spent: number;
  readonly limit: number;
}

/** Nothing spent. */
export const noSpend: Spend = { attempts: 0, wallMs: 0, tokens: 0, costUsd: 0 };

const kinds = ['attempts', 'wallMs', 'tokens', 'costUsd'] as const;

/** Two spends together. */
export function addSpend(one: Spend, other: Partial<Spend>): Spend {
  return {
    attempts: one.attempts + (other.attempts ?? 0),
    wallMs: one.wallMs + (other.wallMs ?? 0),
    tokens: one.tokens + (other.tokens ?? 0),
    costUsd: one.costUsd + (other.costUsd ?? 0),
  };
}

/** The limits of which `share` (default all of it) has been spent; none when the next attempt may be made. */
export function limitsReached(budget: Budget | undefined, spend: Spend, share = 1): readonly Overspend[] {
  return kinds.flatMap((what) => {
    const limit = budget?.[what];
    return limit !== undefined && spend[what] >= limit * share ? [{ what, spent: spend[what], limit }] : [];
  });
}

/** One sentence about a reached limit. */
export function overspendText(whose: string, { what, spent, limit }: Overspend): string {
  return `the budget of ${whose} allows ${what} ${limit}, and ${Number(spent.toFixed(6))} has been spent; no further attempt is made.`;
}
