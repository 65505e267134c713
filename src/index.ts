/** The public door of troupe: processes, coordinators, runs. Harnesses, journals and machines have doors of their own. */
export { systemClock, type Clock } from './clock.ts';
export { TroupeError, isTroupeError, remedies, type Code } from './error.ts';
export { canonical, toJson, type JsonValue } from './json.ts';
export { engineVersion } from './version.ts';

export type { Config } from './process/config.ts';
export { defineConfig } from './process/define-config.ts';
export { defineProcess, isProcess, type Process } from './process/define-process.ts';
export type {
  BestEffort,
  Branch,
  Checkpoint,
  Context,
  GroupHandle,
  OpenOptions,
  Strategies,
} from './process/context.ts';
export type { Parallel } from './process/parallel.ts';
export type { Answer, Outside } from './process/outside.ts';
export { type RunOptions } from './process/held-run.ts';
export { iterate, type Iteration, type Pending, type Settlement } from './process/iterate.ts';
export { openRun, type Run, type RunResult } from './process/run.ts';
export { cancelRun, readRun } from './process/cancel.ts';
export {
  answerUnattended,
  openGatesOf,
  sendUnattended,
  type OpenGate,
  type UnattendedOptions,
} from './process/unattended.ts';
export { forkRun, type ForkRunOptions } from './process/fork.ts';
export { retryRun, type Retry, type RetryRunOptions } from './process/retry.ts';
export { verifyRun, type GroupCheck, type RunCheck } from './process/verify.ts';
export { emptyRun, foldRun, type RunCreated, type RunEnd, type RunStatus, type RunView } from './process/run-view.ts';
export type { Request, Requests } from './process/requests.ts';

export { defaultBounds, type Bounds } from './group/bounds.ts';
export { checkpoint, coordinator, gate, type Coordinator } from './group/coordinator.ts';
export type { CoordinatorState, Migration, OldInput, Upgrade } from './group/upgrade.ts';
export type { BreakerPolicy } from './group/breaker.ts';
export type { HostRules } from './group/host-options.ts';
export type { BudgetPolicy, Spend } from './group/budget.ts';
export type { OutputSchema } from './group/schema.ts';
export { member } from './group/member.ts';
export { stopChildren } from './group/stop-children.ts';
export type { Address, ActorKey, Delivery, Effect, EventObject, GroupEnd } from './group/effect.ts';
export type { GroupEvents, GroupEventType } from './group/entries.ts';
export type { CheckpointRecord, Ledger, MemberRecord, MemberStatus } from './group/ledger.ts';
export type { Observer } from './group/observer.ts';

export type {
  Budget,
  DeliveryMode,
  FailureClass,
  Harness,
  Harnesses,
  Invocation,
  Letter,
  Mailbox,
  Message,
  Outcome,
  PlainError,
  Progress,
  RetryPolicy,
  Sent,
  Taken,
  Usage,
} from './harness/port.ts';
export type {
  Archive,
  Entry,
  Fork,
  Holder,
  Journal,
  JournalEvent,
  JournalNotice,
  JournalStore,
  Lease,
  Origin,
  Snapshot,
} from './journal/port.ts';
