/**
 * What is not in the books yet. What attempts are expected to use is kept free in the budgets of their group and run, from when one is
 * allowed until it has ended: else as many as have a place begin before the first has told what it costs, and the bill is theirs together.
 * What one has used counts from when it ended, though its entry is still on its way to the journal: the next takes its place at once.
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

/** What one attempt that has ended has used. */
export interface Used {
  readonly usage: Usage;
  /** What of it is in the books: a report may be on its way there as well, before the end. */
  told(): Usage | undefined;
}

/** What is kept free for one attempt. */
export interface Keeping {
  /** Puts it aside: it does not count while it is asked once more whether there is room for it. */
  aside(): void;
  /** Gives it back, and tells those that wait. */
  free(): void;
}

/** The attempts of a run that are allowed, under way, or have just ended. */
export interface Expectations {
  /** Keeps free what an attempt of the group is expected to use. */
  keep(group: string, kept: Kept): Keeping;
  /** What those of a group will use yet; `usual` is for each that says nothing. */
  left(group: string, usual: Usage | undefined): Required<Usage>;
  /** An attempt of the group has used this, and it is on its way to the books; what is returned is to be called when it is there. */
  used(group: string, used: Used): () => void;
  /** What those of a group have used that is on its way. */
  unbooked(group: string): Required<Usage>;
  /** Calls once, when something has been given back. */
  whenFreed(call: () => void): void;
}

/** Adds what of `use` is left without what was told. */
function addRest(sum: { tokens: number; costUsd: number }, use: Usage, told: Usage | undefined): void {
  sum.tokens += Math.max(0, (use.tokens ?? 0) - (told?.tokens ?? 0));
  sum.costUsd += Math.max(0, (use.costUsd ?? 0) - (told?.costUsd ?? 0));
}

/** Nothing allowed yet. */
export function expectations(): Expectations {
  const byGroup = new Map<string, Set<Kept>>();
  const onTheWay = new Map<string, Set<Used>>();
  const waiting = new Set<() => void>();
  return {
    keep(group, kept) {
      const those = byGroup.get(group) ?? new Set();
      byGroup.set(group, those.add(kept));
      return {
        aside: () => void those.delete(kept),
        free() {
          those.delete(kept);
          const calls = [...waiting];
          waiting.clear();
          for (const call of calls) call();
        },
      };
    },
    left(group, usual) {
      const sum = { tokens: 0, costUsd: 0 };
      for (const { expects = usual, told } of byGroup.get(group) ?? []) {
        if (expects !== undefined) addRest(sum, expects, told());
      }
      return sum;
    },
    used(group, used) {
      const those = onTheWay.get(group) ?? new Set();
      onTheWay.set(group, those.add(used));
      return () => void those.delete(used);
    },
    unbooked(group) {
      const sum = { tokens: 0, costUsd: 0 };
      for (const { usage, told } of onTheWay.get(group) ?? []) addRest(sum, usage, told());
      return sum;
    },
    whenFreed: (call) => void waiting.add(call),
  };
}
