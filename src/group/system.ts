/**
 * A system: all actors of a group after some turn. An immutable value: stepping it makes another one, so an
 * old system can be stepped again with another entry (forks, time travel, model checking).
 */
import type { Invocation } from '../harness/port.ts';
import type { Bounds } from './bounds.ts';
import { lastId, parentAddress, rootAddress } from './address.ts';
import { emptyVector, forEachOf, getAt, type Vector } from './vector.ts';
import { hashText, hashToText, type Hash } from './digest.ts';
import type { ActorKey, Address, GroupEnd } from './effect.ts';
import type { Cell, Place } from './cell.ts';
import type { AnySnapshot } from './snapshot.ts';
import type { Definition } from './definition.ts';
import type { MemberSnapshot } from './member.ts';
import type { AnyActorRef } from 'xstate';

/** Addresses of one group and everything forked from it; grows only. Nothing may depend on its order. */
export interface Places {
  readonly byAddress: Map<Address, Place>;
}

/** The actors of a group between two turns. Its fields are the kernel's; ask the functions of this module. */
export interface System {
  readonly definition: Definition;
  readonly bounds: Bounds;
  /** @internal */
  readonly places: Places;
  /** @internal */
  readonly cells: Vector<Cell>;
  /** @internal */
  readonly systemIds: ReadonlyMap<string, AnyActorRef>;
  /** The last entry that was folded. */
  readonly seq: number;
  /** Set once, then terminal. */
  readonly end: GroupEnd | undefined;
  /** Members that are living or settled and not let go. */
  readonly memberCount: number;
  readonly timerCount: number;
  /** Actors started, and timers set, in the group's life: where the next one stands. */
  readonly startedCount: number;
  readonly scheduledCount: number;
  /** @internal Running digest over all turns. */
  readonly lanes: Hash;
}

/** An invocation that the coordinator wants performed: living and not settled. */
export interface Want extends ActorKey {
  readonly input: Invocation;
}

/** A pending timer of a group. */
export interface PendingTimer extends ActorKey {
  readonly timer: string;
  readonly dueAt: number;
}

/** `active`, then one end for ever. */
export type GroupStatus = { readonly status: 'active' } | GroupEnd;

/** How the group stands. */
export function status(system: System): GroupStatus {
  return system.end ?? active;
}

const active = { status: 'active' } as const;

/** The result of a completed group; undefined before, and when it ended otherwise. */
export function output(system: System): unknown {
  return system.end?.status === 'completed' ? system.end.output : undefined;
}

/** What reconciliation needs after a crash: every living unsettled member, in the order of their `invoke` effects; of an ended group those that go on. */
export function wants(system: System): readonly Want[] {
  if (system.end !== undefined && (system.end.status === 'cancelled' || system.end.goingOn === undefined)) return [];
  const found: (Want & { order: number })[] = [];
  forEachOf(system.cells, ({ place, incarnation, actor }) => {
    if (actor === undefined || !actor.running || actor.logic.kind !== 'member') return;
    if (system.end !== undefined && !isBackground(place.address, actor.snapshot)) return;
    // A member's snapshot is made by our own logic.
    const { input } = actor.snapshot as MemberSnapshot;
    found.push({ address: place.address, incarnation, input, order: actor.order });
  });
  return found
    .sort((a, b) => a.order - b.order)
    .map(({ address, incarnation, input }) => ({ address, incarnation, input }));
}

/** True for a member that the end of its group does not stop. A member's snapshot is made by our own logic. */
export function isBackground(address: Address, snapshot: AnySnapshot | undefined): boolean {
  return parentAddress(address) === rootAddress && (snapshot as MemberSnapshot).input.background === true;
}

/** Pending timers, the next due first, those due together in the order they were set. */
export function timers(system: System): readonly PendingTimer[] {
  if (system.end !== undefined || system.timerCount === 0) return [];
  const found: (PendingTimer & { order: number })[] = [];
  forEachOf(system.cells, ({ place, incarnation, actor }) => {
    for (const { name, dueAt, order } of actor?.timers ?? []) {
      found.push({ address: place.address, incarnation, timer: name, dueAt, order });
    }
  });
  return found
    .sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)
    .map(({ address, incarnation, timer, dueAt }) => ({ address, incarnation, timer, dueAt }));
}

/** True while this incarnation of an actor lives, in a group that has not ended. */
export function isLiving(system: System, { address, incarnation }: ActorKey): boolean {
  const cell = cellAt(system, address);
  return system.end === undefined && cell?.incarnation === incarnation && cell.actor?.running === true;
}

/** XState's snapshot of the actor that lives, or has ended, at `address`; undefined when there is none or it was stopped. */
export function snapshotAt(system: System, address: Address): AnySnapshot | undefined {
  return cellAt(system, address)?.actor?.snapshot;
}

/** Every actor that lives, or has ended and not been let go, in the order they were started. */
export function actors(system: System): readonly (ActorKey & {
  readonly kind: 'coordinator' | 'member' | 'actor';
  readonly snapshot: AnySnapshot;
  readonly running: boolean;
})[] {
  const found: Cell[] = [];
  forEachOf(system.cells, (cell) => {
    if (cell.actor !== undefined) found.push(cell);
  });
  const orderOf = (cell: Cell) => cell.actor?.order ?? 0;
  return found
    .sort((a, b) => orderOf(a) - orderOf(b))
    .flatMap(({ place, incarnation, actor }) => {
      if (actor === undefined) return [];
      const kind = actor.logic.kind === 'machine' ? 'coordinator' : actor.logic.kind === 'pure' ? 'actor' : 'member';
      return [{ address: place.address, incarnation, kind, snapshot: actor.snapshot, running: actor.running }];
    });
}

/** The running digest: equal for equal journals (G6). Sixteen hexadecimal digits. */
export function digest(system: System): string {
  return hashToText(system.lanes);
}

/** @internal */
export function cellAt(system: System, address: Address): Cell | undefined {
  const place = system.places.byAddress.get(address);
  return place === undefined ? undefined : getAt(system.cells, place.index);
}

/** @internal */
export function placeOf(places: Places, address: Address): Place {
  const known = places.byAddress.get(address);
  if (known !== undefined) return known;
  const place: Place = {
    address,
    id: lastId(address),
    index: places.byAddress.size,
    hash: hashText(address),
    live: undefined,
  };
  places.byAddress.set(address, place);
  return place;
}

/** @internal A system before its first turn. */
export function emptySystem(definition: Definition, bounds: Bounds): System {
  return {
    definition,
    bounds,
    places: { byAddress: new Map() },
    cells: emptyVector(),
    systemIds: new Map(),
    seq: 0,
    end: undefined,
    memberCount: 0,
    timerCount: 0,
    startedCount: 0,
    scheduledCount: 0,
    // Not its version: what a machine does is compared, not how it is written.
    lanes: hashText(definition.id),
  };
}
