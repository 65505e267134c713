/**
 * Ending groups without their machines: what their ledgers say is under way is swept and recorded as cancelled. For
 * `troupe cancel` of a run that no host drives, and for groups that the process has not opened again.
 */
import { systemClock, type Clock } from '../clock.ts';
import { attemptKey } from '../group/attempt-key.ts';
import { streamOf } from '../group/fold.ts';
import { runStream, type Host } from '../group/host.ts';
import type { Ledger, StrayAttempt } from '../group/ledger.ts';
import type { Harnesses } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import type { Entry, Journal, JournalEvent, JournalStore } from '../journal/port.ts';
import { engineVersion } from '../version.ts';
import { checkWhere } from './check-config.ts';
import { emptyRun, foldRun, type RunEnd, type RunView } from './run-view.ts';

/** Reads a run's whole journal into a view; needs no lease. Codes: RUN_UNKNOWN, JOURNAL_CORRUPT, JOURNAL_FORMAT, JOURNAL_IO. */
export async function readRun(journal: Journal): Promise<RunView> {
  const view = emptyRun(journal.run);
  for await (const entries of journal.read()) for (const entry of entries) foldRun(view, entry);
  return view;
}

/** Sweeps what these ledgers say is under way, of ended groups too: their host may have died before it could. Ends those that are active. */
export async function cancelLedgers(
  held: { readonly journal: Journal; readonly epoch: number; readonly clock: Clock },
  ledgers: Iterable<Ledger>,
  harnesses: Harnesses,
  reason: string,
): Promise<void> {
  const { journal, epoch, clock } = held;
  for (const ledger of ledgers) {
    const at = clock.now();
    const events: JournalEvent[] = [];
    const push = (type: string, data: JsonValue) => events.push({ type, at, data });
    const isActive = ledger.status === 'active';
    if (isActive && ledger.cancelReason === undefined) push('group.cancelled', { reason });
    const left: StrayAttempt[] = [...ledger.strays];
    for (const { id: member, incarnation, attempt, status, harness } of ledger.members.values()) {
      if (status === 'running') left.push({ member, incarnation, attempt, harness });
    }
    for (const { member, incarnation, attempt, harness } of left) {
      await harnesses[harness]?.sweep?.(
        attemptKey(journal.run, ledger.name, { address: member, incarnation }, attempt),
      );
      push('attempt.cancelled', { member, incarnation, attempt, reason });
    }
    if (isActive) push('group.ended', { status: 'cancelled', reason });
    if (events.length === 0) continue;
    await journal.append(streamOf(ledger.name), ledger.seq, epoch, events);
  }
}

/** The reason of a cancellation that these entries say was begun. */
export function cancelReason(entries: readonly Entry[]): string | undefined {
  const entry = entries.find(({ stream, type }) => stream === runStream && type === 'run.cancelled');
  return (entry?.data as { readonly reason: string } | undefined)?.reason;
}

/** The rest of a cancellation that is recorded: ends the groups that the process has not opened here, and the run. */
export async function endCancelled(host: Host, harnesses: Harnesses, reason: string): Promise<RunEnd> {
  const { groups } = await readRun(host.journal);
  const unopened = [...groups.values()].filter(({ name }) => host.group(name) === undefined);
  await cancelLedgers(host, unopened, harnesses, reason);
  const end: RunEnd = { status: 'cancelled', reason };
  await host.record('run.ended', end as unknown as JsonValue);
  return end;
}

/**
 * Cancels a run that no host drives. Returns how the run ended: as cancelled now, or as it had ended before.
 * Codes: RUN_BUSY when a living host holds it, RUN_UNKNOWN, BAD_INPUT, JOURNAL_IO, JOURNAL_CORRUPT.
 */
export async function cancelRun(options: {
  readonly store: JournalStore;
  readonly run: string;
  readonly reason: string;
  readonly harnesses: Harnesses;
  readonly clock?: Clock;
}): Promise<RunEnd> {
  checkWhere('cancelRun', options, ['run', 'reason']);
  const { store, run, reason, harnesses, clock = systemClock } = options;
  const journal = await store.open(run);
  try {
    const { epoch, takenFrom } = await journal.lease();
    const view = await readRun(journal);
    if (view.end !== undefined) return view.end;
    let seq = 0;
    for await (const entries of journal.read(runStream)) seq += entries.length;
    const end: RunEnd = { status: 'cancelled', reason: view.cancelReason ?? reason };
    const at = clock.now();
    const took = { epoch, engine: engineVersion, ...(takenFrom === undefined ? {} : { takenFrom: { ...takenFrom } }) };
    const events: JournalEvent[] = [{ type: 'epoch.taken', at, data: took }];
    if (view.cancelReason === undefined) events.push({ type: 'run.cancelled', at, data: { reason } });
    await journal.append(runStream, seq, epoch, events);
    seq += events.length;
    await cancelLedgers({ journal, epoch, clock }, view.groups.values(), harnesses, end.reason);
    await journal.append(runStream, seq, epoch, [{ type: 'run.ended', at: clock.now(), data: end }]);
    return end;
  } finally {
    await journal.close();
  }
}
