/**
 * Waiting for some of several branches: best effort, the first success, a quorum. The losers of a decided wait are
 * cancelled: every group and task that a branch opened through the context it was given.
 */
import { TroupeError } from '../error.ts';
import { refuseNoFields } from '../group/legible.ts';
import type { Branch, Context, Strategies } from './context.ts';
import { refuseNoList } from './parallel.ts';

/** A context for one branch, and how to cancel what was opened through it. */
export interface Scope {
  readonly ctx: Context;
  cancel(reason: string): void;
}

interface Run<Result> {
  readonly scope: Scope;
  readonly outcome: Promise<
    { readonly index: number } & (
      | { readonly ok: true; readonly result: Result }
      | { readonly ok: false; readonly error: unknown }
    )
  >;
}

/** The strategies of a context; `scope` makes the context of a branch. */
export function strategiesOf(scope: () => Scope): Strategies {
  const startAll = <Result>(branches: readonly Branch<Result>[], what: string): readonly Run<Result>[] => {
    if (branches.length === 0)
      throw new TroupeError('BAD_INPUT', `parallel.${what}: expected at least one branch, got none.`);
    for (const [index, branch] of branches.entries()) {
      if (typeof branch !== 'function') {
        throw new TroupeError(
          'BAD_INPUT',
          `parallel.${what}: expected branch ${index} to be a function (ctx) => promise, got ${typeof branch}.`,
        );
      }
    }
    return branches.map((branch, index) => {
      const own = scope();
      const outcome = (async () => {
        try {
          return { index, ok: true as const, result: await branch(own.ctx) };
        } catch (error) {
          return { index, ok: false as const, error };
        }
      })();
      return { scope: own, outcome };
    });
  };

  /** Outcomes as they come; `decide` returns what the wait comes to, or undefined to go on. */
  const until = async <Result, Decision>(
    runs: readonly Run<Result>[],
    what: string,
    decide: (outcomes: readonly Awaited<Run<Result>['outcome']>[]) => Decision | undefined,
  ): Promise<Decision | undefined> => {
    const open = new Map(runs.map((run, index) => [index, run]));
    const outcomes: Awaited<Run<Result>['outcome']>[] = [];
    try {
      while (open.size > 0) {
        const outcome = await Promise.race([...open.values()].map((run) => run.outcome));
        open.delete(outcome.index);
        outcomes.push(outcome);
        const decision = decide(outcomes);
        if (decision !== undefined) return decision;
      }
      return undefined;
    } finally {
      for (const run of open.values()) run.scope.cancel(`lost: parallel.${what} is decided`);
    }
  };

  const firstError = (outcomes: readonly Awaited<Run<unknown>['outcome']>[]): unknown =>
    outcomes.filter((one) => !one.ok).toSorted((one, other) => one.index - other.index)[0]?.error;

  return {
    async bestEffort(branches) {
      refuseNoList('bestEffort', branches);
      const outcomes = await Promise.all(
        (branches.length === 0 ? [] : startAll(branches, 'bestEffort')).map(({ outcome }) => outcome),
      );
      return {
        results: outcomes.map((one) => (one.ok ? one.result : undefined)),
        errors: outcomes.map((one) => (one.ok ? undefined : one.error)),
        successCount: outcomes.filter(({ ok }) => ok).length,
      };
    },
    async first(branches) {
      refuseNoList('first', branches);
      const seen: Awaited<Run<unknown>['outcome']>[] = [];
      const won = await until(startAll(branches, 'first'), 'first', (outcomes) => {
        const last = outcomes.at(-1);
        if (last === undefined) return undefined;
        seen.push(last);
        return last.ok ? { result: last.result } : undefined;
      });
      if (won === undefined) throw firstError(seen);
      return won.result;
    },
    async quorum(branches, options = {}) {
      refuseNoList('quorum', branches);
      refuseNoFields(options, 'options of parallel.quorum', '{ atLeast }');
      const { atLeast = 0.5 } = options;
      if (!(typeof atLeast === 'number' && atLeast > 0))
        throw new TroupeError(
          'BAD_INPUT',
          `parallel.quorum: expected \`atLeast\` to be a number > 0, got \`${String(atLeast)}\`.`,
        );
      // A share of 0.28 of 25 is 7, though 0.28 * 25 is a little more.
      const needed = Math.max(1, Math.ceil(atLeast < 1 ? branches.length * atLeast - 1e-9 : atLeast));
      if (needed > branches.length) {
        throw new TroupeError(
          'BAD_INPUT',
          `parallel.quorum: ${branches.length} branches can never give the ${needed} successes that are asked for.`,
        );
      }
      const decision = await until(startAll(branches, 'quorum'), 'quorum', (outcomes) => {
        const successes = outcomes.filter((one) => one.ok);
        const failures = outcomes.length - successes.length;
        if (successes.length >= needed) return { successes };
        return branches.length - failures < needed ? { error: firstError(outcomes) } : undefined;
      });
      if (decision === undefined || decision.successes === undefined) {
        const error = decision?.error;
        const message = `parallel.quorum: ${needed} of ${branches.length} branches had to succeed, which has become impossible: ${error instanceof Error ? error.message : String(error)}`;
        throw new TroupeError('QUORUM_LOST', message, { needed, of: branches.length }, error);
      }
      return decision.successes
        .map(({ index, result }) => ({ index, result }))
        .toSorted((one, other) => one.index - other.index);
    },
  };
}
