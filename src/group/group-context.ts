/** What a living group needs of the host that drives it. */
import type { Clock } from '../clock.ts';
import type { FailureClass, Harnesses } from '../harness/port.ts';
import type { Worktrees } from '../harness/worktree/port.ts';
import type { Entry, Journal } from '../journal/port.ts';
import type { JsonValue } from '../json.ts';
import type { Bounds } from './bounds.ts';
import type { Breakers } from './breaker.ts';
import type { BudgetPolicy } from './budget.ts';
import type { Definition } from './definition.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Expectations } from './expected.ts';
import type { Ledger } from './ledger.ts';
import type { Observer } from './observer.ts';
import type { OutputSchema } from './schema.ts';
import type { Timers } from './timers.ts';

/** One per host. */
export interface GroupContext {
  readonly run: string;
  readonly journal: Journal;
  readonly epoch: number;
  readonly clock: Clock;
  /** When this host took the run, ms since 1970. */
  readonly openedAt: number;
  readonly timers: Timers;
  readonly dispatcher: Dispatcher;
  readonly harnesses: Harnesses;
  readonly defaultHarness: string | undefined;
  readonly observer: Required<Observer>;
  /** A snapshot is written after this many entries. */
  readonly snapshotEvery: number;
  /** Largest outcome or signal that is taken, bytes of JSON. */
  readonly payloadBytesMax: number;
  /** The run's budget. */
  readonly budget: BudgetPolicy | undefined;
  /** What stands in the books of each group, open or only recorded; kept when the run has a budget. */
  readonly ledgers: Map<string, Ledger>;
  /** Budgets of the run of which a warning was recorded: see `Ledger.warned`. */
  readonly warned: Set<string>;
  /** Attempts by group that were allowed and whose start is not recorded yet, and the first ones of members among them. */
  readonly granted: Map<string, { readonly attempts: number; readonly members: number }>;
  /** What attempts that were allowed are expected to use. */
  readonly expectations: Expectations;
  /** Each group's look at the run's budget: called when something was spent, where that is to stop what is under way. */
  readonly spendingLooks: Set<() => void>;
  readonly breakers: Breakers;
  /** Working copies of members' own; undefined where there are none. */
  readonly worktrees: Worktrees | undefined;
  /** Chains of harnesses to fall back to, by failure class. */
  readonly fallback: Readonly<Partial<Record<FailureClass, readonly string[]>>> | undefined;
  /** Schemas of outputs, by name. */
  readonly schemas: Readonly<Record<string, OutputSchema>>;
  /** Signals that may wait for the journal at once, per group. */
  readonly inboxMax: number;
  /** Unread messages that one member may have. */
  readonly mailboxMax: number;
  /** Messages that one sender may send in a minute. */
  readonly messagesPerMinuteMax: number;
  /** Least time between two recorded progress reports of one member, ms. */
  readonly progressEveryMs: number;
  /** Attempts of one invocation that may be lost to host crashes. */
  readonly interruptionsMax: number;
  /** False for an outside orchestrator: nothing is performed here, wants are listed instead. */
  readonly performs: boolean;
  /** Where a harness may write; trouble with it is the host's, and stops it. */
  sideFile(name: string): Promise<string | undefined>;
  /** Tells the observer what the journal has found since it was last asked. */
  tellNotices(): void;
  /** The journal failed, or a fold diverged: the host stops. */
  fatal(error: unknown): void;
}

/** What a group is opened with. */
export interface GroupOptions {
  readonly name: string;
  readonly definition: Definition;
  readonly input: JsonValue;
  /** Attempts at once. */
  readonly concurrency: number;
  readonly bounds: Bounds;
  readonly budget?: BudgetPolicy | undefined;
}

/** What stands in the journal of a group. */
export interface RecordedGroup {
  /** The entry that says which version folds what follows: its first, or its last `group.migrated`. Undefined for a new group. */
  readonly version: Entry | undefined;
  /** True when it has ended; background members may still go on. */
  hasEnded(): boolean;
  /** Its stream from this seq on, in batches. */
  read(fromSeq: number): AsyncIterable<readonly Entry[]>;
}
