/**
 * A group's attempts: from what the fold wants to what the world did.
 *
 * - G2: an attempt is performed after its `attempt.started` is durable.
 * - G4: at most one outcome of one attempt becomes `member.settled`; the key handed to the harness names the attempt.
 * - After a crash every attempt that was started and not ended is reconciled: {@link Attempts.reconcile}. What it left
 *   running is ended before its end is recorded, so that of an attempt that has ended in the journal nothing runs,
 *   whenever the next host dies.
 */
import type { Rejection } from '../harness/route.ts';
import type { FailureClass, Harness, Invocation, Outcome, PlainError, Progress, Usage } from '../harness/port.ts';
import { plainError } from '../harness/plain-error.ts';
import { actorKeyText } from './address.ts';
import { pushEndOf, withTold } from './attempt-end.ts';
import { attemptKey } from './attempt-key.ts';
import type { Attempts, AttemptsOptions } from './attempts-port.ts';
import { checkedBySchema, refuseUnknownSchema } from './checked-by-schema.ts';
import { checkedOutcome, checkedProgress } from './checked-outcome.ts';
import type { Ending, Job } from './dispatcher.ts';
import type { ActorKey } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import { parseInvocation } from './invocation.ts';
import { endLeftovers } from './leftovers.ts';
import { interruption } from './interruption.ts';
import type { MemberRecord } from './ledger.ts';
import { attempted, type Living } from './living.ts';
import { lazyMailboxOf } from './mailbox.ts';
import { permitsOf } from './permits.ts';
import { reportsOf } from './reports.ts';
import { retryDelayMs } from './retry.ts';
import { succession } from './succession.ts';
import { swept } from './swept.ts';
import type { Want } from './system.ts';

/** A harness and its name. */
interface Choice {
  readonly name: string;
  readonly harness: Harness;
}

const spent = (usage: Usage | undefined) => (usage === undefined ? {} : { usage });

