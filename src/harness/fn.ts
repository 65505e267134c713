/** The function harness: an invocation performed in this process. */
import { systemClock, type Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { toJson } from '../json.ts';
import { checkBounds } from './check-bounds.ts';
import { cancelledBy, fail, isFailureClass, ok } from './outcome.ts';
import { plainError } from './plain-error.ts';
import type { Attempt, Harness, Invocation, Mailbox, Outcome, Progress, Usage } from './port.ts';

/** What a function is asked to do: the invocation, and whose it is. */
export interface Task extends Invocation {
  readonly run: string;
  readonly group: string;
  /** Address of the member in its group. */
  readonly member: string;
}

/** What a function is given to do it with: besides these, its door to the group. */
export interface TaskContext extends Mailbox {
  /** Aborted when the attempt is to end early; `signal.reason` says why. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The same for every performance of this attempt: hand it to whatever must not do a thing twice (G4). */
  readonly key: string;
  /** Says what is being done now; a string is a line. May be called often. Ignored once the attempt is over. */
  progress(progress: Progress | string): void;
  /**
   * Adds to what this attempt has used; counts against budgets when the attempt has ended, however it ends. Ignored after that, and so is
   * an amount that is no finite number >= 0. Codes: BAD_INPUT.
   */
  spent(usage: Usage): void;
}

/** A function that performs invocations. What it returns is the output: plain JSON data, undefined counts as null. */
export type Perform = (task: Task, context: TaskContext) => unknown;

/** Options of {@link fn}. */
export interface FnOptions {
  /** What members may need. Default none. */
  readonly capabilities?: readonly string[];
  /** Attempts at once on this host. Default: no limit of its own. */
  readonly concurrency?: number;
  /** Attempts begun in any 60 s on this host; further ones wait. Default: no limit. */
  readonly ratePerMinute?: number;
  /** How long a function may take to return after its signal was aborted, ms. Default 5,000, at least 0. */
  readonly graceMs?: number;
  /** Measures the grace. Default: the machine's own clock. */
  readonly clock?: Clock;
}

/**
 * A harness that calls `perform` in this process.
 *
 * - A return value that is not plain JSON is outcome `error`, class `invalid-output`; the message names the path.
 * - What it says with `spent` is added up and told with the outcome.
 * - A throw is outcome `error`; its class is the thrown value's `class` property when that is a failure class, else `failed`.
 * - Once the signal is aborted, a throw or a return of undefined is outcome `cancelled`; a value returned within `graceMs`
 *   still counts; after that the outcome is `cancelled` and the function, which nothing can stop, goes on unheard.
 *
 * Codes: BAD_INPUT.
 */
export function fn(perform: Perform, options: FnOptions = {}): Harness {
  const { capabilities, concurrency, ratePerMinute, graceMs = 5_000, clock = systemClock } = options;
  checkBounds('fn', options);
  return {
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(ratePerMinute === undefined ? {} : { ratePerMinute }),
    writesOutput: false,
    perform: (attempt) => performInProcess(perform, attempt, graceMs, clock),
  };
}

async function performInProcess(perform: Perform, attempt: Attempt, graceMs: number, clock: Clock): Promise<Outcome> {
  const { signal } = attempt;
  if (signal.aborted) return cancelledBy(signal);
  let isOver = false;
  let usage: Usage | undefined;
  const context: TaskContext = {
    send: (letter) => attempt.mailbox.send(letter),
    inbox: (options) => attempt.mailbox.inbox(options),
    take: (options) => attempt.mailbox.take(options),
    ask: (letter, options) => attempt.mailbox.ask(letter, options),
    checkpoint: (mark) => attempt.mailbox.checkpoint(mark),
    members: () => attempt.mailbox.members(),
    onSteer: (handler) => attempt.mailbox.onSteer(handler),
    spent(more) {
      if (isOver) return;
      if (typeof (more as unknown) !== 'object' || (more as Usage | null) === null)
        throw new TroupeError(
          'BAD_INPUT',
          `spent: expected an object { tokens, costUsd }, got ${(more as unknown) === null ? 'null' : typeof more}.`,
        );
      usage = sumOf(usage ?? {}, more);
    },
    signal,
    attempt: attempt.attempt,
    key: attempt.key,
    progress(progress) {
      if (!isOver) attempt.progress(typeof progress === 'string' ? { line: progress } : progress);
    },
  };
  const { run, group, member, invocation } = attempt;
  let outcome: Outcome;
  try {
    const returned = perform({ ...invocation, run, group, member }, context);
    // What has returned already needs nobody's patience.
    outcome = isThenable(returned)
      ? await patiently(awaited(returned, signal), signal, graceMs, clock)
      : returnedUnder(signal, returned);
  } catch (thrown) {
    outcome = thrownUnder(signal, thrown);
  }
  isOver = true;
  return usage === undefined ? outcome : { ...outcome, usage };
}

/** An amount that is none (NaN of a price that was not there) is left out: added, it would take with it all that was told before. */
function sumOf(one: Usage, more: Usage): Usage {
  const tokens = isAmount(more.tokens) ? { tokens: (one.tokens ?? 0) + more.tokens } : {};
  const costUsd = isAmount(more.costUsd) ? { costUsd: (one.costUsd ?? 0) + more.costUsd } : {};
  return { ...one, ...tokens, ...costUsd };
}

function isAmount(amount: number | undefined): amount is number {
  return Number.isFinite(amount) && (amount as number) >= 0;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

async function awaited(returned: PromiseLike<unknown>, signal: AbortSignal): Promise<Outcome> {
  try {
    return returnedUnder(signal, await returned);
  } catch (thrown) {
    return thrownUnder(signal, thrown);
  }
}

function returnedUnder(signal: AbortSignal, output: unknown): Outcome {
  return signal.aborted && output === undefined ? cancelledBy(signal) : judged(output);
}

function thrownUnder(signal: AbortSignal, thrown: unknown): Outcome {
  return signal.aborted ? cancelledBy(signal) : fail(classOf(thrown), thrown);
}

function judged(output: unknown): Outcome {
  try {
    return ok(output === undefined ? null : toJson(output, 'output'));
  } catch (thrown) {
    const { message, code } = plainError(thrown);
    return fail('invalid-output', { name: 'InvalidOutput', message, code });
  }
}

function classOf(thrown: unknown) {
  try {
    const named: unknown = typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'class') : undefined;
    return isFailureClass(named) ? named : 'failed';
  } catch {
    return 'failed';
  }
}

/** `outcome`, or `cancelled` when `graceMs` have passed since the signal was aborted. */
function patiently(outcome: Promise<Outcome>, signal: AbortSignal, graceMs: number, clock: Clock): Promise<Outcome> {
  return new Promise((resolve) => {
    let callOff: (() => void) | undefined;
    const onAbort = () => {
      callOff = clock.wakeAt(clock.now() + graceMs, () => resolve(cancelledBy(signal)));
    };
    // The function may have been told before it first waited.
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    void outcome.then((one) => {
      signal.removeEventListener('abort', onAbort);
      callOff?.();
      resolve(one);
    });
  });
}
