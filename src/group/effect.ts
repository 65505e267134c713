/**
 * What a fold asks the world to do. One union, three interpreters: the host performs, replay ignores,
 * the checker branches. Every effect has an id `<seq>:<index>`: the turn that asked, and its place in it.
 */
import type { JsonValue } from '../json.ts';
import type { Invocation, PlainError } from '../harness/port.ts';

/** Where an actor lives in its group: ids joined by `::`; the coordinator is the empty address. */
export type Address = string;

/** One incarnation of an actor: an address can be spawned again after a stop. */
export interface ActorKey {
  readonly address: Address;
  /** 1 for the first actor at this address. */
  readonly incarnation: number;
}

/** An event as plain JSON. */
export type EventObject = { readonly type: string; readonly [key: string]: JsonValue };

/** An actor-to-actor delivery that a turn derived. */
export interface Delivery {
  readonly from: Address;
  readonly to: Address;
  readonly event: { readonly type: string };
}

/** An effect: see the head of this file. */
export type Effect = { readonly id: string } & (
  | ({ readonly type: 'invoke'; readonly input: Invocation } & ActorKey)
  | ({ readonly type: 'cancel' } & ActorKey)
  | ({ readonly type: 'setTimer'; readonly timer: string; readonly dueAt: number } & ActorKey)
  | ({ readonly type: 'clearTimer'; readonly timer: string } & ActorKey)
  | ({ readonly type: 'deliver'; readonly from: Address; readonly event: EventObject } & ActorKey)
  | {
      readonly type: 'emit';
      readonly address: Address;
      /** Of a machine below the coordinator. */
      readonly incarnation?: number;
      readonly event: EventObject;
    }
  | { readonly type: 'log'; readonly address: Address; readonly label: string | undefined; readonly value: JsonValue }
  | {
      readonly type: 'deadLetter';
      readonly from: Address;
      readonly to: Address;
      readonly event: EventObject;
      readonly reason: string;
    }
  | ({ readonly type: 'end' } & GroupEnd)
);

/** How a group ended. `goingOn`: its background members that have not settled yet, and are not stopped by its end. */
export type GroupEnd =
  | { readonly status: 'completed'; readonly output: JsonValue; readonly goingOn?: readonly ActorKey[] }
  | { readonly status: 'failed'; readonly error: PlainError; readonly goingOn?: readonly ActorKey[] }
  | { readonly status: 'cancelled'; readonly reason: string };
