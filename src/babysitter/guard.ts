/**
 * A pass of a process under a guard, for SDKs that lose or mix up results when a process is not written with their inner workings in mind:
 *
 * - effects asked for at the same time (`Promise.all`) are asked for one after the other: else two events take one place, and the run is lost;
 * - a pass that swallowed what ends it (`try { … } catch`), or failed while siblings are under way, still waits for what is under way; and what
 *   it would ask for after that (a second try, what is to be done instead) is asked for when it is known how the first went;
 * - a branch of `parallel.all` that goes on while others follow it is refused: effects are told apart by counting calls, and would get
 *   each other's results from then on;
 * - so is an effect that is asked for with what another one of its kind was asked for with, and a group that has ended with another input.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import { canonical, toJson } from '../json.ts';
import { isIntrinsic } from './group.ts';

type Call = (...given: readonly unknown[]) => unknown;

/** Babysitter's process context, as far as it is guarded. */
export interface GuardedContext {
  readonly task: Call;
  readonly parallel: { readonly all: (thunks: readonly (() => unknown)[]) => Promise<unknown> };
  readonly [member: string]: unknown;
}

/** What the guard asks of whoever drives the pass. */
export interface Guard {
  /** The pass must not go on: it never ends, and the run stays as it is. */
  refuse(error: TroupeError): void;
  /** What the effect of this task that was asked for last had been asked for with, as JSON text; undefined when it had not been. */
  recorded(task: string): { readonly inputs: string; isOthers(text: string): boolean } | undefined;
}

/** The process itself, or a branch of `parallel.all`. */
interface Scope {
  /** Others follow it: what they count changes with it. */
  readonly hasLater: boolean;
  readonly branch: string;
  /** An effect of it has a result, or has failed: it may ask for the next. */
  hasGoneOn: boolean;
  /** What it was thrown because an effect of it is under way. */
  ended?: { readonly error: unknown };
}

const leaves = ['breakpoint', 'orchestratorTask', 'sleepUntil', 'task'] as const;

