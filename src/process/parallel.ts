/** Waiting for several things at once, with results in the order of the items, never of their completion. */
import { TroupeError } from '../error.ts';
import { refuseNoFields } from '../group/legible.ts';

/** Structured waiting. Nothing is left pending behind the caller's back. */
export interface Parallel {
  /**
   * Waits for all of them, given as promises or as functions that start them. If any failed: once all have ended,
   * rejects with the failure of the first in order.
   */
  all<Results extends readonly unknown[]>(
    branches: readonly [
      ...{ [Index in keyof Results]: Promise<Results[Index]> | (() => Promise<Results[Index]> | Results[Index]) },
    ],
  ): Promise<Results>;
  /** Maps each item, at most `concurrency` (default all) at a time; results keep the order of the items, undefined ones too. */
  map<Item, Result>(
    items: readonly Item[],
    map: (item: Item, index: number) => Promise<Result> | Result,
    options?: { readonly concurrency?: number },
  ): Promise<Result[]>;
}

async function settleAll<Result>(
  starts: readonly (() => Promise<Result> | Result)[],
  concurrency: number,
): Promise<Result[]> {
  const results = Array.from<Result>({ length: starts.length });
  const failures: { readonly index: number; readonly error: unknown }[] = [];
  let next = 0;
  const work = async () => {
    while (next < starts.length) {
      const index = next;
      next += 1;
      try {
        results[index] = await (starts[index] as () => Promise<Result> | Result)();
      } catch (error) {
        failures.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, starts.length) }, work));
  const first = failures.toSorted((one, other) => one.index - other.index)[0];
  if (first !== undefined) throw first.error;
  return results;
}

/** Refuses what is no list: in JavaScript it may be anything, several arguments in its place for one. Codes: BAD_INPUT. */
export function refuseNoList(what: string, list: unknown): void {
  if (Array.isArray(list)) return;
  const got = list === null ? 'null' : typeof list;
  throw new TroupeError('BAD_INPUT', `parallel.${what}: expected one list, got ${got}.`);
}

/** The one implementation of {@link Parallel}; it holds nothing. */
export const parallel: Parallel = {
  async all(branches) {
    refuseNoList('all', branches);
    // A hole in the list is an item too.
    const starts = Array.from<unknown, () => unknown>(branches, (branch, index) => {
      if (typeof branch === 'function') return branch as () => unknown;
      if (branch instanceof Promise) {
        branch.catch(() => {});
        return () => branch as Promise<unknown>;
      }
      throw new TroupeError(
        'BAD_INPUT',
        `parallel.all: expected item ${index} to be a promise or a function, got ${typeof branch}.`,
      );
    });
    return (await settleAll(starts, starts.length)) as never;
  },
  map(items, map, options = {}) {
    refuseNoList('map', items);
    if (typeof (map as unknown) !== 'function')
      throw new TroupeError('BAD_INPUT', `parallel.map: expected a function behind the list, got ${typeof map}.`);
    refuseNoFields(options, 'options of parallel.map', '{ concurrency }');
    const { concurrency = Number.POSITIVE_INFINITY } = options;
    if (!(concurrency >= 1)) {
      throw new TroupeError(
        'BAD_INPUT',
        `parallel.map: expected \`concurrency\` to be a number >= 1, got \`${concurrency}\`.`,
      );
    }
    const results = settleAll(
      items.map((item, index) => () => map(item, index)),
      Math.floor(concurrency),
    );
    // May be left alone for a while, as a task may.
    results.catch(() => {});
    return results;
  },
};
