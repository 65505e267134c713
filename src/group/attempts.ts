/**
 * A group's attempts: from what the fold wants to what the world did.
 *
 * - G2: an attempt is performed after its `attempt.started` is durable.
 * - G4: at most one outcome of one attempt becomes `member.settled`; the key handed to the harness names the attempt.
 * - After a crash every attempt that was started and not ended is reconciled: {@link Attempts.reconcile}.
 */
import { isTroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { chooseHarness } from '../harness/select.ts';
import type { FailureClass, Invocation, Outcome, PlainError, Progress } from '../harness/port.ts';
import { plainError } from '../harness/plain-error.ts';
import type { Ending, Job } from './dispatcher.ts';
import type { ActorKey } from './effect.ts';
import type { GroupEvents, GroupEventType } from './entries.ts';
import type { GroupContext } from './group-context.ts';
import { parseInvocation } from './invocation.ts';
import { mailboxOf, type OpenMailbox } from './mailbox.ts';
import type { Mail } from './mail.ts';
import type { GroupFold } from './fold.ts';
import type { Post } from './post.ts';
import { interruptedCode, type MemberRecord } from './ledger.ts';
import { retryDelayMs } from './retry.ts';

/** A member that is wanted: what the fold says. */
export interface Want extends ActorKey {
  readonly input: Invocation;
}

/** Writes an event of the group's stream; calls back when it is durable and folded. */
export type Push = <Type extends GroupEventType>(type: Type, data: GroupEvents[Type], applied?: () => void) => void;

/** What {@link attemptsOf} needs. */
export interface AttemptsOptions {
  readonly context: GroupContext;
  readonly group: string;
  readonly push: Push;
  readonly fold: GroupFold;
  readonly post: Post;
}

/** The attempts of one group. */
export interface Attempts {
  /** The fold wants this member: makes its first attempt. */
  want(want: Want): void;
  /** The fold wants it no longer: ends its attempt. */
  drop(key: ActorKey, reason: string): void;
  /** After replay: `wants` are all members wanted now. Takes up, makes again, or gives up what an earlier host left. */
  reconcile(wants: Iterable<Want>): void;
  /** Mail has come for a member. */
  arrived(mail: Mail, key: ActorKey): void;
  /** An outside orchestrator's outcome. */
  settle(want: Want, outcome: Outcome): void;
}

interface Living extends Want {
  attempt: number;
  /** Calls off a pending retry or progress timer. */
  cancelRetry: (() => void) | undefined;
  /** Of the attempt that is on its way or under way. */
  mailbox: OpenMailbox | undefined;
  progress: { last: number; waiting: Progress | undefined; cancel: (() => void) | undefined };
}

/** The idempotency key of one attempt (G4): `<run>/<group>/<member>#<incarnation>/<attempt>`. */
export function attemptKey(run: string, group: string, { address, incarnation }: ActorKey, attempt: number): string {
  return `${run}/${group}/${address}#${incarnation}/${attempt}`;
}

const keyOf = ({ address, incarnation }: ActorKey) => `${address}#${incarnation}`;

/** The bookkeeping of one group's attempts. */
export function attemptsOf({ context, group, push, fold, post }: AttemptsOptions): Attempts {
  const ledger = () => fold.ledger;
  const { run, clock, timers, dispatcher, journal } = context;
  const living = new Map<string, Living>();

  const keyOfAttempt = (key: ActorKey, number: number) => attemptKey(run, group, key, number);
  const attempted = ({ address, incarnation, attempt }: Living) => ({ member: address, incarnation, attempt });
  const recordOf = (key: ActorKey): MemberRecord | undefined => {
    const record = ledger().members.get(key.address);
    return record?.incarnation === key.incarnation ? record : undefined;
  };

  const settled = (member: Living, outcome: GroupEvents['member.settled']['outcome']) => {
    forget(member);
    push('member.settled', { ...attempted(member), outcome });
  };

  const forget = (member: Living) => {
    living.delete(keyOf(member));
    member.cancelRetry?.();
    member.progress.cancel?.();
  };

  /** A failure of the attempt's own, or of its host: again, or the end. */
  const failed = (member: Living, failureClass: FailureClass, error: PlainError) => {
    const failures = (recordOf(member)?.failures ?? 0) + 1;
    const delayMs = retryDelayMs(member.input.retry, failures, failureClass, keyOfAttempt(member, member.attempt));
    if (delayMs === undefined) settled(member, { status: 'error', class: failureClass, error });
    else again(member, failureClass, error, clock.now() + delayMs);
  };

  const again = (member: Living, failureClass: FailureClass, error: PlainError, retryAt: number, sweepKey?: string) => {
    push('attempt.failed', { ...attempted(member), class: failureClass, error, retryAt }, () => retry(member, retryAt, sweepKey));
  };

  const retry = (member: Living, retryAt: number, sweepKey?: string) => {
    if (!living.has(keyOf(member))) return;
    member.cancelRetry = timers.set(retryAt, () => {
      member.cancelRetry = undefined;
      member.attempt += 1;
      attempt(member, sweepKey === undefined ? {} : { sweepKey });
    });
  };

  /** Makes an attempt; `left` is what a host that is gone has left of an earlier one: to be swept, or taken up. */
  const attempt = (member: Living, left: { readonly sweepKey?: string; readonly reattach?: boolean } = {}) => {
    if (!context.performs) return;
    let invocation: Invocation;
    let choice: ReturnType<typeof chooseHarness>;
    try {
      invocation = parseInvocation(member.input, member.address);
      choice = chooseHarness(invocation, context.harnesses, context.defaultHarness);
    } catch (error) {
      settled(member, { status: 'error', class: 'refused', error: plainError(error) });
      return;
    }
    const outputName = `${encodeURIComponent(group)}/${encodeURIComponent(member.address)}.${member.incarnation}.${member.attempt}.log`;
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
      groupConcurrency: ledger().concurrency,
      sweepKey: left.sweepKey,
      reattach: left.reattach === true,
      outputFile: () => journal.sideFile(outputName),
      queued: () => push('attempt.queued', { ...attempted(member), harness: choice.name }),
      started: (durable) => {
        // What ends within the interval is told by its settlement alone.
        member.progress.last = clock.now();
        if (left.reattach === true) durable();
        else push('attempt.started', { ...attempted(member), harness: choice.name, outputFile: outputName }, durable);
      },
      progress: (progress) => report(member, progress),
      mailbox: open.mailbox,
      ended: (outcome, ending) => ended(member, outcome, ending),
    };
    dispatcher.add(job);
  };

  const report = (member: Living, progress: Progress) => {
    context.observer.progress(group, member.address, progress);
    const state = member.progress;
    if (!living.has(keyOf(member))) return;
    state.waiting = { ...state.waiting, ...progress };
    if (state.cancel !== undefined) return;
    const flush = () => {
      state.cancel = undefined;
      state.last = clock.now();
      const waiting = state.waiting;
      state.waiting = undefined;
      if (waiting !== undefined && living.has(keyOf(member))) push('member.progress', { ...attempted(member), progress: waiting });
    };
    state.cancel = timers.set(state.last + context.progressEveryMs, flush);
  };

  const ended = (member: Living, outcome: Outcome | undefined, ending: Ending | undefined) => {
    member.progress.cancel?.();
    member.progress.cancel = undefined;
    member.mailbox?.close();
    member.mailbox = undefined;
    if (outcome === undefined) {
      const record = recordOf(member);
      if (record !== undefined) interrupted(member, record, true);
      return;
    }
    if (ending?.type === 'dropped') {
      push('attempt.cancelled', { ...attempted(member), reason: ending.reason });
      if (outcome.status === 'ok') {
        push('letter.dead', { to: '', from: member.address, letter: outcome.output, reason: `result came after: ${ending.reason}` });
      }
      return;
    }
    if (outcome.status === 'ok') {
      succeeded(member, outcome.output);
    } else if (ending?.type === 'host-stopped') {
      push('attempt.cancelled', { ...attempted(member), reason: ending.reason, again: true });
    } else if (ending?.type === 'interrupted') {
      push('attempt.cancelled', { ...attempted(member), reason: ending.reason, again: true }, () => {
        if (!living.has(keyOf(member))) return;
        member.attempt += 1;
        attempt(member);
      });
    } else if (ending?.type === 'timed-out') {
      failed(member, 'timeout', { name: 'TimeoutError', message: `member \`${member.address}\` ${ending.reason}`, code: 'TIMEOUT' });
    } else if (outcome.status === 'cancelled') {
      failed(member, 'failed', { name: 'CancelledError', message: outcome.reason });
    } else {
      failed(member, outcome.class, outcome.error);
    }
  };

  const succeeded = (member: Living, value: unknown) => {
    let output: JsonValue;
    try {
      output = toJson(value, `output of member \`${member.address}\``);
      const bytes = Buffer.byteLength(JSON.stringify(output));
      if (bytes > context.payloadBytesMax) {
        const message = `output of member \`${member.address}\`: expected at most ${context.payloadBytesMax} bytes of JSON, got ${bytes}; put large data into a file and return its path.`;
        failed(member, 'invalid-output', { name: 'TroupeError', code: 'ENTRY_TOO_LARGE', message });
        return;
      }
    } catch (error) {
      if (!isTroupeError(error)) throw error;
      failed(member, 'invalid-output', plainError(error));
      return;
    }
    settled(member, { status: 'ok', output });
  };

  const live = (want: Want, attemptNumber: number): Living => {
    const member: Living = {
      ...want,
      attempt: attemptNumber,
      cancelRetry: undefined,
      mailbox: undefined,
      progress: { last: 0, waiting: undefined, cancel: undefined },
    };
    living.set(keyOf(want), member);
    return member;
  };

  const reconcileOne = (want: Want) => {
    const record = recordOf(want);
    const member = live(want, record?.attempt ?? 1);
    if (!context.performs) return;
    if (record === undefined || record.status === 'queued') {
      attempt(member);
    } else if (record.status === 'interrupted') {
      member.attempt += 1;
      attempt(member);
    } else if (record.status === 'waiting') {
      retry(member, record.retryAt ?? 0);
    } else {
      interrupted(member, record);
    }
  };

  /** Started by a host that is gone, and not ended: again if the member allows it, else for the coordinator to decide. */
  const interrupted = (member: Living, record: MemberRecord, isLost = false) => {
    const key = keyOfAttempt(member, record.attempt);
    const error: PlainError = {
      name: 'InterruptedError',
      message: `attempt ${record.attempt} of member \`${member.address}\` was under way when its host ended`,
      code: interruptedCode,
    };
    if (record.status === 'running' && !isLost && context.harnesses[record.harness]?.reattach !== undefined) {
      attempt(member, { reattach: true });
      return;
    }
    const mayRestart = member.input.restartable ?? true;
    if (mayRestart && record.interruptions < context.interruptionsMax) {
      again(member, 'crashed', error, clock.now(), key);
      return;
    }
    const harness = context.harnesses[record.harness];
    void Promise.resolve(harness?.sweep?.(key)).then(
      () => settled(member, { status: 'error', class: 'crashed', error }),
      (cause: unknown) => settled(member, { status: 'error', class: 'crashed', error: { ...error, cause: plainError(cause) } }),
    );
  };

  /** Started, never ended, and wanted no longer: swept and recorded, so that nothing dangles. */
  const sweepUnwanted = (record: MemberRecord) => {
    const { id: member, incarnation, attempt: number } = record;
    const done = () => push('attempt.cancelled', { member, incarnation, attempt: number, reason: 'no longer wanted' });
    const harness = context.harnesses[record.harness];
    void Promise.resolve(harness?.sweep?.(keyOfAttempt({ address: member, incarnation }, number))).then(done, done);
  };

  return {
    want: (want) => attempt(live(want, 1)),
    drop(key, reason) {
      const member = living.get(keyOf(key));
      if (member === undefined) return;
      forget(member);
      const underWay = dispatcher.drop(keyOfAttempt(key, member.attempt), { type: 'dropped', reason });
      const status = recordOf(key)?.status;
      if (!underWay && (status === 'queued' || status === 'waiting')) push('attempt.cancelled', { ...attempted(member), reason });
    },
    reconcile(wants) {
      const wanted = new Set<string>();
      for (const want of wants) {
        wanted.add(keyOf(want));
        reconcileOne(want);
      }
      if (!context.performs) return;
      for (const record of ledger().members.values()) {
        if (record.status === 'running' && !wanted.has(`${record.id}#${record.incarnation}`)) sweepUnwanted(record);
      }
    },
    arrived(mail, key) {
      const member = living.get(keyOf(key));
      if (member?.mailbox?.arrived(mail) !== true) return;
      const reason = `interrupted by message ${mail.id} (${mail.type}) from ${mail.from}`;
      if (recordOf(key)?.status === 'running' && (member.input.restartable ?? true)) {
        dispatcher.drop(keyOfAttempt(key, member.attempt), { type: 'interrupted', reason });
      }
    },
    settle(want, outcome) {
      const member = living.get(keyOf(want));
      if (member !== undefined) ended(member, outcome, undefined);
    },
  };
}
