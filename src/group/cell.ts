/** One actor: as it is kept between turns (a cell, immutable), and as it is while a turn runs (live). */
import type { AnyActorRef } from 'xstate';
import type { Address } from './effect.ts';
import type { Hash } from './digest.ts';
import type { Compiled } from './logic.ts';
import type { Action, AnySnapshot, Heard } from './snapshot.ts';

/** An interned address. Its index is this process's own and means nothing. */
export interface Place {
  readonly address: Address;
  readonly id: string;
  readonly index: number;
  readonly hash: Hash;
  /** The newest actor here while a turn runs; undefined between turns. */
  live: Live | undefined;
}

/** Identity of one actor: a place, and which of its successive actors. */
export interface Key {
  readonly place: Place;
  /** 1 for the first. */
  readonly incarnation: number;
}

/** A delayed event. */
export interface Timer {
  /** Unique among its actor's pending timers; the author's id unless that is still taken. */
  readonly name: string;
  /** The author's id. */
  readonly id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly dueAt: number;
  /** Place among all timers ever set in the group. */
  readonly order: number;
  readonly to: Key | undefined;
  readonly event: Heard;
  /** As in XState, only the timer that was last set under an id can be cancelled by it. */
  readonly cancellable: boolean;
}

/** An actor between turns. Stopped ones leave only their number behind, so that the next incarnation is known. */
export interface Cell extends Key {
  /** The highest incarnation so far: a parent that is about to be stopped can still have spawned after its successor did. */
  readonly last: number;
  /** Undefined when the actor was stopped or let go. */
  readonly actor:
    | {
        readonly ref: AnyActorRef;
        readonly logic: Compiled;
        readonly snapshot: AnySnapshot;
        /** Still hears events: neither settled, failed nor stopped. */
        readonly running: boolean;
        /** Place among all actors ever started in the group. */
        readonly order: number;
        readonly timers: readonly Timer[];
      }
    | undefined;
}

/** An event on its way to an actor, and who sent it: an address, or an outsider's name. */
export interface Letter {
  readonly event: Heard;
  readonly from: string;
}

/** What an actor has still to do when its transition is over: an action, one not yet looked at, or XState's own start. */
export type Deferred = Action | { readonly unseen: Action } | (() => void);

/** An actor while a turn runs; mirrors the private fields of XState's Actor one to one. */
export interface Live extends Key {
  readonly ref: AnyActorRef;
  readonly logic: Compiled;
  readonly base: Cell | undefined;
  /** Undefined while the actor is being made. */
  snapshot: AnySnapshot | undefined;
  phase: 'new' | 'running' | 'stopped';
  /** Its mailbox is open: it has finished starting. */
  open: boolean;
  busy: boolean;
  /** Its parent has asked for its stop, or let go of it after its end. */
  dismissed: boolean;
  order: number;
  timers: readonly Timer[];
  readonly mailbox: Letter[];
  readonly deferred: Deferred[];
  /** The incarnation that this one replaced in the same turn. */
  readonly older: Live | undefined;
}

/** Empties a list. (Setting the length of one that is empty already costs as much as a small turn.) */
export function empty(list: unknown[]): void {
  if (list.length > 0) list.length = 0;
}
