/**
 * A group's attempts: from what the fold wants to what the world did.
 *
 * - G2: an attempt is performed after its `attempt.started` is durable.
 * - G4: at most one outcome of one attempt becomes `member.settled`; the key handed to the harness names the attempt.
 * - After a crash every attempt that was started and not ended is reconciled: {@link Attempts.reconcile}. What it left
 *   running is ended before its end is recorded, so that of an attempt that has ended in the journal nothing runs,
 *   whenever the next host dies.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import type { Rejection } from '../harness/route.ts';
import type { FailureClass, Harness, Invocation, Outcome, PlainError, Usage } from '../harness/port.ts';
import { plainError } from '../harness/plain-error.ts';
import type { BudgetPolicy } from './budget.ts';
import { checkedOutcome } from './checked-outcome.ts';
import type { Ending, Job } from './dispatcher.ts';
import type { ActorKey } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import type { GroupContext } from './group-context.ts';
import { parseInvocation } from './invocation.ts';
import type { GroupFold } from './fold.ts';
import { interruptedCode, type MemberRecord, type StrayAttempt } from './ledger.ts';
import { attempted, livingKey, type Living, type Push, type Want } from './living.ts';
import type { Mail } from './mail.ts';
import { mailboxOf } from './mailbox.ts';
import { permitsOf } from './permits.ts';
import type { Post } from './post.ts';
import { progressReports } from './progress-reports.ts';
import { checkOutput } from './schema.ts';
import { retryDelayMs } from './retry.ts';

/** What {@link attemptsOf} needs. */
export interface AttemptsOptions {
  readonly context: GroupContext;
  readonly group: string;
  /** Attempts at once. */
  readonly concurrency: number;
  readonly push: Push;
  readonly fold: GroupFold;
  readonly post: Post;
  readonly budget: BudgetPolicy | undefined;
}

/** A harness and its name. */
interface Choice {
  readonly name: string;
  readonly harness: Harness;
}

/** The attempts of one group. */
export interface Attempts {
  /** The fold wants this member: makes its first attempt. */
  want(want: Want): void;
  /** The fold wants it no longer: ends its attempt. */
  drop(key: ActorKey, reason: string): void;
  /** After replay: `wants` are all members wanted now. Takes up, makes again, or gives up what an earlier host left. */
  reconcile(wants: Iterable<Want>): void;
  /** The budget's gate was answered. */
  answered(): void;
  /** Mail has come for a member. */
  arrived(mail: Mail, key: ActorKey): void;
  /** An outside orchestrator's outcome. */
  settle(want: Want, outcome: Outcome): void;
}

/** The idempotency key of one attempt (G4): `<run>/<group>/<member>#<incarnation>/<attempt>`. */
export function attemptKey(run: string, group: string, { address, incarnation }: ActorKey, attempt: number): string {
  return `${run}/${group}/${address}#${incarnation}/${attempt}`;
}

