/**
 * Trying a failed member once more. A settlement stays as it is (G4) and what has ended stays ended, so a retry is a new run:
 * a fork that ends just before the member's settlement, in which its last attempt is followed by another one.
 */
import { systemClock, type Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import type { GroupEvents } from '../group/entries.ts';
import { streamOf } from '../group/fold.ts';
import type { JsonValue } from '../json.ts';
import type { Fork, Journal, JournalEvent, JournalStore } from '../journal/port.ts';
import { nearest } from '../nearest.ts';
import { readRun } from './cancel.ts';
import { checkWhere } from './check-config.ts';
import { forkRun, underFreeName } from './fork.ts';
import { emptyRun, foldRun, type RunView } from './run-view.ts';

/** What {@link retryRun} needs. */
export interface RetryRunOptions {
  readonly store: JournalStore;
  readonly run: string;
  /** Needed where members of this name failed in several groups. */
  readonly group?: string;
  /** Address of a member that has failed. */
  readonly member: string;
  /** Id of the new run. Default `<run>-retry-<n>`, the first that is free. */
  readonly as?: string;
  readonly clock?: Clock;
}

/** A run in which a member is tried again when it is opened. */
export interface Retry extends Fork {
  readonly group: string;
  readonly member: string;
  /** Number of the attempt that failed. */
  readonly attempt: number;
}

type Settled = GroupEvents['member.settled'];

interface Settlement {
  readonly group: string;
  /** Of its entry: 1-based, over all streams. */
  readonly position: number;
  readonly data: Settled;
}

/** Makes the new run; performs nothing. Codes: UNKNOWN_GROUP, UNKNOWN_MEMBER, BAD_INPUT (it did not fail), and those of {@link forkRun}. */
export async function retryRun(options: RetryRunOptions): Promise<Retry> {
  checkWhere('retryRun', options, ['run', 'member']);
  const { store, run, member, as, clock = systemClock } = options;
  const { group, position, data } = await failureOf(options);
  const at = position - 1;
  const fork = (name: string) => forkRun({ store, from: run, at, as: name });
  const made = as === undefined ? await underFreeName(store, run, 'retry', fork) : await fork(as);
  const before = made.entries < at ? await entriesBetween(store, run, made.entries, at) : [];
  await letFollow(store, made.as, { group, data, before, clock });
  return { ...made, entries: made.entries + before.length, group, member, attempt: data.attempt };
}

/** What stands before the settlement in its append, which a fork copies whole or not at all: whoever settled there is not performed again. */
async function entriesBetween(
  store: JournalStore,
  run: string,
  from: number,
  to: number,
): Promise<readonly JournalEvent[]> {
  const journal = await store.open(run);
  const found: JournalEvent[] = [];
  try {
    let position = 0;
    for await (const entries of journal.read()) {
      for (const { type, at, data, fold } of entries) {
        if (position >= from && position < to) found.push({ type, at, data, ...(fold === undefined ? {} : { fold }) });
        position += 1;
      }
      if (position >= to) break;
    }
  } finally {
    await journal.close();
  }
  return found;
}

/** The settlement that is to be another. */
async function failureOf({ store, run, group, member }: RetryRunOptions): Promise<Settlement> {
  const journal = await store.open(run);
  const view = emptyRun(run);
  const settlements = new Map<string, Settlement>();
  try {
    let position = 0;
    for await (const entries of journal.read()) {
      for (const entry of entries) {
        position += 1;
        foldRun(view, entry);
        if (entry.type !== 'member.settled') continue;
        const data = entry.data as unknown as Settled;
        if (data.member !== member) continue;
        const name = entry.stream.slice(streamOf('').length);
        settlements.set(name, { group: name, position, data });
      }
    }
  } finally {
    await journal.close();
  }
  const groups = groupsWith(view, group, member);
  const failed = groups.flatMap((name) => {
    const settlement = settlements.get(name);
    return settlement?.data.outcome.status === 'error' && isLast(view, settlement) ? [settlement] : [];
  });
  const [only] = failed;
  if (only === undefined) {
    const stands = groups.map(
      (name) => `it is ${view.groups.get(name)?.members.get(member)?.status} in group \`${name}\``,
    );
    throw new TroupeError(
      'BAD_INPUT',
      `member \`${member}\` of run ${run} did not fail: ${stands.join(', ')}. Only what has failed is tried again.`,
      { run, member },
    );
  }
  if (failed.length > 1) {
    const names = failed.map((one) => one.group);
    throw new TroupeError(
      'BAD_INPUT',
      `members \`${member}\` failed in several groups of run ${run}: ${names.join(', ')}. Say which one: group (--group).`,
      { run, member, groups: names },
    );
  }
  return only;
}

/** A member that was spawned again under its name since then is another one. */
function isLast({ groups }: RunView, { group, data }: Settlement): boolean {
  return groups.get(group)?.members.get(data.member)?.incarnation === data.incarnation;
}

/** Names of the groups that have such a member. */
function groupsWith(view: RunView, group: string | undefined, member: string): readonly string[] {
  const ledgers = [...view.groups.values()];
  if (group !== undefined && !view.groups.has(group)) {
    const names = ledgers.map(({ name }) => name);
    throw new TroupeError(
      'UNKNOWN_GROUP',
      `run ${view.id} has no group \`${group}\`. ${hint(group, names, 'Groups')}`,
      { run: view.id, group },
    );
  }
  const searched = group === undefined ? ledgers : ledgers.filter(({ name }) => name === group);
  const having = searched.filter(({ members }) => members.has(member)).map(({ name }) => name);
  if (having.length > 0) return having;
  const names = [...new Set(searched.flatMap(({ members }) => [...members.keys()]))];
  throw new TroupeError(
    'UNKNOWN_MEMBER',
    `run ${view.id} has no member \`${member}\`${group === undefined ? '' : ` in group \`${group}\``}. ${hint(member, names, 'Members')}`,
    { run: view.id, member },
  );
}

const namedMax = 10;

function hint(name: string, names: readonly string[], noun: string): string {
  const near = nearest(name, names).map((one) => `\`${one}\``);
  if (near.length > 0) return `Did you mean ${near.join(' or ')}?`;
  const more = names.length > namedMax ? ` and ${names.length - namedMax} more` : '';
  return `${noun}: ${names.slice(0, namedMax).join(', ') || 'none'}${more}.`;
}

