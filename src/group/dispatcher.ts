/**
 * Who works on what: attempts wait here for a free place of their group, their harness and the host, in the
 * order they were asked for, and are performed.
 *
 * Keeps G2: an attempt starts only after its `attempt.started` entry is durable.
 */
import type { Clock } from '../clock.ts';
import type { Attempt, Harness, Invocation, Mailbox, Outcome, Progress } from '../harness/port.ts';
import { plainError } from '../harness/plain-error.ts';
import type { Address } from './effect.ts';

/** Why an attempt was ended early. */
export type Ending = { readonly type: 'dropped' | 'host-stopped' | 'interrupted' | 'timed-out'; readonly reason: string };

/** One attempt on its way from wanted to ended. */
export interface Job {
  readonly group: string;
  readonly member: Address;
  readonly incarnation: number;
  readonly attempt: number;
  readonly key: string;
  readonly invocation: Invocation;
  readonly harnessName: string;
  readonly harness: Harness;
  /** Attempts at once that the group allows. */
  readonly groupConcurrency: number;
  /** Before it starts: ends what an earlier host left running of this member, if anything. */
  readonly sweepKey: string | undefined;
  /** Take up the attempt that an earlier host started, instead of making it. */
  readonly reattach: boolean;
  /** Where the attempt's whole output may be written. */
  outputFile(): Promise<string | undefined>;
  /** Records that it waits; called at most once, only when it does not start at once. */
  queued(): void;
  /** Records `attempt.started`, then calls back when that is durable. */
  started(durable: () => void): void;
  progress(progress: Progress): void;
  readonly mailbox: Mailbox;
  /** It ended; `outcome` is undefined when it could not be taken up. `ending` when it was ended early. Places are free again. */
  ended(outcome: Outcome | undefined, ending: Ending | undefined): void;
}

/** The host's dispatcher. */
export interface Dispatcher {
  /** Takes a job; it starts when there is a place. */
  add(job: Job): void;
  /** Ends the attempt of this key, or forgets it if it has not started. True when it was under way (its end will be told). */
  drop(key: string, ending: Ending): boolean;
  /** Starts no more. */
  pause(): void;
  /** Ends all attempts under way. */
  dropAll(ending: Ending): void;
  /** Resolves when no attempt is under way. */
  idle(): Promise<void>;
  readonly running: number;
}

interface Running {
  readonly job: Job;
  readonly abort: AbortController;
  ending: Ending | undefined;
}

/** A harness that has not settled this long after it was told to end is given up, ms. */
const giveUpMs = 30_000;

/** Makes a dispatcher; `concurrency` is how many attempts the host performs at once. */
export function dispatcher(options: { readonly run: string; readonly concurrency: number; readonly clock: Clock }): Dispatcher {
  const { run, concurrency, clock } = options;
  const waiting = new Map<string, { readonly jobs: Job[]; head: number }>();
  /** Jobs that still want to start; one that was dropped is skipped when its turn comes. */
  const waitingKeys = new Set<string>();
  const running = new Map<string, Running>();
  const perGroup = new Map<string, number>();
  const perHarness = new Map<string, number>();
  let paused = false;
  let idleWaiters: (() => void)[] = [];

  const count = (counts: Map<string, number>, name: string, by: number) => {
    counts.set(name, (counts.get(name) ?? 0) + by);
  };
  const hasPlace = (job: Job) =>
    !paused &&
    running.size < concurrency &&
    (perGroup.get(job.group) ?? 0) < job.groupConcurrency &&
    (perHarness.get(job.harnessName) ?? 0) < (job.harness.concurrency ?? Number.POSITIVE_INFINITY);

  const start = (job: Job) => {
    const entry: Running = { job, abort: new AbortController(), ending: undefined };
    running.set(job.key, entry);
    count(perGroup, job.group, 1);
    count(perHarness, job.harnessName, 1);
    job.started(() => {
      void perform(entry).then((outcome) => end(entry, outcome));
    });
  };

  const perform = async (entry: Running): Promise<Outcome | undefined> => {
    const { job, abort } = entry;
    if (entry.ending !== undefined) return { status: 'cancelled', reason: entry.ending.reason };
    const { timeoutMs } = job.invocation;
    const stopTimeout =
      timeoutMs === undefined
        ? undefined
        : clock.wakeAt(clock.now() + timeoutMs, () => {
            drop(job.key, { type: 'timed-out', reason: `took longer than ${timeoutMs} ms` });
          });
    let stopGiveUp: (() => void) | undefined;
    try {
      if (job.sweepKey !== undefined) await job.harness.sweep?.(job.sweepKey);
      const attempt: Attempt = {
        run,
        group: job.group,
        member: job.member,
        attempt: job.attempt,
        key: job.key,
        invocation: job.invocation,
        signal: abort.signal,
        outputFile: await job.outputFile(),
        progress: job.progress,
        mailbox: job.mailbox,
      };
      const givenUp = new Promise<Outcome>((resolve) => {
        abort.signal.addEventListener('abort', () => {
          stopGiveUp = clock.wakeAt(clock.now() + giveUpMs, () =>
            resolve({ status: 'cancelled', reason: `harness \`${job.harnessName}\` did not end within ${giveUpMs} ms` }),
          );
        });
      });
      const work = job.reattach ? job.harness.reattach?.(attempt) : job.harness.perform(attempt);
      return await Promise.race([work, givenUp]);
    } catch (error) {
      return { status: 'error', class: 'failed', error: plainError(error) };
    } finally {
      stopTimeout?.();
      stopGiveUp?.();
    }
  };

  const end = (entry: Running, outcome: Outcome | undefined) => {
    const { job } = entry;
    running.delete(job.key);
    count(perGroup, job.group, -1);
    count(perHarness, job.harnessName, -1);
    job.ended(outcome, entry.ending);
    fill();
    if (running.size === 0) {
      const waiters = idleWaiters;
      idleWaiters = [];
      for (const waiter of waiters) waiter();
    }
  };

  /** Starts what has a place: line by line (one line per group and harness), each line in order. */
  const fill = () => {
    for (const [name, line] of waiting) {
      while (line.head < line.jobs.length) {
        const job = line.jobs[line.head] as Job;
        if (!waitingKeys.has(job.key)) {
          line.head += 1;
        } else if (hasPlace(job)) {
          line.head += 1;
          waitingKeys.delete(job.key);
          start(job);
        } else {
          break;
        }
      }
      if (line.head === line.jobs.length) waiting.delete(name);
      else if (line.head > 1_024) {
        line.jobs.splice(0, line.head);
        line.head = 0;
      }
      if (running.size >= concurrency) return;
    }
  };

  const drop: Dispatcher['drop'] = (key, ending) => {
    const entry = running.get(key);
    if (entry === undefined) {
      waitingKeys.delete(key);
      return false;
    }
    entry.ending ??= ending;
    entry.abort.abort(new Error(ending.reason));
    return true;
  };

  return {
    add(job) {
      const name = JSON.stringify([job.group, job.harnessName]);
      const line = waiting.get(name);
      if (line === undefined && hasPlace(job)) {
        start(job);
        return;
      }
      waitingKeys.add(job.key);
      if (line === undefined) waiting.set(name, { jobs: [job], head: 0 });
      else line.jobs.push(job);
      job.queued();
    },
    drop,
    pause() {
      paused = true;
    },
    dropAll(ending) {
      for (const key of running.keys()) drop(key, ending);
    },
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
    get running() {
      return running.size;
    },
  };
}
