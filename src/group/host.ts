/**
 * A host drives one run: it holds the lease, folds the streams, performs what they ask for, and is the only
 * one that writes.
 */
import { systemClock, type Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { Entry, Journal } from '../journal/port.ts';
import { breakers, learning } from './breaker.ts';
import { dispatcher } from './dispatcher.ts';
import { expectations } from './expected.ts';
import { streamOf } from './fold.ts';
import { unlessGivenUp } from './give-up.ts';
import { openGroup, type Group } from './group.ts';
import { emptyLedger, foldLedger, type Ledger } from './ledger.ts';
import type { GroupContext, GroupOptions } from './group-context.ts';
import { payloadBytesMaxDefault, type HostOptions } from './host-options.ts';
import { guarded } from './observer.ts';
import type { Stretch } from './outline.ts';
import { streamWriter } from './stream-writer.ts';
import { takeUp } from './take-up.ts';
import { timersOn } from './timers.ts';

/** The stream of the process itself. */
export const runStream = 'run';

/** A host that holds a run. */
export interface Host {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly epoch: number;
  /** Entries that were recorded before this host and are for the process, in journal order; see {@link Host.stretches}. */
  readonly recorded: readonly Entry[];
  /** What stands before the recorded entry of an index, or behind the last, and is not at hand. */
  readonly stretches: ReadonlyMap<number, Stretch>;
  /** Names of the groups that are recorded. */
  readonly recordedGroups: ReadonlySet<string>;
  /** Opens a group, or returns the one that is open. Codes: see {@link openGroup}, LIMIT. */
  open(options: GroupOptions): Promise<Group>;
  group(name: string): Group | undefined;
  groups(): Iterable<Group>;
  /** Resolves, to all groups, when none is being opened. */
  allOpened(): Promise<readonly Group[]>;
  /** From now on no further group is opened: {@link Host.open} of a new name stays pending. */
  seal(): void;
  /** Appends to the run's own stream. */
  record(type: string, data: JsonValue): Promise<Entry>;
  /** Calls back at `dueAt`; returns how to call it off. */
  wakeAt(dueAt: number, callback: () => void): () => void;
  /** When the next timer, retry or sleep is due; undefined when none waits. */
  nextDueAt(): number | undefined;
  /** Rejects when the host must stop (journal failed, lease lost, replay diverged); never resolves. */
  readonly failure: Promise<never>;
  /** Stops the host as `failure`. */
  fail(error: unknown): void;
  /** True once it must stop. */
  hasFailed(): boolean;
  /** Resolves when no attempt is under way, nothing is swept, and nothing waits to be written. */
  idle(): Promise<void>;
  /** Starts nothing more, ends attempts under way (they are made again after a resume); resolves when all have ended and are recorded. */
  stop(reason: string): Promise<void>;
  /** Waits for what is being written, writes snapshots, releases the lease. Safe to call twice. */
  close(): Promise<void>;
}

const visibleTypes = new Set(['checkpoint', 'gate.answered', 'group.ended', 'member.settled', 'message', 'signal']);

/** True for what the driver of the process must see again, in order. */
export const isForProcess = ({ stream, type }: Entry) => stream === runStream || visibleTypes.has(type);

/** Takes up a run. Codes: JOURNAL_CORRUPT, JOURNAL_FORMAT, JOURNAL_IO. */
export async function openHost(options: HostOptions): Promise<Host> {
  const { journal, lease, clock = systemClock } = options;
  const observer = guarded(options.observer);
  const groups = new Map<string, Promise<Group>>();
  const open = new Map<string, Group>();
  const timers = timersOn(clock);
  const jobs = dispatcher({ run: journal.run, concurrency: options.concurrency ?? 256, clock });
  const groupsMax = options.groupsMax ?? 10_000;

  let failed: { readonly error: unknown } | undefined;
  let isClosed = false;
  let isSealed = false;
  let reject: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, rejectFailure) => {
    reject = rejectFailure;
  });
  failure.catch(() => {});
  const fail = (error: unknown) => {
    // What comes too late to be written is made again by the next host.
    if (failed !== undefined || isClosed) return;
    failed = { error };
    jobs.pause();
    jobs.dropAll({ type: 'host-stopped', reason: error instanceof Error ? error.message : String(error) });
    reject(error);
  };

  const circuits = breakers(options.breaker);
  const learned = learning(circuits, (name) => options.harnesses[name]?.hasCircuit !== false);
  const ledgers = new Map<string, Ledger>();
  const warned = new Set<string>();
  /** What is recorded counts against the run's budget, whether or not its group is open yet. */
  const countIn = (entry: Entry) => {
    if (options.budget === undefined) return;
    const name = entry.stream.slice(streamOf('').length);
    const ledger = ledgers.get(name) ?? emptyLedger(name);
    ledgers.set(name, ledger);
    foldLedger(ledger, entry);
    for (const one of ledger.warned) warned.add(one);
  };

  const applied = (entry: Entry) => {
    learned.take(entry);
    observer.entry(entry);
    // Exactly what a later iteration sees again: else its time, or its order, would differ.
    taken.seen(entry);
    if (isForProcess(entry)) options.applied(entry);
  };
  let noticesTold = 0;
  const tellNotices = () => {
    const notices = journal.notices();
    for (const notice of notices.slice(noticesTold)) observer.notice(notice);
    noticesTold = notices.length;
  };
  lease.onLost?.(fail);
  const writer = streamWriter({ journal, epoch: lease.epoch, stream: runStream, clock, apply: applied, fatal: fail });

  // A budget counts what every attempt has spent, and wants to see all entries.
  const mayOutline = options.budget === undefined;
  const taken = await takeUp({
    journal,
    learned,
    mayOutline,
    isForProcess,
    ofRun(entry) {
      writer.replayed(entry);
      observer.replayed(entry);
    },
    ofGroup: countIn,
  });
  const { recorded, stretches, recordedGroups } = taken;
  tellNotices();

  const context: GroupContext = {
    run: journal.run,
    journal,
    epoch: lease.epoch,
    clock,
    openedAt: clock.now(),
    timers,
    dispatcher: jobs,
    harnesses: options.harnesses,
    defaultHarness: options.defaultHarness,
    observer: { ...observer, entry: applied },
    budget: options.budget,
    ledgers,
    warned,
    granted: new Map(),
    expectations: expectations(),
    spendingLooks: new Set(),
    breakers: circuits,
    worktrees: options.worktrees,
    fallback: options.fallback,
    schemas: options.schemas ?? {},
    snapshotEvery: options.snapshotEvery ?? 5_000,
    payloadBytesMax: options.payloadBytesMax ?? payloadBytesMaxDefault,
    inboxMax: options.inboxMax ?? 10_000,
    mailboxMax: options.mailboxMax ?? 1_000,
    messagesPerMinuteMax: options.messagesPerMinuteMax ?? 1_000,
    progressEveryMs: options.progressEveryMs ?? 1_000,
    interruptionsMax: options.interruptionsMax ?? 100,
    performs: options.performs ?? true,
    async sideFile(name) {
      try {
        return await journal.sideFile(name);
      } catch (error) {
        fail(error);
        throw error;
      }
    },
    tellNotices,
    fatal: fail,
  };

  const idle = async () => {
    await jobs.idle();
    await Promise.all([...open.values()].map((group) => group.idle()));
    await writer.idle();
  };

  /** The lease is not kept for one that never ends. */
  const closeHarnesses = () =>
    Promise.all(
      Object.entries(options.harnesses).map(async ([name, harness]) => {
        try {
          if (harness.close !== undefined)
            await unlessGivenUp(clock, harness.close(), `harness \`${name}\` did not close`);
        } catch {}
      }),
    );

  let closing: Promise<void> | undefined;
  const closeAll = async () => {
    jobs.pause();
    jobs.dropAll({ type: 'host-stopped', reason: 'host closed' });
    await jobs.idle();
    timers.close();
    await Promise.allSettled(groups.values());
    await Promise.all([...open.values()].map((group) => group.idle()));
    await writer.idle();
    if (failed === undefined) await Promise.allSettled([...open.values()].map((group) => group.snapshot()));
    if (context.performs) await closeHarnesses();
    if (failed === undefined) taken.keepOutline();
    isClosed = true;
    await journal.close();
  };

  return {
    journal,
    clock,
    epoch: lease.epoch,
    recorded,
    stretches,
    recordedGroups,
    open(groupOptions) {
      const { name } = groupOptions;
      const known = groups.get(name);
      if (known !== undefined) return known;
      if (isSealed) return new Promise(() => {});
      if (groups.size >= groupsMax) {
        return Promise.reject(
          new TroupeError(
            'LIMIT',
            `expected at most ${groupsMax} groups in a run (groupsMax), and \`${name}\` is one more.`,
          ),
        );
      }
      const opening = openGroup(context, groupOptions, taken.group(streamOf(name))).then((group) => {
        open.set(name, group);
        return group;
      });
      groups.set(name, opening);
      return opening;
    },
    group: (name) => open.get(name),
    groups: () => open.values(),
    async allOpened() {
      for (let count = -1; count !== groups.size;) {
        count = groups.size;
        await Promise.allSettled(groups.values());
      }
      return [...open.values()];
    },
    seal() {
      isSealed = true;
    },
    record: (type, data) => writer.record(type, data),
    wakeAt: (dueAt, callback) => timers.set(dueAt, callback),
    nextDueAt: () => timers.nextDueAt(),
    failure,
    fail,
    hasFailed: () => failed !== undefined,
    idle,
    async stop(reason) {
      jobs.pause();
      jobs.dropAll({ type: 'host-stopped', reason });
      await idle();
    },
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}