/** The bookkeeping of one group's attempts. */
export function attemptsOf(options: AttemptsOptions): Attempts {
  const { context, group, concurrency, push, fold, post, worktrees, gates, budget } = options;
  const ledger = () => fold.ledger;
  const { run, clock, timers, dispatcher, payloadBytesMax } = context;
  // A group may be called what no folder can be.
  const folder = group === '.' || group === '..' ? group.replaceAll('.', '%2E') : encodeURIComponent(group);
  const living = new Map<string, Living>();
  const addresses = succession<Living>();

  const keyOfAttempt = (key: ActorKey, number: number) => attemptKey(run, group, key, number);
  const isLiving = (member: Living) => living.get(actorKeyText(member)) === member;
  const recordOf = (key: ActorKey): MemberRecord | undefined => {
    const record = ledger().members.get(key.address);
    return record?.incarnation === key.incarnation ? record : undefined;
  };
  const again = (member: Living) => {
    if (isLiving(member)) attempt(member);
  };
  const permits = permitsOf({ context, group, budget, push, ledger, recordOf, again });
  const pushEnd = pushEndOf(push, permits);
  const harnessOf = (name: string) => (Object.hasOwn(context.harnesses, name) ? context.harnesses[name] : undefined);
  const sweep = (name: string, key: string) => swept({ name, harness: harnessOf(name), key, clock });

  /** An attempt of a stopped member has ended: whoever waits for its address may begin. */
  const left = ({ address }: Pick<ActorKey, 'address'>) => {
    const next = addresses.left(address);
    if (next !== undefined) again(next);
  };
  /** Makes the first attempt, when nothing runs any more of a member that was at this address before. */
  const begin = (member: Living) => {
    if (!addresses.waits(member.address, member)) attempt(member);
  };

  const forget = (member: Living) => {
    living.delete(actorKeyText(member));
    permits.forget(member);
    member.cancelRetry?.();
    member.reports.end();
  };

  const settled = (member: Living, outcome: GroupEvents['member.settled']['outcome']) => {
    forget(member);
    pushEnd(member, 'member.settled', { ...attempted(member), outcome });
  };

  const refused = (member: Living, error: unknown) =>
    settled(member, { status: 'error', class: 'refused', error: plainError(error) });

  /** A failure of the attempt's own: again, or the end. */
  const failed = (member: Living, failureClass: FailureClass, error: PlainError, usage?: Usage) => {
    const failures = (recordOf(member)?.failures ?? 0) + 1;
    const delayMs = permits.hasFallback(member, failureClass)
      ? 0
      : retryDelayMs(member.input.retry, failures, failureClass, keyOfAttempt(member, member.attempt));
    if (delayMs === undefined) settled(member, { status: 'error', class: failureClass, error, ...spent(usage) });
    else later(member, failureClass, error, clock.now() + delayMs, usage);
  };

  const later = (member: Living, failureClass: FailureClass, error: PlainError, retryAt: number, usage?: Usage) => {
    member.phase = 'waiting';
    const failure = { class: failureClass, error, retryAt, ...spent(usage) };
    pushEnd(member, 'attempt.failed', { ...attempted(member), ...failure }, () => retry(member, retryAt));
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
      refuseUnknownSchema(context.schemas, member);
      if (!context.performs) return;
      const allowed = reattach === undefined ? permits.ask(member, invocation) : undefined;
      if (reattach === undefined && allowed === undefined) return;
      if (allowed !== undefined && 'until' in allowed) {
        pause(member, allowed.until, () => attempt(member));
        return;
      }
      const name = reattach?.name ?? allowed?.harness ?? '';
      choice = reattach ?? { name, harness: context.harnesses[name] as Harness };
      if (reattach !== undefined) permits.keep(member, invocation);
      if (allowed !== undefined)
        told = allowed.rejected.length > 0 ? { why: allowed.why, rejected: allowed.rejected } : { why: allowed.why };
      outputName = `${folder}/${encodeURIComponent(member.address)}.${member.incarnation}.${member.attempt}.log`;
    } catch (error) {
      refused(member, error);
      return;
    }
    const { name: harnessName, harness } = choice;
    const given = { context, member, attempt: member.attempt, harness: harnessName, fold, post, gates, push };
    const open = lazyMailboxOf(given);
    member.mailbox = open;
    const job: Job = {
      group,
      member: member.address,
      incarnation: member.incarnation,
      attempt: member.attempt,
      key: keyOfAttempt(member, member.attempt),
      invocation,
      harnessName,
      harness,
      groupConcurrency: concurrency,
      reattach: reattach !== undefined,
      prepare: worktrees.prepare(member, invocation),
      outputFile: () => context.sideFile(outputName),
      mayStart: () => permits.askAgain(member, invocation, harnessName, (error) => refused(member, error)),
      queued: () => {
        // What waits to be taken up goes on counting as running.
        if (reattach === undefined) push('attempt.queued', { ...attempted(member), harness: harnessName, ...told });
      },
      started: (durable, lost) => {
        member.reports.begin();
        if (reattach !== undefined) durable();
        else {
          const data = { ...attempted(member), harness: harnessName, outputFile: outputName, ...told };
          const recorded = () => {
            permits.used(member);
            durable();
          };
          push('attempt.started', data, recorded, lost);
        }
      },
      progress: (progress) => report(member, progress),
      mailbox: () => open.mailbox(),
      door: open.door,
      ended: (outcome, ending) => void ended(member, outcome, ending),
    };
    member.phase = 'dispatched';
    dispatcher.add(job);
  };

  const report = (member: Living, progress: Progress) => {
    if (typeof progress !== 'object' || progress === null) return;
    context.observer.progress(group, member.address, progress);
    if (isLiving(member)) member.reports.tell(progress);
  };

  const whyDropped = () => ledger().cancelReason ?? 'stopped by the coordinator';
  /** Wanted no longer: what it spent counts, and nobody hears what it came to. */
  const cancelled = (member: Living, why: string, outcome: Outcome | undefined) => {
    pushEnd(member, 'attempt.cancelled', { ...attempted(member), reason: why, ...spent(outcome?.usage) });
    if (outcome?.status !== 'ok') return;
    const reason = `result came after: ${why}`;
    push('letter.dead', { to: '', from: member.address, letter: outcome.output, reason });
  };

  /** Returns what is still to be waited for before that is recorded: its output's check. */
  const ended = (
    member: Living,
    outcome: Outcome | undefined,
    ending: Ending | undefined,
  ): Promise<void> | undefined => {
    member.phase = 'idle';
    member.mailbox?.close();
    member.mailbox = undefined;
    const told = member.reports.end();
    const checked = outcome && withTold(checkedOutcome(outcome, member.address, payloadBytesMax), told);
    const used = spent(checked?.usage ?? told);
    // Wanted no longer: also when it was being ended for another reason before.
    const dropped = ending?.type === 'dropped' ? ending.reason : isLiving(member) ? undefined : whyDropped();
    if (dropped !== undefined) {
      cancelled(member, dropped, checked);
      left(member);
    } else if (checked?.status === 'ok') {
      return succeeded(member, checked);
    } else if (ending?.type === 'host-stopped') {
      push('attempt.cancelled', { ...attempted(member), reason: ending.reason, again: true, ...used });
    } else if (ending?.type === 'interrupted') {
      member.phase = 'waiting';
      const cut = { ...attempted(member), reason: ending.reason, again: true, ...used } as const;
      pushEnd(member, 'attempt.cancelled', cut, () => {
        if (!isLiving(member)) return;
        member.attempt += 1;
        attempt(member);
      });
    } else if (ending?.type === 'timed-out') {
      const message = `member \`${member.address}\` ${ending.reason}`;
      failed(member, 'timeout', { name: 'TimeoutError', message, code: 'TIMEOUT' }, used.usage);
    } else if (checked === undefined) {
      const record = recordOf(member);
      if (record !== undefined) interrupted(member, record);
    } else if (checked.status === 'cancelled') {
      failed(member, 'failed', { name: 'CancelledError', message: checked.reason }, checked.usage);
    } else {
      failed(member, checked.class, checked.error, checked.usage);
    }
    return undefined;
  };

  /** The output counts when it meets its schema. */
  const succeeded = (member: Living, outcome: Extract<Outcome, { readonly status: 'ok' }>) => {
    const checking = checkedBySchema(context.schemas, member, outcome, payloadBytesMax);
    if (checking === undefined) {
      settled(member, outcome);
      return undefined;
    }
    const checked = checking.then((result) => {
      if (!isLiving(member)) cancelled(member, whyDropped(), outcome);
      else if (result.status === 'error') failed(member, result.class, result.error, outcome.usage);
      else if (result.status === 'ok') settled(member, result);
    });
    dispatcher.busyWith(checked);
    return checked;
  };

  const live = (want: Want, attemptNumber: number): Living => {
    const { address, incarnation, input } = want;
    const member: Living = {
      address,
      incarnation,
      input,
      attempt: attemptNumber,
      phase: 'idle',
      cancelRetry: undefined,
      granted: 0,
      keeping: undefined,
      mailbox: undefined,
      reports: reportsOf(context, (progress) =>
        push(
          'member.progress',
          { ...attempted(member), progress: checkedProgress(progress, payloadBytesMax) },
          progress.usage === undefined ? undefined : permits.spent,
        ),
      ),
    };
    living.set(actorKeyText(want), member);
    return member;
  };

  const mayRestart = (member: Living) => member.input.restartable ?? true;

  /**
   * Started by a host that is gone, and not ended: again if the member allows it, else for the coordinator to decide.
   * What it left is ended first, so that `attempt.failed` says that nothing of the attempt runs any more, and a crash
   * meanwhile begins here again.
   */
  const interrupted = (member: Living, record: MemberRecord) => {
    const error = interruption(member.address, member.attempt);
    member.phase = 'sweeping';
    const done = (cause?: unknown) => {
      if (!isLiving(member)) {
        pushEnd(member, 'attempt.cancelled', { ...attempted(member), reason: 'no longer wanted' });
        left(member);
      } else if (cause !== undefined) {
        settled(member, { status: 'error', class: 'crashed', error: { ...error, cause: plainError(cause) } });
      } else if (mayRestart(member) && record.interruptions < context.interruptionsMax) {
        later(member, 'crashed', error, clock.now());
      } else {
        settled(member, { status: 'error', class: 'crashed', error });
      }
    };
    dispatcher.busyWith(sweep(record.harness, keyOfAttempt(member, record.attempt)).then(() => done(), done));
  };

  const reconcileOne = (want: Want) => {
    const record = recordOf(want);
    const isBetween = record?.status === 'interrupted' || record?.status === 'waiting';
    const member = live(want, record?.attempt ?? 1);
    if (!context.performs) {
      if (record === undefined) attempt(member);
      if (isBetween) retry(member, 0);
    } else if (record === undefined || record.status === 'queued') {
      begin(member);
    } else if (record.status === 'waiting') {
      retry(member, record.retryAt ?? 0);
    } else if (record.status === 'interrupted') {
      if (mayRestart(member)) retry(member, 0);
      else settled(member, { status: 'error', class: 'crashed', error: interruption(member.address, member.attempt) });
    } else {
      const harness = harnessOf(record.harness);
      if (harness?.reattach === undefined) interrupted(member, record);
      else attempt(member, { name: record.harness, harness });
    }
  };

  return {
    want: (want) => begin(live(want, 1)),
    drop(key, reason) {
      const member = living.get(actorKeyText(key));
      if (member === undefined) return;
      const { phase } = member;
      forget(member);
      const isUnderWay =
        phase === 'dispatched' && dispatcher.drop(keyOfAttempt(key, member.attempt), { type: 'dropped', reason });
      // What is under way, or being swept, is recorded when it has ended.
      if (isUnderWay || phase === 'sweeping') addresses.leaving(member.address);
      if (phase === 'waiting' || phase === 'held' || (phase === 'dispatched' && !isUnderWay))
        pushEnd(member, 'attempt.cancelled', { ...attempted(member), reason });
    },
    reconcile(wants) {
      const wanted = [...wants];
      const keys = new Set(wanted.map(actorKeyText));
      if (context.performs) {
        endLeftovers({
          ledger: ledger(),
          isWanted: (key) => keys.has(actorKeyText(key)),
          sweep: ({ member: address, incarnation, attempt: number, harness }, done) => {
            addresses.leaving(address);
            const ended = () => {
              done();
              left({ address });
            };
            dispatcher.busyWith(sweep(harness, keyOfAttempt({ address, incarnation }, number)).then(ended, ended));
          },
          push,
        });
      }
      // What is under way counts, and has its place, before others ask.
      const isUnderWay = (want: Want) => recordOf(want)?.status === 'running';
      const others = wanted.filter((want) => !isUnderWay(want));
      for (const want of [...wanted.filter(isUnderWay), ...others]) reconcileOne(want);
    },
    answered() {
      permits.release().forEach(again);
    },
    called: (key) => living.get(actorKeyText(key))?.mailbox?.called(),
    arrived(mail, key) {
      const member = living.get(actorKeyText(key));
      if (member?.mailbox?.arrived(mail) !== true || !mayRestart(member)) return;
      const reason = `interrupted by message ${mail.id} (${mail.type}) from ${mail.from}`;
      if (recordOf(key)?.status === 'running')
        dispatcher.drop(keyOfAttempt(key, member.attempt), { type: 'interrupted', reason });
    },
    async settle(want, outcome) {
      const member = living.get(actorKeyText(want));
      // What is no outcome must not look like an attempt that was lost.
      if (member !== undefined)
        await ended(member, checkedOutcome(outcome, member.address, payloadBytesMax), undefined);
    },
  };
}
