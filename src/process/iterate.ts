/** One pass of a run for an outside orchestrator, which performs what the run waits for and says how that went. */
import { TroupeError } from '../error.ts';
import { unlessGivenUp } from '../group/give-up.ts';
import type { Group } from '../group/group.ts';
import type { Host } from '../group/host.ts';
import { timers } from '../group/system.ts';
import type { Outcome } from '../harness/port.ts';
import { cancelReason, endCancelled } from './cancel.ts';
import { checkSettlements } from './check-config.ts';
import { finish } from './finish.ts';
import { openHeld, passOver, type Opened, type RunOptions } from './held-run.ts';
import { openGates } from './outside.ts';
import type { Pass } from './pass.ts';
import type { RunEnd } from './run-view.ts';

/** What a run waits for: a member to be performed, an instant, an answer at a gate of its own, or a signal to a group that wants nothing else. */
export type Pending =
  | {
      readonly type: 'member';
      readonly group: string;
      readonly member: string;
      readonly incarnation: number;
      readonly invocation: unknown;
    }
  | { readonly type: 'sleep'; readonly until: number }
  | { readonly type: 'timer'; readonly dueAt: number }
  | { readonly type: 'gate'; readonly gate: string }
  | { readonly type: 'signal'; readonly group: string };

/** One pass over what is recorded. */
export type Iteration = RunEnd | { readonly status: 'waiting'; readonly pending: readonly Pending[] };

/** What an orchestrator says of one member. */
export interface Settlement {
  readonly group: string;
  readonly member: string;
  readonly outcome: Outcome;
}

/**
 * One pass for an outside orchestrator: folds what is recorded, settles what `settlements` brings, runs the process
 * function as far as it gets, performs nothing, and tells what the run waits for. Takes and releases the lease.
 * Codes: those of `openRun` and its `drive`, BAD_INPUT, UNKNOWN_GROUP, UNKNOWN_MEMBER.
 */
export async function iterate(
  options: RunOptions & { readonly settlements?: readonly Settlement[] },
): Promise<Iteration> {
  const { settlements = [] } = options;
  checkSettlements(settlements);
  const opened = await openHeld(options, false);
  const { host } = opened;
  const work = async (): Promise<Iteration> => {
    if (opened.end !== undefined) return opened.end;
    const cancelled = cancelReason(opened.entries);
    if (cancelled !== undefined) return await endCancelled(host, options.harnesses, cancelled);
    const current = passOver(opened, options);
    await current.settled();
    for (const { group: name, member, outcome } of settlements) {
      const group = await groupOf(host, current, name);
      if (group === undefined) {
        const known = [...host.groups()].map((one) => one.name).join(', ');
        throw new TroupeError(
          'UNKNOWN_GROUP',
          `run ${options.run} has no open group \`${name}\`; open groups: ${known || 'none'}.`,
        );
      }
      await group.settle(member, outcome);
      await current.settled();
    }
    const finished = finish(host, current, () => true);
    finished.catch(() => {});
    for (;;) {
      await current.settled();
      const over = current.over();
      if (over?.status === 'returned') {
        await unwantedOver(host, current);
        await current.settled();
      }
      const pending = pendingOf(opened, current);
      // What the function slept for, or asked, beside what it returned with, is waited for no more.
      if (over?.status === 'threw' || (over !== undefined && [...host.groups()].every(isOver))) return await finished;
      if (pending.length > 0) return { status: 'waiting', pending };
      // Nothing of ours: the function waits for something of its own (a file, a request).
      await current.stirred();
    }
  };
  try {
    return await Promise.race([work(), host.failure]);
  } finally {
    await host.close();
  }
}

/**
 * The open group of this name. A recorded one is waited for while it is not open yet: the function will open it again, and is first about
 * something of its own (a file, a request). One that has changed may never do so: it is given up then.
 */
async function groupOf(host: Host, current: Pass, name: string): Promise<Group | undefined> {
  const isAhead = () => host.recordedGroups.has(name) && host.group(name) === undefined && current.over() === undefined;
  const reached = async () => {
    while (isAhead()) {
      await current.stirred();
      await current.settled();
    }
  };
  if (isAhead()) await unlessGivenUp(host.clock, reached(), `group \`${name}\` was not opened again`).catch(() => {});
  return host.group(name);
}

const isOver = ({ ledger }: Group) => ledger.status !== 'active' && ledger.goingOn.size === 0;

/** Resolves when the groups that nobody waits for, which are being cancelled, have ended. */
async function unwantedOver(host: Host, current: Pass): Promise<void> {
  const unwanted = current.unwanted();
  await Promise.all([...host.groups()].filter(({ name }) => unwanted.has(name)).map((group) => group.over()));
}

function pendingOf({ host, gates }: Opened, current: Pass): readonly Pending[] {
  const pending: Pending[] = [];
  for (const { name, ledger, fold, ...group } of host.groups()) {
    const before = pending.length;
    for (const { address, incarnation, input } of group.wants()) {
      pending.push({ type: 'member', group: name, member: address, incarnation, invocation: input });
    }
    const waitsForTimer = fold.system !== undefined && timers(fold.system).length > 0;
    if (ledger.status === 'active' && pending.length === before && !waitsForTimer)
      pending.push({ type: 'signal', group: name });
  }
  for (const gate of openGates(gates())) pending.push({ type: 'gate', gate });
  const sleeping = new Set(current.sleeping());
  for (const until of sleeping) pending.push({ type: 'sleep', until });
  const dueAt = host.nextDueAt();
  if (dueAt !== undefined && !sleeping.has(dueAt)) pending.push({ type: 'timer', dueAt });
  return pending;
}
