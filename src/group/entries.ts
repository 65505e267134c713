/**
 * The facts of a group's stream. `fold` marks which ones the actor system folds; the others are the
 * host's bookkeeping (the ledger). Shapes are format version 1: changing one needs an upcast.
 */
import type { JsonValue } from '../json.ts';
import type { Rejection } from '../harness/route.ts';
import type { DeliveryMode, FailureClass, Outcome, PlainError, Progress, Usage } from '../harness/port.ts';
import type { KeepWorktree } from '../harness/worktree/port.ts';
import type { ActorKey, Address, EventObject, GroupEnd } from './effect.ts';
import type { Bounds } from './bounds.ts';

/** What is to be recorded, as the fold asks for it. */
export type Missing =
  | {
      readonly type: 'emit';
      readonly event: EventObject;
      /** The machine below the coordinator that opened this gate. */
      readonly by?: ActorKey;
    }
  | {
      readonly type: 'deadLetter';
      readonly from: Address;
      readonly to: Address;
      readonly event: EventObject;
      readonly reason: string;
    };

interface Attempted {
  readonly member: Address;
  readonly incarnation: number;
  /** 1 for the first. */
  readonly attempt: number;
}

/** Event types and their data. */
export interface GroupEvents {
  // folded by the actor system
  /** `machine.id` and `machine.version` (hash of its definition) say what wrote this stream. `bounds` stay for the group's life. */
  'group.created': {
    readonly name: string;
    readonly machine: { readonly id: string; readonly version: string };
    readonly input: JsonValue;
    readonly concurrency: number;
    readonly bounds: Bounds;
  };
  /**
   * From outside to the coordinator, or an answer to the machine `to` below it that asked. `id` is the sender's key: the same id twice is
   * one signal.
   */
  'signal': { readonly id: string; readonly from: string; readonly event: EventObject; readonly to?: ActorKey };
  /** An invocation's one settlement (G4). */
  'member.settled': Attempted & { readonly outcome: Exclude<Outcome, { status: 'cancelled' }> };
  'member.progress': Attempted & { readonly progress: Progress };
  'timer.fired': {
    readonly address: Address;
    readonly incarnation: number;
    readonly timer: string;
    readonly dueAt: number;
  };
  'group.cancelled': { readonly reason: string };
  /**
   * From here on another version of the machine folds this stream, from the state in this entry on; what the version before
   * would say of it counts no more. `how`: from the old state, or by folding the old inputs again. A machine that has a
   * transition for `troupe.migrated` hears `{ type, from, to }` in this turn.
   */
  'group.migrated': {
    readonly from: { readonly id: string; readonly version: string };
    readonly to: { readonly id: string; readonly version: string };
    readonly how: 'events' | 'state';
    readonly input: JsonValue;
    /** As snapshots hold it: see `persisted.ts`. */
    readonly system: JsonValue;
    readonly mail: JsonValue;
    /** What the new version asked for on the way and is not recorded: gates, checkpoints, dead letters. */
    readonly asks: readonly Missing[];
  };
  /** From `from` (an address, `coordinator`, `process` or `outside`) to one actor. The same id twice to one recipient is one message. */
  'message': {
    readonly id: string;
    readonly from: string;
    readonly to: Address;
    readonly type: string;
    readonly body: JsonValue;
    readonly inReplyTo?: string;
    readonly mode?: DeliveryMode;
  };
  // the host's bookkeeping
  /** `why` and `rejected`: the router's reasons. */
  'attempt.queued': Attempted & {
    readonly harness: string;
    readonly why?: string;
    readonly rejected?: readonly Rejection[];
  };
  'attempt.started': Attempted & {
    readonly harness: string;
    readonly outputFile?: string;
    readonly why?: string;
    readonly rejected?: readonly Rejection[];
  };
  /** A share of a budget has been spent; told once. */
  'budget.warned': { readonly whose: string; readonly what: string; readonly spent: number; readonly limit: number };
  /** The session in which an agent works on this attempt, and on the next one by the same harness. */
  'attempt.session': Attempted & { readonly session: string; readonly data?: JsonValue };
  /** This attempt failed and another follows at `retryAt`, ms since 1970. The last failure is a settlement instead. */
  'attempt.failed': Attempted & {
    readonly error: PlainError;
    readonly class: FailureClass;
    readonly retryAt: number;
    readonly usage?: Usage;
  };
  /** The coordinator stopped the member, or the group ended, while the attempt was under way. */
  'attempt.cancelled': Attempted & {
    readonly reason: string;
    readonly usage?: Usage;
    /** The member is still wanted (the host stopped): another attempt follows when the run is resumed. */
    readonly again?: true;
  };
  /** A member works in a worktree of its own from this attempt on; see `harness/worktree/port.ts`. */
  'worktree.opened': Attempted & {
    readonly run: string;
    readonly path: string;
    readonly branch: string;
    readonly base: string;
    readonly repository: string;
    readonly keep: KeepWorktree;
  };
  /** Its member has ended. */
  'worktree.closed': Attempted & { readonly kept: boolean; readonly why: string };
  /** An emitted event other than a checkpoint. */
  'emitted': { readonly event: EventObject; readonly effect: string };
  /** A member has read these messages: they are not given to it again. `as`: how they reached it. */
  'message.read': {
    readonly member: Address;
    readonly incarnation: number;
    readonly attempt: number;
    readonly ids: readonly string[];
    readonly as: DeliveryMode;
  };
  /**
   * Somebody has to approve. With an `effect` a machine asked, and hears `approved` or `rejected`: the coordinator, or the one at `by`
   * below it. Without one, the member at `by` waits for its answer, or the host does.
   */
  'gate.opened': {
    readonly name: string;
    readonly question: string;
    readonly data?: JsonValue;
    readonly effect?: string;
    readonly by?: Address;
    readonly incarnation?: number;
  };
  'gate.answered': { readonly name: string; readonly approved: boolean; readonly note: string; readonly by: string };
  /** The machine `by` below the coordinator, which asked, is gone. */
  'gate.withdrawn': { readonly name: string; readonly by: Address; readonly incarnation: number };
  'checkpoint': {
    readonly name: string;
    readonly reason?: string;
    readonly settled: number;
    readonly total: number;
    readonly data?: JsonValue;
    /** Id of the `emit` effect that asked for it; absent when a member or the process wrote it. */
    readonly effect?: string;
    /** Who wrote it: a member's address, or `process`; absent for the coordinator. */
    readonly by?: string;
    /** Which life of that member, when it is not its first. */
    readonly incarnation?: number;
  };
  /** What could not be delivered; never silence. `effect` when a turn derived it. */
  'letter.dead': {
    readonly to: Address;
    readonly from: string;
    readonly letter: JsonValue;
    readonly reason: string;
    readonly effect?: string;
  };
  'group.ended': GroupEnd;
}

/** Type of an event in a group's stream. */
export type GroupEventType = keyof GroupEvents;

/** Writes an event of the group's stream; calls back when it is durable and folded, or when it never will be. */
export type Push = <Type extends GroupEventType>(
  type: Type,
  data: GroupEvents[Type],
  applied?: () => void,
  lost?: () => void,
) => void;
