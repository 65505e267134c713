/**
 * What attempts are expected to use: kept free in the budgets of their group and run, from when one is allowed until what it used is in
 * the books. Else as many as have a place begin before the first has told what it costs, and the bill is theirs together.
 * Of one host and in memory: the next host allows each attempt anew.
 */
import type { Usage } from '../harness/port.ts';

/** One attempt that was allowed and has not ended. */
export interface Kept {
  /** What its invocation says that it will use; undefined when that says nothing. */
  readonly expects: Usage | undefined;
  /** What it has told of its spending, and is in the books. */
  told(): Usage | undefined;
}

/** The attempts of a run that are allowed or under way. */
export interface Expectations {
  /** Keeps free what an attempt of the group is expected to use; returns what gives it back. */
  keep(group: string, kept: Kept): () => void;
  /** What those of a group will use yet; `usual` is for each that says nothing. */
  left(group: string, usual: Usage | undefined): Required<Usage>;
  /** Calls once, when something has been given back. */
  whenFreed(call: () => void): void;
}

/** Nothing allowed yet. */
export function expectations(): Expectations {
  const byGroup = new Map<string, Set<Kept>>();
  const waiting = new Set<() => void>();
  return {
    keep(group, kept) {
      const those = byGroup.get(group) ?? new Set();
      byGroup.set(group, those.add(kept));
      return () => {
        if (!those.delete(kept)) return;
        const calls = [...waiting];
        waiting.clear();
        for (const call of calls) call();
      };
    },
    left(group, usual) {
      const sum = { tokens: 0, costUsd: 0 };
      for (const { expects = usual, told } of byGroup.get(group) ?? []) {
        const already = expects === undefined ? undefined : told();
        sum.tokens += Math.max(0, (expects?.tokens ?? 0) - (already?.tokens ?? 0));
        sum.costUsd += Math.max(0, (expects?.costUsd ?? 0) - (already?.costUsd ?? 0));
      }
      return sum;
    },
    whenFreed: (call) => void waiting.add(call),
  };
}
