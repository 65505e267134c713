/** What a host is opened with: its bounds, its rules, and who it works with. */
import type { Clock } from '../clock.ts';
import type { FailureClass, Harnesses } from '../harness/port.ts';
import type { Worktrees } from '../harness/worktree/port.ts';
import type { Entry, Journal, Lease } from '../journal/port.ts';
import type { BreakerPolicy } from './breaker.ts';
import type { BudgetPolicy } from './budget.ts';
import type { Observer } from './observer.ts';
import type { OutputSchema } from './schema.ts';

/** Bounds and habits of a host (G7). Every one has a default. */
export interface HostSettings {
  /** Attempts at once on this host. Default 256. */
  readonly concurrency?: number;
  /** Entries of a group between two snapshots; more where a snapshot holds more. Default 5,000. */
  readonly snapshotEvery?: number;
  /** Largest outcome, signal or input, bytes of JSON. Default 1,000,000. */
  readonly payloadBytesMax?: number;
  /** Signals of one group that may wait for the journal at once. Default 10,000; over it is LIMIT. */
  readonly inboxMax?: number;
  /** Unread messages of one member. Default 1,000; over it is LIMIT for the sender. */
  readonly mailboxMax?: number;
  /** Messages of one sender in a minute. Default 1,000; over it is LIMIT. */
  readonly messagesPerMinuteMax?: number;
  /** Least time between two recorded progress reports of one member, ms. Default 1,000. */
  readonly progressEveryMs?: number;
  /** Attempts of one invocation that may be lost to crashes of the host before it is settled as INTERRUPTED. Default 100. */
  readonly interruptionsMax?: number;
  /** Groups in one run. Default 10,000. */
  readonly groupsMax?: number;
  /** Who makes worktrees for members that ask for `isolation: 'worktree'`. Default: nobody, and such members are refused. */
  readonly worktrees?: Worktrees;
}

/** Default of {@link HostSettings.payloadBytesMax}. */
export const payloadBytesMaxDefault = 1_000_000;

/** Who is asked, and for how much: a host's rules beside its bounds. */
export interface HostRules {
  /** The run's budget. Default: none. */
  readonly budget?: BudgetPolicy;
  /** Chains of harnesses to fall back to, by failure class; an invocation's own come first. */
  readonly fallback?: Readonly<Partial<Record<FailureClass, readonly string[]>>>;
  /** When a failing harness is left alone. */
  readonly breaker?: BreakerPolicy;
  /** Standard Schemas by the name that an invocation's `output` gives. */
  readonly schemas?: Readonly<Record<string, OutputSchema>>;
}

/** What a host is opened with. */
export interface HostOptions extends HostSettings, HostRules {
  readonly journal: Journal;
  readonly lease: Lease;
  readonly harnesses: Harnesses;
  /** Harness of invocations that name none and need nothing. */
  readonly defaultHarness?: string;
  readonly clock?: Clock;
  readonly observer?: Observer;
  /** False: nothing is performed here (an outside orchestrator does). Default true. */
  readonly performs?: boolean;
  /** Every entry that the process must see, once it is durable, in order. */
  readonly applied: (entry: Entry) => void;
}
