import type { AnyActorRef } from 'xstate';
import { childAddress, rootAddress } from './address.ts';
import { empty, type Cell, type Key, type Live, type Place } from './cell.ts';
import type { Digest } from './digest.ts';
import type { Address } from './effect.ts';
import type { Compiled } from './logic.ts';
import { keyOf, strip } from './ref.ts';
import { noTimers } from './schedule.ts';
import { childrenOf, stoppedSnapshot, type AnySnapshot } from './snapshot.ts';
import { placeOf, type System } from './system.ts';
import { getAt, setAt, type Vector } from './vector.ts';

/** The actors of a system while a turn runs: those it has touched are live, the others stay in their cells. */
export class Roster {
  /** Members that are living, or settled and not let go. */
  memberCount: number;
  private readonly system: System;
  private readonly touched: Live[] = [];
  private readonly made: AnyActorRef[] = [];
  /** A copy of the system's own once it is written to. */
  private ids: Map<string, AnyActorRef> | undefined;

  constructor(system: System) {
    this.system = system;
    this.memberCount = system.memberCount;
  }

  // — Finding —

  /** The newest actor at an address; undefined when there never was one or it was stopped. */
  at(address: Address): Live | undefined {
    const place = this.system.places.byAddress.get(address);
    return place === undefined ? undefined : this.newest(place);
  }

  of(ref: AnyActorRef): Live | undefined {
    const key = keyOf(ref);
    return key === undefined ? undefined : this.exactly(key);
  }

  /** A child of an actor that fails. If it never got to start, what is registered below it is free at once: nobody will stop it. */
  orphan(ref: AnyActorRef): Live | undefined {
    const live = this.of(ref);
    if (live?.phase === 'new') this.unregister(ref);
    return live;
  }

  exactly(key: Key): Live | undefined {
    let live = this.newest(key.place);
    while (live !== undefined && live.incarnation !== key.incarnation) live = live.older;
    return live;
  }

  /** What `ref.getSnapshot()` answers. It only looks: nothing counts as touched. */
  snapshotOf(ref: AnyActorRef): AnySnapshot {
    const key = keyOf(ref);
    if (key === undefined) throw new TypeError(`actor \`${ref.id}\` does not belong to this group`);
    for (let live = key.place.live; live !== undefined; live = live.older) {
      if (live.incarnation !== key.incarnation) continue;
      if (live.snapshot === undefined) throw new Error(`Snapshot can't be read while the actor initializes itself`);
      return live.snapshot;
    }
    const cell = getAt(this.system.cells, key.place.index);
    return (cell?.incarnation === key.incarnation ? cell.actor?.snapshot : undefined) ?? stoppedSnapshot;
  }

  private newest(place: Place): Live | undefined {
    if (place.live !== undefined) return place.live;
    const cell = getAt(this.system.cells, place.index);
    if (cell?.actor === undefined) return undefined;
    return this.touch(place, cell.incarnation, cell.actor.ref, cell.actor.logic, cell, undefined);
  }

  // — Coming and going —

  /** Where an actor that is being made will live; undefined while a rival lives there. */
  placeFor(ref: AnyActorRef): Place | undefined {
    const parent = ref._parent === undefined ? undefined : keyOf(ref._parent);
    const place = placeOf(
      this.system.places,
      parent === undefined ? rootAddress : childAddress(parent.place.address, ref.id),
    );
    // A rival is of the same parent. One whose parent was dismissed belongs to that parent's earlier incarnation and stops with it.
    for (let live = this.newest(place); live !== undefined; live = live.older) {
      if (live.phase !== 'stopped' && !live.dismissed && live.ref._parent === ref._parent) return undefined;
    }
    return place;
  }

  /** The next incarnation at a place. */
  add(place: Place, ref: AnyActorRef, logic: Compiled): Live {
    const older = this.newest(place);
    const incarnation = 1 + Math.max(older?.incarnation ?? 0, getAt(this.system.cells, place.index)?.last ?? 0);
    if (logic.kind === 'member') this.memberCount += 1;
    this.made.push(ref);
    return this.touch(place, incarnation, ref, logic, undefined, older);
  }

  /** The parent has asked for its stop: the id may be spawned again from now on. */
  dismiss(ref: AnyActorRef): void {
    const live = this.of(ref);
    if (live !== undefined) live.dismissed = true;
  }

  /** A settled or failed actor that its parent stops: nothing is left to be known of it and of those below. */
  letGo(ref: AnyActorRef): void {
    const live = this.of(ref);
    if (live === undefined) return;
    live.dismissed = true;
    for (const child of childrenOf(live.snapshot)) this.letGo(child);
  }

