/** An invocation's own budget, watched while its agent spends. */
import type { Budget, Usage } from '../port.ts';

/** One sentence when more has been spent than may be. */
export function limitOver(budget: Budget | undefined, before: Usage, now: Usage): string | undefined {
  for (const what of ['costUsd', 'tokens'] as const) {
    const limit = budget?.[what];
    const spent = (before[what] ?? 0) + (now[what] ?? 0);
    if (limit !== undefined && spent > limit)
      return `its budget allows ${what} ${limit}, and ${Number(spent.toFixed(6))} has been spent; it was stopped.`;
  }
  return undefined;
}

/** What an agent may still spend of a `limit`, for its own bound; nothing where there is no limit. */
export function costLeft(limit: number | undefined, spent: number | undefined): { readonly costUsdMax?: number } {
  return limit === undefined ? {} : { costUsdMax: Math.max(0, limit - (spent ?? 0)) };
}
