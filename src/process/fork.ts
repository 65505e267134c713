/**
 * Forks: a new run from the first entries of another one. It goes on from there when it is opened (`openRun`) under its
 * own id: what had settled is not done again, what was under way counts as interrupted. Keys of attempts hold the id of
 * the run, so the origin's living processes are none of the fork's: it never sweeps them.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import type { Fork, JournalStore } from '../journal/port.ts';
import { checkWhere } from './check-config.ts';

/** What {@link forkRun} needs. */
export interface ForkRunOptions {
  readonly store: JournalStore;
  /** Id of the run to copy; nobody needs to stop driving it. */
  readonly from: string;
  /** How many entries, counted over all streams in journal order, as `troupe log` numbers them; an append of several is copied whole or not at all. */
  readonly at: number;
  /** Id of the new run. Default `<from>-fork-<n>`, the first that is free. */
  readonly as?: string;
}

/** A run id may be this long. */
const runIdMax = 128;

/** Calls `make` with `<run>-<kind>-<n>` until there is no run of that name; a fork of a fork is counted on, not named twice. */
export async function underFreeName<Result>(
  store: JournalStore,
  run: string,
  kind: string,
  make: (name: string) => Promise<Result>,
): Promise<Result> {
  const taken = new Set(await store.list());
  const base = run.replace(new RegExp(`-${kind}-\\d+$`), '');
  for (let number = 1; ; number += 1) {
    const ending = `-${kind}-${number}`;
    const name = base.slice(0, runIdMax - ending.length) + ending;
    if (taken.has(name)) continue;
    try {
      return await make(name);
    } catch (error) {
      if (!isTroupeError(error, 'RUN_EXISTS')) throw error;
      taken.add(name);
    }
  }
}

/**
 * Makes the fork; appends nothing, performs nothing. The run is opened with the same process: what it reads of `ctx.run` differs.
 * Codes: BAD_INPUT, RUN_UNKNOWN, RUN_EXISTS, JOURNAL_CORRUPT (damage before `at` only), JOURNAL_FORMAT, JOURNAL_IO.
 */
export async function forkRun(options: ForkRunOptions): Promise<Fork> {
  checkWhere('forkRun', options, ['from']);
  const { store, from, at, as } = options;
  if (store.fork === undefined) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${from}: expected a store that forks runs (a file or memory store), got one without \`fork\`.`,
    );
  }
  const fork = store.fork.bind(store);
  if (as !== undefined) return await fork(from, { at, as });
  return await underFreeName(store, from, 'fork', (name) => fork(from, { at, as: name }));
}
