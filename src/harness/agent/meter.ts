/** What an attempt spends with an agent, whichever way the agent counts. */
import type { Usage } from '../port.ts';
import type { AgentEvent } from './port.ts';

type UsageEvent = Extract<AgentEvent, { readonly type: 'usage' }>;

/** Counts one attempt's spending in one session. */
export interface Meter {
  take(event: UsageEvent): void;
  /** What the attempt has spent up to now; a kind that was never told is left out. */
  total(): Usage;
  /** Another session goes on instead, of which nothing has been charged. What was counted stays. */
  restart(): void;
}

const kinds = ['tokens', 'costUsd'] as const;

/**
 * A meter. `charged` is what was charged for the session before this attempt: from an agent that tells totals of its session only
 * what is more than that counts, so that nothing is counted twice after it was taken up again.
 */
export function meterOf(charged: Usage): Meter {
  /** What comes on top, and totals, by kind. */
  let added: { tokens?: number; costUsd?: number } = {};
  let reached: { tokens?: number; costUsd?: number } = {};
  let before = charged;

  const total = (): Usage => {
    const spent: { tokens?: number; costUsd?: number } = {};
    for (const kind of kinds) {
      if (added[kind] === undefined && reached[kind] === undefined) continue;
      spent[kind] = (added[kind] ?? 0) + Math.max(0, (reached[kind] ?? 0) - (before[kind] ?? 0));
    }
    return spent;
  };
  return {
    take(event) {
      for (const kind of kinds) {
        const amount = event[kind];
        if (amount === undefined || !Number.isFinite(amount) || amount < 0) continue;
        if (event.isCumulative) reached[kind] = Math.max(reached[kind] ?? 0, amount);
        else added[kind] = (added[kind] ?? 0) + amount;
      }
    },
    total,
    restart() {
      added = total();
      reached = {};
      before = {};
    },
  };
}
