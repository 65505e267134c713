/**
 * Who works on what: attempts wait here for a free place of their group, their harness and the host, and are performed:
 * those of one group and harness in the order they were asked for, the groups in turn.
 *
 * Keeps G2: an attempt starts only after its `attempt.started` entry is durable.
 */
import type { Clock } from '../clock.ts';
import type { Harness, Invocation, Mailbox, Outcome, Progress } from '../harness/port.ts';
import { plainError } from '../harness/plain-error.ts';
import type { Door } from './door.ts';
import { attemptOf } from './attempt-in-hand.ts';
import type { Address } from './effect.ts';
import { giveUpMs } from './give-up.ts';

/** Why an attempt was ended early. */
export type Ending = {
  readonly type: 'dropped' | 'host-stopped' | 'interrupted' | 'timed-out';
  readonly reason: string;
};

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
  /** Take up the attempt that an earlier host started, instead of making it. */
  readonly reattach: boolean;
  /** Before it is performed: what it is performed as, or comes to without that. Not for one that is taken up. */
  readonly prepare: (() => Promise<Invocation | Outcome>) | undefined;
  /** Where the attempt's whole output may be written. */
  outputFile(): Promise<string | undefined>;
  /** Asked when there is a place for one that waited: whether it is still to start. If not, it is forgotten here. */
  mayStart(): boolean;
  /** Records that it waits; called at most once, only when it does not start at once. */
  queued(): void;
  /** Records `attempt.started`, then calls back: when that is durable, or when it never will be. */
  started(durable: () => void, lost: () => void): void;
  progress(progress: Progress): void;
  /** Its door to the group's mail. */
  mailbox(): Mailbox;
  /** What else an attempt may ask of its group. */
  door(): Door;
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
  /** Counts as under way until it resolves: the ending of what an earlier host has left. It must not reject. */
  busyWith(work: Promise<void>): void;
  /** Resolves when no attempt is under way. */
  idle(): Promise<void>;
  readonly running: number;
  /** Attempts of a harness that are under way or wait for a place. */
  load(harness: string): number;
}

interface Running {
  readonly job: Job;
  readonly abort: AbortController;
  ending: Ending | undefined;
  /** Called when it is told to end while it is performed. */
  told: (() => void) | undefined;
}

/** The rate of a harness is looked at over this long, ms. */
const rateWindowMs = 60_000;

const noOutcome = (harness: string) => ({
  name: 'InvalidOutput',
  message: `harness \`${harness}\` returned no outcome`,
  code: 'OUTCOME_INVALID',
});

/** What {@link dispatcher} needs; `concurrency` is how many attempts the host performs at once. */
type DispatcherOptions = { readonly run: string; readonly concurrency: number; readonly clock: Clock };

