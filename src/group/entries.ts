/**
 * The facts of a group's stream. `fold` marks which ones the actor system folds; the others are the
 * host's bookkeeping (the ledger). Shapes are format version 1: changing one needs an upcast.
 */
import type { JsonValue } from '../json.ts';
import type { FailureClass, Invocation, Outcome, PlainError, Progress } from '../harness/port.ts';
import type { Address, EventObject, GroupEnd } from './effect.ts';
import type { Bounds } from './bounds.ts';

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
  /** From outside to the coordinator. `id` is the sender's key: the same id twice is one signal. */
  'signal': { readonly id: string; readonly from: string; readonly event: EventObject };
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
  // the host's bookkeeping
  'attempt.queued': Attempted & { readonly harness: string };
  'attempt.started': Attempted & { readonly harness: string; readonly outputFile?: string };
  /** This attempt failed and another follows at `retryAt`, ms since 1970. The last failure is a settlement instead. */
  'attempt.failed': Attempted & { readonly error: PlainError; readonly class: FailureClass; readonly retryAt: number };
  /** The coordinator stopped the member, or the group ended, while the attempt was under way. */
  'attempt.cancelled': Attempted & {
    readonly reason: string;
    /** The member is still wanted (the host stopped): another attempt follows when the run is resumed. */
    readonly again?: true;
  };
  /** An emitted event other than a checkpoint. */
  'emitted': { readonly event: EventObject; readonly effect: string };
  'checkpoint': {
    readonly name: string;
    readonly reason?: string;
    readonly settled: number;
    readonly total: number;
    readonly data?: JsonValue;
    /** Id of the `emit` effect that asked for it. */
    readonly effect: string;
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

export type { Invocation };