  /** Children that had settled before go with their parent, however it went. */
  private clearBelow(gone: Live): void {
    for (const child of childrenOf(gone.snapshot)) {
      const live = this.of(child);
      if (live?.phase !== 'stopped') continue;
      live.dismissed = true;
      this.clearBelow(live);
    }
  }

  private touch(
    place: Place,
    incarnation: number,
    ref: AnyActorRef,
    logic: Compiled,
    base: Cell | undefined,
    older: Live | undefined,
  ): Live {
    const actor = base?.actor;
    const running = actor?.running === true;
    const live: Live = {
      place,
      incarnation,
      ref,
      logic,
      base,
      snapshot: actor?.snapshot,
      phase: actor === undefined ? 'new' : running ? 'running' : 'stopped',
      open: running,
      busy: false,
      dismissed: false,
      order: actor?.order ?? 0,
      timers: actor?.timers ?? noTimers,
      mailbox: [],
      deferred: [],
      older,
    };
    place.live = live;
    this.touched.push(live);
    return live;
  }

  // — System ids —

  systemIds(): ReadonlyMap<string, AnyActorRef> {
    return this.ids ?? this.system.systemIds;
  }

  setSystemId(systemId: string, ref: AnyActorRef): void {
    const holder = this.systemIds().get(systemId);
    if (holder === ref) return;
    if (holder !== undefined) throw new Error(`Actor with system ID '${systemId}' already exists.`);
    this.ids ??= new Map(this.system.systemIds);
    this.ids.set(systemId, ref);
  }

  unsetSystemId(ref: AnyActorRef): void {
    const { systemId } = ref as { systemId?: string };
    if (systemId === undefined || this.systemIds().get(systemId) !== ref) return;
    this.ids ??= new Map(this.system.systemIds);
    this.ids.delete(systemId);
  }

  /** System ids of a subtree that is about to stop are free at once. */
  unregister(ref: AnyActorRef): void {
    if (this.systemIds().size === 0) return;
    for (const child of childrenOf(this.snapshotOf(ref))) this.unregister(child);
    this.unsetSystemId(ref);
  }

  // — The end of the turn —

  /** The cells after the turn. */
  write(lanes: Digest): Vector<Cell> {
    let { cells } = this.system;
    // Whoever is found here is touched, and comes by in its turn.
    for (const live of this.touched) if (live.logic.kind === 'machine' && isGone(live)) this.clearBelow(live);
    for (const newest of this.touched) {
      const { place } = newest;
      if (place.live !== newest) continue;
      const live = this.survivorOf(newest);
      const base = newest.base ?? getAt(cells, place.index);
      const last = Math.max(newest.incarnation, base?.last ?? 0);
      const running = live?.phase === 'running';
      const before = live?.base?.actor;
      const isSame =
        before !== undefined &&
        before.snapshot === live?.snapshot &&
        before.timers === live.timers &&
        before.running === running;
      if (isSame && base?.last === last) continue;
      const snapshot = live?.snapshot ?? stoppedSnapshot;
      cells = setAt<Cell>(cells, place.index, {
        place,
        last,
        incarnation: live?.incarnation ?? last,
        actor:
          live === undefined
            ? undefined
            : { ref: live.ref, logic: live.logic, snapshot, running, order: live.order, timers: live.timers },
      });
      lanes.hash(place.hash);
      lanes.text(snapshot.status);
      if (live?.logic.kind === 'machine') lanes.state((snapshot as AnySnapshot & { value?: unknown }).value);
    }
    return cells;
  }

  /** Of the incarnations that a turn has seen at one place, the one that goes on; members among the others are gone. */
  private survivorOf(newest: Live): Live | undefined {
    let survivor: Live | undefined;
    for (let live: Live | undefined = newest; live !== undefined; live = live.older) {
      if (survivor === undefined && isKept(live)) survivor = live;
      else if (live.logic.kind === 'member') this.memberCount -= 1;
    }
    return survivor;
  }

  /** Leaves no trace in what systems share. Safe to call twice. */
  release(): void {
    for (const live of this.touched) live.place.live = undefined;
    for (const ref of this.made) strip(ref);
    empty(this.made);
  }
}

/** Stopped, and nothing of it stays: its parent has let it go, or another one lives in its place. */
function isGone(live: Live): boolean {
  if (live.phase !== 'stopped') return false;
  for (let newer = live.place.live; newer !== live && newer !== undefined; newer = newer.older)
    if (isKept(newer)) return true;
  return !isKept(live);
}

/** Stopped actors, and those that never got to start, leave only their number behind. */
function isKept({ phase, dismissed, snapshot }: Live): boolean {
  return (
    phase === 'running' ||
    (phase === 'stopped' && !dismissed && (snapshot?.status === 'done' || snapshot?.status === 'error'))
  );
}