/** Makes a dispatcher. */
export function dispatcher({ run, concurrency, clock }: DispatcherOptions): Dispatcher {
  const waiting = new Map<string, { readonly jobs: Job[]; head: number }>();
  /** Jobs that still want to start, with their harness; one that was dropped is skipped when its turn comes. */
  const waitingKeys = new Map<string, string>();
  const running = new Map<string, Running>();
  const perGroup = new Map<string, number>();
  const perHarness = new Map<string, number>();
  const loads = new Map<string, number>();
  let paused = false;
  let busy = 0;
  const idleWaiters: (() => void)[] = [];

  const count = (counts: Map<string, number>, name: string, by: number) => {
    counts.set(name, (counts.get(name) ?? 0) + by);
  };
  /** When attempts of harnesses with a rate began, oldest first. */
  const begun = new Map<string, number[]>();
  const rateWakes = new Map<string, () => void>();
  /** Whether a harness's rate allows another; else this line is looked at again when it does. */
  const isInRate = ({ harnessName, harness: { ratePerMinute } }: Job): boolean => {
    if (ratePerMinute === undefined) return true;
    const now = clock.now();
    // Those after now are of a clock that was set back since.
    const times = (begun.get(harnessName) ?? []).filter((at) => at > now - rateWindowMs && at <= now);
    begun.set(harnessName, times);
    if (times.length < ratePerMinute) return true;
    if (!rateWakes.has(harnessName)) {
      const wake = () => {
        rateWakes.delete(harnessName);
        fill();
      };
      rateWakes.set(harnessName, clock.wakeAt((times[0] ?? now) + rateWindowMs, wake));
    }
    return false;
  };
  const hasPlace = (job: Job) =>
    !paused &&
    running.size < concurrency &&
    (perGroup.get(job.group) ?? 0) < job.groupConcurrency &&
    (perHarness.get(job.harnessName) ?? 0) < (job.harness.concurrency ?? Number.POSITIVE_INFINITY) &&
    (job.reattach || isInRate(job));

  const start = (job: Job) => {
    const entry: Running = { job, abort: new AbortController(), ending: undefined, told: undefined };
    running.set(job.key, entry);
    if (job.harness.ratePerMinute !== undefined && !job.reattach)
      begun.set(job.harnessName, [...(begun.get(job.harnessName) ?? []), clock.now()]);
    count(perGroup, job.group, 1);
    count(perHarness, job.harnessName, 1);
    const durable = () => {
      perform(entry, (outcome) => {
        leave(entry);
        job.ended(outcome, entry.ending);
        fill();
        tellIdle();
      });
    };
    // The journal failed: the host stops, and nobody is to be told.
    job.started(durable, () => {
      leave(entry);
      tellIdle();
    });
  };

  /** Calls `over` once: with what the harness says, or without it when it does not end when it is told to. Never before it returns. */
  const perform = (entry: Running, over: (outcome: Outcome | undefined) => void): void => {
    const { job } = entry;
    const { timeoutMs } = job.invocation;
    let stopTimeout: (() => void) | undefined;
    let stopGiveUp: (() => void) | undefined;
    let isOver = false;
    const end = (outcome: Outcome | undefined) => {
      if (isOver) return;
      isOver = true;
      entry.told = undefined;
      stopTimeout?.();
      stopGiveUp?.();
      over(outcome);
    };
    if (entry.ending !== undefined) {
      const { reason } = entry.ending;
      queueMicrotask(() => end({ status: 'cancelled', reason }));
      return;
    }
    if (timeoutMs !== undefined) {
      const reason = `took longer than ${timeoutMs} ms`;
      stopTimeout = clock.wakeAt(clock.now() + timeoutMs, () => {
        drop(job.key, { type: 'timed-out', reason });
      });
    }
    entry.told = () => {
      const reason = `harness \`${job.harnessName}\` did not end within ${giveUpMs} ms`;
      stopGiveUp ??= clock.wakeAt(clock.now() + giveUpMs, () => end({ status: 'cancelled', reason }));
    };
    work(entry).then(end, (error: unknown) => end({ status: 'error', class: 'failed', error: plainError(error) }));
  };

  const work = async (entry: Running): Promise<Outcome | undefined> => {
    const { job, abort } = entry;
    const invocation = job.reattach || job.prepare === undefined ? job.invocation : await job.prepare();
    if ('status' in invocation) return invocation;
    const outputFile = job.harness.writesOutput === false ? undefined : await job.outputFile();
    if (abort.signal.aborted)
      return { status: 'cancelled', reason: entry.ending?.reason ?? 'ended before it was performed' };
    const attempt = attemptOf(run, job, { invocation, signal: abort.signal, outputFile });
    if (job.reattach) return await job.harness.reattach?.(attempt);
    // Without an outcome it would look like one that could not be taken up.
    return (
      (await job.harness.perform(attempt)) ?? {
        status: 'error',
        class: 'invalid-output',
        error: noOutcome(job.harnessName),
      }
    );
  };

  /** Its places are free again. */
  const leave = ({ job }: Running) => {
    running.delete(job.key);
    count(perGroup, job.group, -1);
    count(perHarness, job.harnessName, -1);
    count(loads, job.harnessName, -1);
  };

  const isIdle = () => running.size === 0 && busy === 0;
  const tellIdle = () => {
    if (isIdle()) for (const waiter of idleWaiters.splice(0)) waiter();
  };

  /**
   * Starts what has a place. There is a line per group and harness; each is kept in order, and one that started
   * something goes behind the others, so that a long line does not hold up a short one.
   */
  const fill = () => {
    // A line that is set again comes last, so that this loop meets it again: until no line has anything to start.
    for (const [name, line] of waiting) {
      if (paused || running.size >= concurrency) return;
      while (line.head < line.jobs.length && !waitingKeys.has((line.jobs[line.head] as Job).key)) line.head += 1;
      const job = line.jobs[line.head];
      if (job === undefined) {
        waiting.delete(name);
      } else if (hasPlace(job)) {
        line.head += 1;
        waitingKeys.delete(job.key);
        if (job.reattach || job.mayStart()) start(job);
        else count(loads, job.harnessName, -1);
        waiting.delete(name);
        if (line.head < line.jobs.length) waiting.set(name, line);
      }
      if (line.head > 1_024) {
        line.jobs.splice(0, line.head);
        line.head = 0;
      }
    }
  };

  const drop: Dispatcher['drop'] = (key, ending) => {
    const entry = running.get(key);
    if (entry === undefined) {
      const dropped = waitingKeys.get(key);
      if (dropped !== undefined) count(loads, dropped, -1);
      waitingKeys.delete(key);
      return false;
    }
    entry.ending ??= ending;
    entry.abort.abort(new Error(ending.reason));
    entry.told?.();
    return true;
  };

  return {
    add(job) {
      count(loads, job.harnessName, 1);
      const name = JSON.stringify([job.group, job.harnessName]);
      const line = waiting.get(name);
      if (line === undefined && hasPlace(job)) {
        start(job);
        return;
      }
      waitingKeys.set(job.key, job.harnessName);
      if (line === undefined) waiting.set(name, { jobs: [job], head: 0 });
      else line.jobs.push(job);
      job.queued();
    },
    drop,
    pause() {
      paused = true;
      for (const callOff of rateWakes.values()) callOff();
      rateWakes.clear();
    },
    dropAll(ending) {
      for (const key of running.keys()) drop(key, ending);
    },
    busyWith(work) {
      busy += 1;
      void work.then(() => {
        busy -= 1;
        tellIdle();
      });
    },
    idle: () => (isIdle() ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
    load: (harness) => loads.get(harness) ?? 0,
    get running() {
      return running.size;
    },
  };
}