/**
 * In the fork the attempt is under way: its failure is recorded as one that another attempt follows, whether or not the member may be
 * restarted. `before`: entries of the group that come first.
 */
async function letFollow(
  store: JournalStore,
  run: string,
  {
    group,
    data: { outcome, ...settled },
    before,
    clock,
  }: {
    readonly group: string;
    readonly data: Settled;
    readonly before: readonly JournalEvent[];
    readonly clock: Clock;
  },
): Promise<void> {
  if (outcome.status !== 'error') return;
  const journal: Journal = await store.open(run);
  try {
    const { epoch } = await journal.lease();
    const ledger = (await readRun(journal)).groups.get(group);
    const record = ledger?.members.get(settled.member);
    const isUnderWay =
      record?.status === 'running' && record.incarnation === settled.incarnation && record.attempt === settled.attempt;
    const events = [...before];
    // Else the cut went back to before its start: it is made, as the first one was.
    if (isUnderWay) {
      const at = clock.now();
      const { class: failureClass, error, usage } = outcome;
      const used = usage === undefined ? {} : { usage };
      const { member, incarnation, attempt } = settled;
      const data: GroupEvents['attempt.failed'] = {
        member,
        incarnation,
        attempt,
        class: failureClass,
        error,
        retryAt: at,
        ...used,
      };
      events.push({ type: 'attempt.failed', at, data: data as unknown as JsonValue });
    }
    if (events.length > 0) await journal.append(streamOf(group), ledger?.seq ?? 0, epoch, events);
  } finally {
    await journal.close();
  }
}