/** The bookkeeping of one group's attempts. */
export function attemptsOf({ context, group, concurrency, push, fold, post, budget }: AttemptsOptions): Attempts {
  const ledger = () => fold.ledger;
  const { run, clock, timers, dispatcher, journal, payloadBytesMax } = context;
  const living = new Map<string, Living>();

  const keyOfAttempt = (key: ActorKey, number: number) => attemptKey(run, group, key, number);
  const isLiving = (member: Living) => living.get(livingKey(member)) === member;
  const recordOf = (key: ActorKey): MemberRecord | undefined => {
    const record = ledger().members.get(key.address);
    return record?.incarnation === key.incarnation ? record : undefined;
  };
  const permits = permitsOf({ context, group, budget, push, ledger, recordOf });
  const reports = progressReports({ context, group, push, isLiving });
  const harnessOf = (name: string) => (Object.hasOwn(context.harnesses, name) ? context.harnesses[name] : undefined);
  const sweep = async (harness: string, key: string) => harnessOf(harness)?.sweep?.(key);

  const forget = (member: Living) => {
    living.delete(livingKey(member));
    permits.forget(member);
    member.cancelRetry?.();
    reports.end(member);
  };

  const settled = (member: Living, outcome: GroupEvents['member.settled']['outcome']) => {
    forget(member);
    push('member.settled', { ...attempted(member), outcome });
  };

  /** A failure of the attempt's own: again, or the end. */
  const failed = (member: Living, failureClass: FailureClass, error: PlainError, usage?: Usage) => {
    const used = usage === undefined ? {} : { usage };
    const failures = (recordOf(member)?.failures ?? 0) + 1;
    const delayMs = permits.hasFallback(member, failureClass)
      ? 0
      : retryDelayMs(member.input.retry, failures, failureClass, keyOfAttempt(member, member.attempt));
    if (delayMs === undefined) settled(member, { status: 'error', class: failureClass, error, ...used });
    else again(member, failureClass, error, clock.now() + delayMs, usage);
  };

  const again = (member: Living, failureClass: FailureClass, error: PlainError, retryAt: number, usage?: Usage) => {
    member.phase = 'waiting';
    push('attempt.failed', { ...attempted(member), class: failureClass, error, retryAt, ...(usage === undefined ? {} : { usage }) }, () => retry(member, retryAt));
  };

  const retry = (member: Living, retryAt: number) => {
    if (!isLiving(member)) return;
    member.phase = 'waiting';
    // An outside orchestrator makes the next attempt whenever it settles the member again.
    if (!context.performs) {
      member.attempt += 1;
      return;
    }
    pause(member, retryAt, () => {
      member.attempt += 1;
      attempt(member);
    });
  };

  /** Waits, and is called off when the member is wanted no longer. */
  const pause = (member: Living, until: number, then: () => void) => {
    member.phase = 'waiting';
    member.cancelRetry = timers.set(until, () => {
      member.cancelRetry = undefined;
      then();
    });
  };

  /** Makes an attempt, or takes up (`reattach`: by this harness) the one that an earlier host started. */
  const attempt = (member: Living, reattach?: Choice) => {
    let invocation: Invocation;
    let choice: Choice;
    let outputName: string;
    let told: { readonly why?: string; readonly rejected?: readonly Rejection[] } = {};
    try {
      invocation = parseInvocation(member.input, member.address);
      refuseUnknownSchema(member);
      if (!context.performs) return;
      const allowed = reattach === undefined ? permits.ask(member, invocation) : undefined;
      if (reattach === undefined && allowed === undefined) return;
      if (allowed !== undefined && 'until' in allowed) {
        pause(member, allowed.until, () => attempt(member));
        return;
      }
      const name = reattach?.name ?? allowed?.harness ?? '';
      choice = reattach ?? { name, harness: context.harnesses[name] as Harness };
      if (allowed !== undefined) told = allowed.rejected.length > 0 ? { why: allowed.why, rejected: allowed.rejected } : { why: allowed.why };
      outputName = `${encodeURIComponent(group)}/${encodeURIComponent(member.address)}.${member.incarnation}.${member.attempt}.log`;
    } catch (error) {
      settled(member, { status: 'error', class: 'refused', error: plainError(error) });
      return;
    }
    const open = mailboxOf({ context, member, attempt: member.attempt, fold, post, push });
    member.mailbox = open;
    const job: Job = {
      group,
      member: member.address,
      incarnation: member.incarnation,
      attempt: member.attempt,
      key: keyOfAttempt(member, member.attempt),
      invocation,
      harnessName: choice.name,
      harness: choice.harness,
      groupConcurrency: concurrency,
      reattach: reattach !== undefined,
      outputFile: async () => {
        try {
          return await journal.sideFile(outputName);
        } catch (error) {
          // The disk's trouble is the host's, not the member's.
          if (isTroupeError(error)) context.fatal(error);
          throw error;
        }
      },
      queued: () => {
        // What waits to be taken up goes on counting as running.
        if (reattach === undefined) push('attempt.queued', { ...attempted(member), harness: choice.name, ...told });
      },
      started: (durable, lost) => {
        // What ends within the interval is told by its settlement alone.
        reports.begin(member);
        if (reattach !== undefined) durable();
        else {
          const data = { ...attempted(member), harness: choice.name, outputFile: outputName, ...told };
          push('attempt.started', data, () => (permits.used(member), durable()), lost);
        }
      },
      progress: (progress) => reports.report(member, progress),
      mailbox: open.mailbox,
      ended: (outcome, ending) => ended(member, outcome, ending),
    };
    member.phase = 'dispatched';
    dispatcher.add(job);
  };

  const ended = (member: Living, outcome: Outcome | undefined, ending: Ending | undefined) => {
    member.phase = 'idle';
    member.mailbox?.close();
    member.mailbox = undefined;
    reports.end(member);
    const checked = outcome === undefined ? undefined : checkedOutcome(outcome, member.address, payloadBytesMax);
    const used = checked !== undefined && 'usage' in checked && checked.usage !== undefined ? { usage: checked.usage } : {};
    // Wanted no longer: also when it was being ended for another reason before.
    const dropped = ending?.type === 'dropped' ? ending.reason : isLiving(member) ? undefined : (ledger().cancelReason ?? 'stopped by the coordinator');
    if (dropped !== undefined) {
      push('attempt.cancelled', { ...attempted(member), reason: dropped, ...used });
      if (checked?.status === 'ok') {
        push('letter.dead', { to: '', from: member.address, letter: checked.output, reason: `result came after: ${dropped}` });
      }
    } else if (checked?.status === 'ok') {
      succeeded(member, checked);
    } else if (ending?.type === 'host-stopped') {
      push('attempt.cancelled', { ...attempted(member), reason: ending.reason, again: true, ...used });
    } else if (ending?.type === 'interrupted') {
      push('attempt.cancelled', { ...attempted(member), reason: ending.reason, again: true, ...used }, () => {
        if (!isLiving(member)) return;
        member.attempt += 1;
        attempt(member);
      });
    } else if (ending?.type === 'timed-out') {
      failed(member, 'timeout', { name: 'TimeoutError', message: `member \`${member.address}\` ${ending.reason}`, code: 'TIMEOUT' }, used.usage);
    } else if (checked === undefined) {
      const record = recordOf(member);
      if (record !== undefined) interrupted(member, record);
    } else if (checked.status === 'cancelled') {
      failed(member, 'failed', { name: 'CancelledError', message: checked.reason });
    } else {
      failed(member, checked.class, checked.error, checked.usage);
    }
  };

  /** Before anything is spent on it. */
  const refuseUnknownSchema = ({ address, input: { output } }: Living) => {
    if (output === undefined || Object.hasOwn(context.schemas, output)) return;
    const known = Object.keys(context.schemas).join(', ') || 'none';
    throw new TroupeError('BAD_INPUT', `member \`${address}\`: expected \`output\` to name a schema of the run (${known}), got \`${output}\`.`);
  };

  /** The output counts when it meets its schema. */
  const succeeded = (member: Living, outcome: Extract<Outcome, { readonly status: 'ok' }>) => {
    const schema = context.schemas[member.input.output ?? ''];
    if (member.input.output === undefined || schema === undefined) return settled(member, outcome);
    const checking = checkOutput(schema, outcome.output, `output of member \`${member.address}\``).then((checked) => {
      if (!isLiving(member)) push('attempt.cancelled', { ...attempted(member), reason: 'no longer wanted' });
      else if ('output' in checked) {
        const { usage } = outcome;
        // A schema may have made something larger of it.
        const passed = checkedOutcome({ ...outcome, output: checked.output }, member.address, payloadBytesMax);
        if (passed.status === 'error') failed(member, passed.class, passed.error, usage);
        else if (passed.status === 'ok') settled(member, passed);
      }
      else failed(member, 'invalid-output', { name: 'InvalidOutput', code: 'SCHEMA', message: checked.problem }, outcome.usage);
    });
    dispatcher.busyWith(checking);
  };

  const live = (want: Want, attemptNumber: number): Living => {
    const member: Living = {
      ...want,
      attempt: attemptNumber,
      phase: 'idle',
      cancelRetry: undefined,
      granted: 0,
      mailbox: undefined,
      progress: { last: 0, waiting: undefined, cancel: undefined },
    };
    living.set(livingKey(want), member);
    return member;
  };

  const interruption = (member: Living): PlainError => ({
    name: 'InterruptedError',
    message: `attempt ${member.attempt} of member \`${member.address}\` was under way when its host ended`,
    code: interruptedCode,
  });
  const mayRestart = (member: Living) => member.input.restartable ?? true;

  /**
   * Started by a host that is gone, and not ended: again if the member allows it, else for the coordinator to decide.
   * What it left is ended first, so that `attempt.failed` says that nothing of the attempt runs any more, and a crash
   * meanwhile begins here again.
   */
  const interrupted = (member: Living, record: MemberRecord) => {
    const error = interruption(member);
    member.phase = 'sweeping';
    const swept = (cause?: unknown) => {
      if (!isLiving(member)) {
        push('attempt.cancelled', { ...attempted(member), reason: 'no longer wanted' });
      } else if (cause !== undefined) {
        settled(member, { status: 'error', class: 'crashed', error: { ...error, cause: plainError(cause) } });
      } else if (mayRestart(member) && record.interruptions < context.interruptionsMax) {
        again(member, 'crashed', error, clock.now());
      } else {
        settled(member, { status: 'error', class: 'crashed', error });
      }
    };
    dispatcher.busyWith(sweep(record.harness, keyOfAttempt(member, record.attempt)).then(() => swept(), swept));
  };

  const reconcileOne = (want: Want) => {
    const record = recordOf(want);
    const isBetween = record?.status === 'interrupted' || record?.status === 'waiting';
    const member = live(want, record?.attempt ?? 1);
    if (!context.performs) {
      if (record === undefined) attempt(member);
      if (isBetween) member.attempt += 1;
      if (isBetween) member.phase = 'waiting';
    } else if (record === undefined || record.status === 'queued') {
      attempt(member);
    } else if (record.status === 'waiting') {
      retry(member, record.retryAt ?? 0);
    } else if (record.status === 'interrupted') {
      if (!mayRestart(member)) {
        settled(member, { status: 'error', class: 'crashed', error: interruption(member) });
        return;
      }
      member.attempt += 1;
      attempt(member);
    } else {
      const harness = harnessOf(record.harness);
      if (harness?.reattach === undefined) interrupted(member, record);
      else attempt(member, { name: record.harness, harness });
    }
  };

  /** Begun, never ended, and wanted no longer: swept and recorded, so that nothing dangles. */
  const sweepUnwanted = ({ member, incarnation, attempt: number, harness }: StrayAttempt) => {
    const done = () => push('attempt.cancelled', { member, incarnation, attempt: number, reason: 'no longer wanted' });
    dispatcher.busyWith(sweep(harness, keyOfAttempt({ address: member, incarnation }, number)).then(done, done));
  };

  return {
    want: (want) => attempt(live(want, 1)),
    drop(key, reason) {
      const member = living.get(livingKey(key));
      if (member === undefined) return;
      const { phase } = member;
      forget(member);
      const isUnderWay = phase === 'dispatched' && dispatcher.drop(keyOfAttempt(key, member.attempt), { type: 'dropped', reason });
      // What is under way, or being swept, is recorded when it has ended.
      if (phase === 'waiting' || (phase === 'dispatched' && !isUnderWay)) push('attempt.cancelled', { ...attempted(member), reason });
    },
    reconcile(wants) {
      const wanted = new Set<string>();
      for (const want of wants) {
        wanted.add(livingKey(want));
        reconcileOne(want);
      }
      if (!context.performs) return;
      const { members, strays } = ledger();
      for (const stray of strays) sweepUnwanted(stray);
      for (const { id: member, incarnation, attempt: number, harness, status } of members.values()) {
        if (wanted.has(livingKey({ address: member, incarnation }))) continue;
        if (status === 'running') sweepUnwanted({ member, incarnation, attempt: number, harness });
        else if (status === 'queued' || status === 'waiting' || status === 'interrupted') {
          push('attempt.cancelled', { member, incarnation, attempt: number, reason: 'no longer wanted' });
        }
      }
    },
    answered() {
      for (const member of permits.release()) if (isLiving(member)) attempt(member);
    },
    arrived(mail, key) {
      const member = living.get(livingKey(key));
      if (member?.mailbox?.arrived(mail) !== true || !mayRestart(member)) return;
      const reason = `interrupted by message ${mail.id} (${mail.type}) from ${mail.from}`;
      if (recordOf(key)?.status === 'running') dispatcher.drop(keyOfAttempt(key, member.attempt), { type: 'interrupted', reason });
    },
    settle(want, outcome) {
      const member = living.get(livingKey(want));
      if (member !== undefined) ended(member, outcome, undefined);
    },
  };
}
