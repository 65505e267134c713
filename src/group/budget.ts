/** Budgets: what has been spent, by the journal, against what may be. Checked before an attempt, never after the bill. */
import type { Budget, Usage } from '../harness/port.ts';

/** Name of the gate that asks for more. */
export const budgetGate = 'budget';

/** True for a gate that neither a machine nor a member opened. */
export const isHosts = ({ effect, by }: { readonly effect?: string | undefined; readonly by?: string | undefined }) =>
  effect === undefined && by === undefined;

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
  /** Members that may begin, those of nested coordinators and those spawned again included: looked at before the first attempt of each. */
  readonly members?: number;
  /** How deep members may be nested: 1 for those of the group's own coordinator. Never warned of. */
  readonly depth?: number;
  /** What an attempt is likely to use whose invocation does not say (`expects`; there it is explained). Default: nothing is known, none is kept free. */
  readonly expects?: Usage;
  /** Share of a limit at which `budget.warned` is recorded, 0 to 1. Default 0.8. */
  readonly warnAt?: number;
  /**
   * Over it: `fail` (default) settles the member that wanted the next attempt as refused, code BUDGET; `stop` cancels the
   * group, and does not wait for the next attempt where what is under way has told that it spent more; `ask` opens the gate `budget` in the group and lets its members wait for the answer: approved lifts, for that group, its budget and
   * the run's as far as they ask (one that fails or stops holds); rejected refuses whoever wants another attempt.
   */
  readonly over?: 'ask' | 'fail' | 'stop';
}

/** A limit that has been reached, or nearly. */
export interface Overspend {
  readonly what: keyof Spend | 'depth' | 'members';
  readonly spent: number;
  readonly limit: number;
  /** What the next attempt is expected to use, where it is that which goes over. */
  readonly expected?: number;
}

/** Nothing spent. */
export const noSpend: Spend = { attempts: 0, wallMs: 0, tokens: 0, costUsd: 0 };

const noneReached: readonly Overspend[] = [];
const kinds = ['attempts', 'wallMs', 'tokens', 'costUsd'] as const;
const expectedKinds = ['tokens', 'costUsd'] as const;
/** Sums of fractions may be off by so much of a limit: ten times 0.1 is 1. */
const inexact = 1e-9;

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
  if (budget === undefined) return noneReached;
  return kinds.flatMap((what) => {
    const limit = budget[what];
    return limit !== undefined && spend[what] >= limit * share ? [{ what, spent: spend[what], limit }] : [];
  });
}

/** The limits of what is told while an attempt works that have been gone over: not those that are filled. */
export function limitsPassed(budget: Budget, spend: Spend): readonly Overspend[] {
  return expectedKinds.flatMap((what) => {
    const limit = budget[what];
    return limit !== undefined && spend[what] > limit * (1 + inexact) ? [{ what, spent: spend[what], limit }] : [];
  });
}

/** The limits that an attempt is expected to go over: not those that it fills. */
export function limitsExceeded(budget: Budget, spend: Usage, expects: Usage | undefined): readonly Overspend[] {
  if (expects === undefined) return noneReached;
  return expectedKinds.flatMap((what) => {
    const { [what]: limit } = budget;
    const { [what]: spent = 0 } = spend;
    const { [what]: expected = 0 } = expects;
    return limit !== undefined && expected > 0 && spent + expected > limit * (1 + inexact)
      ? [{ what, spent, limit, expected }]
      : [];
  });
}

/** The same for members that begin: `begun` have, and the next is at this depth. */
export function membersReached(
  { members, depth }: BudgetPolicy,
  begun: number,
  depthOfNext: number,
): readonly Overspend[] {
  const reached: Overspend[] = [];
  if (members !== undefined && begun >= members) reached.push({ what: 'members', spent: begun, limit: members });
  if (depth !== undefined && depthOfNext > depth) reached.push({ what: 'depth', spent: depthOfNext, limit: depth });
  return reached;
}

const figure = (value: number) => Number(value.toFixed(6));

/** One sentence about a reached limit. */
export function overspendText(whose: string, { what, spent, limit, expected }: Overspend): string {
  if (what === 'members')
    return `the budget of ${whose} allows members ${limit}, and ${spent} have begun; no further one does.`;
  if (what === 'depth')
    return `the budget of ${whose} allows depth ${limit}, and this member is nested ${spent} deep; it does not begin.`;
  const sofar = `the budget of ${whose} allows ${what} ${limit}, and ${figure(spent)} has been spent`;
  if (expected === undefined) return `${sofar}; no further attempt is made.`;
  return `${sofar}; the next attempt is expected to use ${figure(expected)}, and is not made.`;
}