/** Runs a process function over a guarded context; ends as babysitter expects a pass to end. */
export async function guardedPass(
  body: (ctx: GuardedContext) => unknown,
  ctx: GuardedContext,
  guard: Guard,
): Promise<unknown> {
  const underWay: unknown[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let scope: Scope = { hasLater: false, branch: 'the process', hasGoneOn: false };

  const refuse = (error: TroupeError): Promise<never> => {
    guard.refuse(error);
    return new Promise(() => {});
  };
  /** Calls one after the other. */
  const inTurn = <Result>(call: () => Promise<Result>): Promise<Result> => {
    const result = last.then(call);
    last = result.catch(() => {});
    return result;
  };
  const goesOn = (within: Scope): TroupeError | undefined =>
    within.hasLater && within.hasGoneOn
      ? new TroupeError(
          'BAD_INPUT',
          `${within.branch} asks for a second effect after its first: this version of babysitter tells effects apart by counting calls, and would give the branches each other's results. Make each branch one effect (a group, for instance), or use a version with keys. The run is as it was.`,
        )
      : undefined;

  const leaf = (name: string, call: Call): Call => {
    return async (...given) => {
      const within = scope;
      const trouble = goesOn(within);
      if (trouble !== undefined) return await refuse(trouble);
      // Asked for at the same time is asked for before that: then nothing has been thrown yet.
      if (within.ended !== undefined) throw within.ended.error;
      return await inTurn(async () => {
        try {
          const value = await call(...given);
          const swapped = name === 'task' ? swappedIn(given, guard) : undefined;
          if (swapped !== undefined) return await refuse(swapped);
          within.hasGoneOn = true;
          return value;
        } catch (error) {
          if (isIntrinsic(error)) {
            const swapped = name === 'task' ? swappedIn(given, guard) : undefined;
            if (swapped !== undefined) return await refuse(swapped);
            underWay.push(error);
            within.ended = { error };
          } else within.hasGoneOn = true;
          throw error;
        }
      });
    };
  };

  const all = async (thunks: readonly (() => unknown)[]): Promise<unknown> => {
    const outer = scope;
    const trouble = goesOn(outer);
    if (trouble !== undefined) return await refuse(trouble);
    if (outer.ended !== undefined) throw outer.ended.error;
    let failed: { readonly error: unknown } | undefined;
    const scoped = thunks.map((thunk, index) => {
      if (typeof thunk !== 'function') return thunk;
      return async () => {
        const hasLater = index < thunks.length - 1 || outer.hasLater;
        scope = { hasLater, branch: `branch ${index + 1} of ${thunks.length} of parallel.all`, hasGoneOn: false };
        try {
          return await thunk();
        } catch (error) {
          if (isIntrinsic(error)) throw error;
          // Its siblings are called all the same: what follows is counted as before it failed, and the first failure is the same in each pass.
          failed ??= { error };
          return undefined;
        } finally {
          scope = outer;
        }
      };
    });
    try {
      const results = await ctx.parallel.all(scoped);
      outer.hasGoneOn = true;
      if (failed !== undefined) throw failed.error;
      return results;
    } catch (error) {
      if (isIntrinsic(error)) outer.ended = { error };
      throw error;
    }
  };

  const guarded: Record<string, unknown> = { ...ctx };
  for (const name of leaves) {
    const call = ctx[name];
    if (typeof call === 'function') guarded[name] = leaf(name, call as Call);
  }
  guarded['parallel'] = {
    all,
    map: (items: readonly unknown[], each: (item: unknown) => unknown) => all(items.map((item) => () => each(item))),
  };

  let end: { readonly value: unknown } | { readonly error: unknown };
  try {
    end = { value: await body(guarded as GuardedContext) };
  } catch (error) {
    end = { error };
  }
  // Branches that nobody waits for any more (Promise.all has heard of the first) still ask for what is theirs.
  for (let seen: unknown; seen !== last;) {
    seen = last;
    await last;
    await new Promise<void>((resolve) => queueMicrotask(resolve));
  }
  // Together they end the pass in babysitter's own way, with all of their actions.
  if (underWay.length > 0) await ctx.parallel.all(underWay.map((error) => () => Promise.reject(error as Error)));
  if (!('error' in end)) return end.value;
  // The process has changed since; thrown on, it would end the run for good.
  if (isTroupeError(end.error, 'GROUP_MISMATCH')) return await refuse(end.error);
  throw end.error;
}

/** What was asked for with other arguments, while these are another one's: results would be swapped. */
function swappedIn([task, args]: readonly unknown[], guard: Guard): TroupeError | undefined {
  const id = (task as { readonly id?: unknown } | undefined)?.id;
  if (typeof id !== 'string') return undefined;
  const now = textOf(args);
  if (now === undefined) return undefined;
  let recorded: ReturnType<Guard['recorded']>;
  try {
    recorded = guard.recorded(id);
    if (recorded === undefined || recorded.inputs === now || !recorded.isOthers(now)) return undefined;
  } catch (error) {
    // A file that is damaged, or cannot be read now: thrown on, it would end the run for good.
    if (error instanceof TroupeError) return error;
    throw error;
  }
  return new TroupeError(
    'BAD_INPUT',
    `task \`${id}\` is asked for with ${now.slice(0, 120)} where it was asked for with ${recorded.inputs.slice(0, 120)} before, and those are another effect's: this version of babysitter tells effects apart by counting calls, and would swap their results. Keep the order of calls the same in each iteration. The run is as it was.`,
  );
}

/** Arguments as text; undefined for what is no JSON. */
export function textOf(args: unknown): string | undefined {
  try {
    return canonical(toJson(args ?? null, 'arguments'));
  } catch {
    return undefined;
  }
}
