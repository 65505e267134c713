/**
 * One turn: an input folded until every mailbox is empty again. It mirrors, method by method, what XState's
 * `Actor` does (5.33, raise-*.js: start, update, _process, _stop, _error, _stopProcedure, Mailbox), with effects
 * in place of deeds. Two amendments, both told in the README: an actor that fails because its transition
 * threw stops its children (XState would leave them running, unheard), and a stopped actor takes all its timers with it.
 *
 * Deliveries run depth first, as in XState: a receiver runs to completion before its sender goes on, unless
 * it is busy or still starting; then the event waits in its mailbox.
 */
import type { AnyActorLogic, AnyActorRef, AnyActorScope } from 'xstate';
import { TroupeError, type Code } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { addressSeparator, flawOfId, rootAddress } from './address.ts';
import type { Action, AnySnapshot, Cell, Deferred, Heard, Key, Letter, Live, Place, Timer } from './cell.ts';
import { Digest } from './digest.ts';
import type { ActorKey, Address, Delivery, Effect, EventObject, GroupEnd } from './effect.ts';
import { hears } from './hearing.ts';
import type { Compiled } from './logic.ts';
import type { MemberSnapshot } from './member.ts';
import { toPlainError, isPlainError, plainTroupeError } from './plain-error.ts';
import { adopt, enter, generatedId, groupSystem, keyOf, strip, type Stage } from './ref.ts';
import { childPlace, placeOf, wants, type System } from './system.ts';
import { getAt, setAt, type Vector } from './vector.ts';

/** What a turn comes to. */
export interface Step {
  readonly system: System;
  /** What the fold asks of the world, in order. */
  readonly effects: readonly Effect[];
  /** The actor-to-actor deliveries that the turn derived, in order. */
  readonly derived: readonly Delivery[];
}

/** An effect without its id. */
type Asked = Effect extends infer E ? (E extends { readonly id: string } ? Omit<E, 'id'> : never) : never;

const stoppedSnapshot: AnySnapshot = { status: 'stopped', output: undefined, error: undefined };
const initEvent: Heard = { type: 'xstate.init' };
const stopEvent: Heard = { type: 'xstate.stop' };

/** Runs `work` as the turn of entry `seq`; over a bound, or on what cannot be replayed, the group ends as failed instead. */
export function runTurn(system: System, seq: number, at: number, work: (turn: Turn) => void): Step {
  const turn = new Turn(system, seq, at);
  const before = enter(turn);
  const outer = running;
  try {
    work(turn);
    turn.assertUnbroken();
    return turn.commit();
  } catch (error) {
    if (turn.broken === undefined) throw error;
    turn.release();
    return new Turn(system, seq, at).abandon(turn.broken);
  } finally {
    turn.release();
    enter(before);
    running = outer;
  }
}

export class Turn implements Stage {
  /** Why the whole group has to end: a bound, or something that could not be replayed. */
  broken: TroupeError | undefined;
  private readonly system: System;
  private readonly seq: number;
  private readonly at: number;
  private readonly effects: Effect[] = [];
  private readonly derived: Delivery[] = [];
  private readonly touched: Live[] = [];
  private readonly made: AnyActorRef[] = [];
  private readonly lanes: Digest;
  private ids: Map<string, AnyActorRef> | undefined;
  /** Whose transition is running. */
  private active: Live | undefined;
  private scopeDepth = 0;
  private deliveryDepth = 0;
  private microsteps = 0;
  private memberCount: number;
  private timerCount: number;
  private startedCount: number;
  private scheduledCount: number;

  constructor(system: System, seq: number, at: number) {
    this.system = system;
    this.seq = seq;
    this.at = at;
    this.lanes = new Digest(system.lanes);
    this.lanes.number(seq);
    this.memberCount = system.memberCount;
    this.timerCount = system.timerCount;
    this.startedCount = system.startedCount;
    this.scheduledCount = system.scheduledCount;
  }

  // — Inputs ——————————————————————————————————————————————————————————————————————————————

  /** An event from outside the actors; a dead letter when nobody runs there. */
  deliver(address: Address, from: string, event: Heard): void {
    const place = this.system.places.byAddress.get(address);
    const live = place === undefined ? undefined : this.newest(place);
    if (live === undefined || live.phase !== 'running') {
      this.deadLetter(from, address, event, live === undefined ? 'no such actor' : `the actor has ${ended(live)}`);
    } else {
      this.enqueue(live, { event, from });
    }
  }

  /** Fires a timer; nothing when it is not pending any more. */
  fire(address: Address, incarnation: number, name: string, dueAt: number): void {
    const place = this.system.places.byAddress.get(address);
    const live = place === undefined ? undefined : this.newest(place);
    const timer = live?.timers.find((one) => one.name === name && one.dueAt === dueAt);
    if (live === undefined || timer === undefined || live.incarnation !== incarnation) return;
    // As in XState, the firing frees the id, whoever holds it by now.
    live.timers = live.timers
      .filter((one) => one !== timer)
      .map((one) => (one.id === timer.id && one.cancellable ? { ...one, cancellable: false } : one));
    this.timerCount -= 1;
    this.relayTo(live, timer.to, timer.event);
  }

  /** Stops the coordinator from outside. */
  stopRoot(): void {
    const root = this.newest(placeOf(this.system.places, rootAddress));
    if (root !== undefined) this.stopActor(root);
  }

  /** Says that something could not be delivered. */
  deadLetter(from: string, to: Address, event: Heard, reason: string): void {
    let letter: EventObject;
    try {
      letter = toJson(event, 'event') as EventObject;
    } catch {
      letter = { type: event.type };
    }
    this.ask({ type: 'deadLetter', from, to, event: letter, reason });
  }

  // — What XState calls ———————————————————————————————————————————————————————————————————

  create(logic: Compiled, ref: AnyActorRef, input: unknown): AnySnapshot {
    this.assertUnbroken();
    const parent = ref._parent === undefined ? undefined : this.liveOf(ref._parent);
    const place = parent === undefined ? placeOf(this.system.places, rootAddress) : this.placeOfChild(parent, ref);
    const older = this.newest(place);
    if (hasRival(older, ref)) {
      this.break('DUPLICATE_NAME', `actor \`${place.address}\` was spawned while an actor of that id is alive: stop it first, or give the second another id`);
    }
    const incarnation = 1 + Math.max(older?.incarnation ?? 0, getAt(this.system.cells, place.index)?.last ?? 0);
    const live = this.touch(place, incarnation, ref, logic, undefined, older);
    this.within('incarnationsMax', live.incarnation, `actor \`${place.address}\``);
    if (logic.kind === 'member') this.within('membersMax', (this.memberCount += 1), 'members');
    if (logic.kind === 'machine') this.within('depthMax', place.address === rootAddress ? 0 : place.address.split(addressSeparator).length, `nesting of \`${place.address}\``);
    adopt(ref, { place, incarnation });
    this.made.push(ref);
    live.snapshot = this.firstSnapshot(live, input);
    return live.snapshot;
  }

  private firstSnapshot(live: Live, input: unknown): AnySnapshot {
    const { active, microsteps } = this;
    const scope = this.scopeOf(live);
    this.active = live;
    this.microsteps = 0;
    try {
      const snapshot = live.logic.logic.getInitialSnapshot(scope, input) as AnySnapshot;
      this.assertUnbroken();
      return snapshot.status === 'error' && !isPlainError(snapshot.error) ? { ...snapshot, error: toPlainError(snapshot.error) } : snapshot;
    } catch (error) {
      this.assertUnbroken();
      return { status: 'error', output: undefined, error: toPlainError(error) };
    } finally {
      this.scopeDepth -= 1;
      this.active = active;
      this.microsteps = microsteps;
    }
  }

  private placeOfChild(parent: Live, ref: AnyActorRef): Place {
    const flaw = ref.id === generatedId ? 'no id' : flawOfId(ref.id);
    if (flaw !== undefined) {
      this.break('MACHINE_UNSUPPORTED', `${where(parent)}: spawned actor \`${String(ref.src)}\` has ${flaw}. Give it an id of its own, so that it has the same address in every replay.`);
    }
    return childPlace(this.system.places, parent.place, ref.id);
  }

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

  getSystemId(systemId: string): AnyActorRef | undefined {
    return this.systemIds().get(systemId);
  }

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

  refuseInline(ref: AnyActorRef): never {
    const parent = ref._parent === undefined ? undefined : this.liveOf(ref._parent);
    const by = parent === undefined ? 'a machine' : where(parent);
    this.break('MACHINE_UNSUPPORTED', `${by}: spawned actor has no string \`src\`. Register it in setup({ actors }) and spawn it by name, so that it can be found again after a restart.`);
  }

  private readonly onMicrostep = () => this.microstep();

  microstep(): void {
    this.microsteps += 1;
    if (this.microsteps > this.system.bounds.microstepsMax) this.within('microstepsMax', this.microsteps, this.active === undefined ? 'a turn' : where(this.active));
  }

  // — An actor's life: Actor.start, update, _process, _error, _stop, _stopProcedure ————————————

  /** Makes, starts and runs the coordinator. `make` has XState's createActor make it. */
  startRoot(make: () => AnyActorRef): void {
    const ref = make();
    this.assertUnbroken();
    this.start(ref);
  }

  start(ref: AnyActorRef): void {
    this.assertUnbroken();
    const live = this.liveOf(ref);
    if (live === undefined || live.phase !== 'new') return;
    const { systemId } = ref as { systemId?: string };
    if (systemId !== undefined) this.setSystemId(systemId, ref);
    live.phase = 'running';
    live.order = this.startedCount += 1;
    this.note(ref._parent === undefined ? undefined : keyOf(ref._parent), live, initEvent);
    const snapshot = live.snapshot ?? stoppedSnapshot;
    if (snapshot.status === 'done') return this.update(live, snapshot);
    if (snapshot.status === 'error') return this.failed(live, snapshot.error);
    if (live.logic.kind === 'machine') {
      try {
        for (const child of childrenOf(snapshot)) if (this.snapshotOf(child).status === 'active') this.start(child);
      } catch (error) {
        this.assertUnbroken();
        live.snapshot = { ...snapshot, status: 'error', error: toPlainError(error) };
        return this.failed(live, live.snapshot.error);
      }
    }
    if (live.logic.kind === 'member') {
      this.ask({ type: 'invoke', ...idOf(live), input: (snapshot as MemberSnapshot).input });
    }
    this.update(live, snapshot);
    live.open = true;
    if (live.mailbox.length > 0 && !live.busy) this.drain(live);
  }

  private enqueue(live: Live, letter: Letter): void {
    live.mailbox.push(letter);
    if (live.open && !live.busy) this.drain(live);
  }

  private drain(live: Live): void {
    live.busy = true;
    this.deliveryDepth += 1;
    this.within('deliveryDepthMax', this.deliveryDepth, 'deliveries inside one another');
    for (let letter = live.mailbox.shift(); letter !== undefined; letter = live.mailbox.shift()) {
      this.process(live, letter);
      if (live.phase === 'stopped') live.mailbox.length = 0;
    }
    this.deliveryDepth -= 1;
    live.busy = false;
  }

  private process(live: Live, { event, from }: Letter): void {
    const before = live.snapshot ?? stoppedSnapshot;
    if (live.logic.kind === 'member' && !isEngines(event.type)) this.ask({ type: 'deliver', ...idOf(live), from, event: event as EventObject });
    else if (live.logic.kind === 'machine' && live.logic.fast === undefined && !hears(live.logic, before, event.type)) return;
    let after: AnySnapshot;
    try {
      after = this.transition(live, before, event);
    } catch (error) {
      this.assertUnbroken();
      live.deferred.length = 0;
      live.snapshot = { ...before, status: 'error', error: toPlainError(error) };
      this.failed(live, live.snapshot.error);
      return;
    }
    this.update(live, after);
    if (event.type === stopEvent.type) this.halt(live);
  }

  private transition(live: Live, snapshot: AnySnapshot, event: Heard): AnySnapshot {
    const { active } = this;
    const scope = this.scopeOf(live);
    this.active = live;
    this.microsteps = 0;
    // A snapshot comes back to the logic that made it.
    const logic: AnyActorLogic = live.logic.logic;
    try {
      const fast = live.logic.kind === 'machine' ? live.logic.fast?.(snapshot, event, scope, this.onMicrostep) : undefined;
      if (fast !== undefined) return fast;
      return logic.transition(snapshot, event, scope) as AnySnapshot;
    } finally {
      this.scopeDepth -= 1;
      this.active = active;
    }
  }

  private update(live: Live, snapshot: AnySnapshot): void {
    this.assertUnbroken();
    live.snapshot = snapshot;
    const { deferred } = live;
    try {
      for (let index = 0; index < deferred.length; index += 1) this.perform(live, deferred[index] as Deferred);
    } catch (error) {
      this.assertUnbroken();
      live.snapshot = { ...snapshot, status: 'error', error: toPlainError(error) };
    }
    deferred.length = 0;
    if (live.snapshot.status === 'done') {
      this.halt(live);
      const event: ActorDone = { type: `xstate.done.actor.${live.ref.id}`, output: live.snapshot.output, actorId: live.ref.id };
      this.tellParent(live, event);
    } else if (live.snapshot.status === 'error') {
      this.failed(live, live.snapshot.error);
    }
  }

  private failed(live: Live, error: unknown): void {
    for (const child of childrenOf(live.snapshot ?? stoppedSnapshot)) {
      const orphan = this.liveOf(child);
      if (orphan !== undefined) this.stopActor(orphan);
    }
    this.halt(live);
    this.tellParent(live, errorOf(live, error));
  }

  private stopActor(live: Live): void {
    if (live.phase === 'stopped') return;
    // XState's Mailbox.clear keeps the letter at its head, also where that one is not being read.
    live.mailbox.length = Math.min(live.mailbox.length, live.busy ? 0 : 1);
    if (live.phase === 'new') live.phase = 'stopped';
    else this.enqueue(live, { event: stopEvent, from: parentOf(live) });
  }

  private halt(live: Live): void {
    if (live.phase !== 'running') return;
    for (const timer of live.timers) this.clear(live, timer);
    live.timers = none;
    live.mailbox.length = 0;
    live.phase = 'stopped';
    this.unsetSystemId(live.ref);
    if (live.logic.kind === 'member' && live.snapshot?.status !== 'done' && live.snapshot?.status !== 'error') {
      this.ask({ type: 'cancel', ...idOf(live) });
    }
  }

  private tellParent(live: Live, event: Heard): void {
    const { _parent: parent } = live.ref;
    if (parent !== undefined) this.relayTo(live, keyOf(parent), event);
  }

  // — Actions —————————————————————————————————————————————————————————————————————————————

  /** XState's action executor: a running actor's actions are looked at at once, a starting one's when it starts. */
  collect(action: Action): void {
    const live = this.active;
    if (live === undefined) return;
    if (action.type === 'xstate.stopChild') this.dismiss(action.params as AnyActorRef | undefined);
    if (live.phase === 'running') this.look(live, action);
    else live.deferred.push({ unseen: action });
  }

  defer(start: () => void): void {
    this.active?.deferred.push(start);
  }

  private perform(live: Live, deferred: Deferred): void {
    if (typeof deferred === 'function') deferred();
    else if ('unseen' in deferred) this.look(live, deferred.unseen);
    else this.run(live, deferred);
  }

  /** What an action does at once; the rest waits until the transition is over. */
  private look(live: Live, action: Action): void {
    switch (action.type) {
      case 'xstate.spawnChild':
      case 'xstate.sendTo':
      case 'xstate.cancel':
      case 'xstate.emit':
        live.deferred.push(action);
        return;
      case 'xstate.raise':
        if (typeof (action.params as SendParams).delay === 'number') live.deferred.push(action);
        return;
      case 'xstate.stopChild': {
        const ref = action.params as AnyActorRef | undefined;
        if (ref === undefined) return;
        this.unregister(ref);
        const child = this.liveOf(ref);
        if (child?.phase === 'new') this.stopActor(child);
        else if (child?.phase === 'running') live.deferred.push(action);
        else this.letGo(ref);
        return;
      }
      case 'xstate.log': {
        const { label, value } = action.params as { label?: string; value: unknown };
        this.ask({ type: 'log', address: live.place.address, label, value: jsonOrText(value) });
        return;
      }
      default:
        this.break('MACHINE_UNSUPPORTED', `${where(live)}: action \`${action.type}\` is a function of its own, a side effect that would happen again at every replay. Use assign, emit, or spawn a member.`);
    }
  }

  private run(live: Live, action: Action): void {
    switch (action.type) {
      case 'xstate.spawnChild': {
        const { actorRef } = action.params as { actorRef?: AnyActorRef };
        if (actorRef !== undefined) this.start(actorRef);
        return;
      }
      case 'xstate.stopChild': {
        const child = this.liveOf(action.params as AnyActorRef);
        if (child !== undefined) this.stopActor(child);
        return;
      }
      case 'xstate.sendTo':
      case 'xstate.raise':
        this.send(live, action.params as SendParams);
        return;
      case 'xstate.cancel':
        this.cancel(live, (action.params as { sendId: string }).sendId);
        return;
      case 'xstate.emit': {
        const { event } = action.params as { event: unknown };
        this.ask({ type: 'emit', address: live.place.address, event: letterOf(event, `${where(live)}: emitted event`) });
        return;
      }
      default:
    }
  }

  private send(live: Live, { to, event, id, delay }: SendParams): void {
    if (typeof event !== 'object' || event === null || typeof event.type !== 'string') {
      throw new TypeError(`${where(live)}: an event to send must be an object with a type`);
    }
    if (typeof delay === 'number') return this.schedule(live, to === undefined ? live : keyOf(to), event, delay, id);
    if (to === undefined) throw new TypeError(`${where(live)}: unable to send \`${event.type}\`: its receiver is gone`);
    if (event.type.startsWith('troupe.')) throw new TroupeError('RESERVED_EVENT', `${where(live)}: event type \`${event.type}\` is the engine's own`);
    this.relayTo(live, keyOf(to), event.type === 'xstate.error' ? errorOf(live, (event as { data?: unknown }).data) : event);
  }

  // — Deliveries between actors ———————————————————————————————————————————————————————————

  private relayTo(from: Live, to: Key | undefined, event: Heard): void {
    if (to === undefined) throw new TypeError(`${where(from)}: unable to send \`${event.type}\`: the receiver is not an actor of this group`);
    this.note(from, to, event);
    const live = this.liveAt(to);
    if (live === undefined || live.phase === 'stopped') {
      if (!event.type.startsWith('xstate.')) this.deadLetter(from.place.address, to.place.address, event, live === undefined ? 'the actor was stopped' : `the actor has ${ended(live)}`);
      return;
    }
    const heard = live.logic.kind === 'member' && !isEngines(event.type) ? letterOf(event, `${where(from)}: event for member \`${to.place.address}\``) : event;
    this.enqueue(live, { event: heard, from: from.place.address });
  }

  private note(from: Key | undefined, to: Key, event: Heard): void {
    const address = from?.place.address ?? rootAddress;
    this.derived.push({ from: address, to: to.place.address, event });
    if (this.derived.length > this.system.bounds.deliveriesPerTurnMax) this.within('deliveriesPerTurnMax', this.derived.length, 'deliveries in one turn');
    if (from !== undefined) this.lanes.hash(from.place.hash);
    this.lanes.hash(to.place.hash);
    this.lanes.text(event.type);
  }

  // — Timers ——————————————————————————————————————————————————————————————————————————————

  private schedule(live: Live, to: Key | undefined, event: Heard, delay: number, id: unknown): void {
    if (typeof id !== 'string' || id === '') {
      this.break('MACHINE_UNSUPPORTED', `${where(live)}: a delayed \`${event.type}\` has no id. Give it one, \`{ delay, id }\`, so that its timer is the same one after a restart.`);
    }
    const dueAt = this.at + Math.max(0, delay);
    if (!Number.isFinite(dueAt)) throw new RangeError(`${where(live)}: the delay of \`${id}\` is ${delay}: expected a finite number of milliseconds`);
    let name = id;
    for (let number = 2; live.timers.some((timer) => timer.name === name); number += 1) name = `${id}#${number}`;
    const shadowed = live.timers.map((timer) => (timer.id === id && timer.cancellable ? { ...timer, cancellable: false } : timer));
    const order = (this.scheduledCount += 1);
    live.timers = [...shadowed, { name, id, dueAt, order, to, event, cancellable: true }];
    this.within('timersMax', (this.timerCount += 1), 'pending timers');
    this.ask({ type: 'setTimer', ...idOf(live), timer: name, dueAt });
  }

  private cancel(live: Live, id: string): void {
    const timer = live.timers.find((one) => one.id === id && one.cancellable);
    if (timer === undefined) return;
    live.timers = live.timers.filter((one) => one !== timer);
    this.clear(live, timer);
  }

  private clear(live: Live, timer: Timer): void {
    this.timerCount -= 1;
    this.ask({ type: 'clearTimer', ...idOf(live), timer: timer.name });
  }

  // — Finding actors ——————————————————————————————————————————————————————————————————————

  private liveOf(ref: AnyActorRef): Live | undefined {
    const key = keyOf(ref);
    return key === undefined ? undefined : this.liveAt(key);
  }

  private liveAt(key: Key): Live | undefined {
    let live = this.newest(key.place);
    while (live !== undefined && live.incarnation !== key.incarnation) live = live.older;
    return live;
  }

  /** The newest actor at a place; undefined when there never was one or it was stopped. */
  private newest(place: Place): Live | undefined {
    if (place.live !== undefined) return place.live;
    const cell = getAt(this.system.cells, place.index);
    if (cell?.actor === undefined) return undefined;
    return this.touch(place, cell.incarnation, cell.actor.ref, cell.actor.logic, cell, undefined);
  }

  private touch(place: Place, incarnation: number, ref: AnyActorRef, logic: Compiled, base: Cell | undefined, older: Live | undefined): Live {
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
      timers: actor?.timers ?? none,
      mailbox: [],
      deferred: [],
      older,
    };
    place.live = live;
    this.touched.push(live);
    return live;
  }

  /** The parent has asked for its stop: the id may be spawned again from now on. */
  private dismiss(ref: AnyActorRef | undefined): void {
    const live = ref === undefined ? undefined : this.liveOf(ref);
    if (live !== undefined) live.dismissed = true;
  }

  /** A settled or failed actor that its parent stops: nothing is left to be known of it and of those below. */
  private letGo(ref: AnyActorRef): void {
    const live = this.liveOf(ref);
    if (live === undefined) return;
    live.dismissed = true;
    for (const child of childrenOf(live.snapshot ?? stoppedSnapshot)) this.letGo(child);
  }

  /** System ids of a stopped subtree are free at once, before it stops. */
  private unregister(ref: AnyActorRef): void {
    if (this.systemIds().size === 0) return;
    for (const child of childrenOf(this.snapshotOf(ref))) this.unregister(child);
    this.unsetSystemId(ref);
  }

  // — Effects, bounds, end ————————————————————————————————————————————————————————————————

  private ask(effect: Asked): void {
    // Spelled out per kind by the callers; the union cannot be rebuilt by spreading.
    this.effects.push({ id: `${this.seq}:${this.effects.length}`, ...effect } as Effect);
    this.lanes.text(effect.type);
    if ('address' in effect) this.lanes.text(effect.address);
    if ('incarnation' in effect) this.lanes.number(effect.incarnation);
    if ('timer' in effect) this.lanes.text(effect.timer);
    if ('dueAt' in effect) this.lanes.number(effect.dueAt);
    if (effect.type === 'invoke') this.lanes.json(effect.input as unknown as JsonValue);
    if (effect.type === 'emit' || effect.type === 'deliver' || effect.type === 'deadLetter') this.lanes.json(effect.event);
    if (effect.type === 'log') this.lanes.json(effect.value);
    if (effect.type === 'end') this.lanes.json(effect as unknown as JsonValue);
  }

  private within(bound: keyof System['bounds'], value: number, what: string): void {
    const most = this.system.bounds[bound];
    if (value > most) this.break('LIMIT', `${what}: ${value} is over the bound \`${bound}\` of ${most}`, { bound });
  }

  /** Ends the turn and with it the group; XState may swallow the throw, so it is asked for again at each door. */
  private break(code: Code, message: string, details: Record<string, unknown> = {}): never {
    this.broken ??= new TroupeError(code, message, details);
    throw this.broken;
  }

  assertUnbroken(): void {
    if (this.broken !== undefined) throw this.broken;
  }

  /** The turn's result. */
  commit(): Step {
    const end = this.endOf();
    const cells = this.writtenCells();
    const next = this.systemWith(cells, this.system.end);
    if (end === undefined) return { system: next, effects: this.effects, derived: this.derived };
    for (const { address, incarnation } of wants(next)) this.ask({ type: 'cancel', address, incarnation });
    this.ask({ type: 'end', ...end });
    return { system: this.systemWith(cells, end), effects: this.effects, derived: this.derived };
  }

  /** The turn is taken back and the group ends as failed: the same in every replay. */
  abandon(error: TroupeError): Step {
    for (const { address, incarnation } of wants(this.system)) this.ask({ type: 'cancel', address, incarnation });
    const end: GroupEnd = { status: 'failed', error: plainTroupeError(error) };
    this.ask({ type: 'end', ...end });
    return { system: this.systemWith(this.system.cells, end), effects: this.effects, derived: this.derived };
  }

  private systemWith(cells: Vector<Cell>, end: GroupEnd | undefined): System {
    return {
      definition: this.system.definition,
      bounds: this.system.bounds,
      places: this.system.places,
      cells,
      systemIds: this.systemIds(),
      seq: this.seq,
      end,
      memberCount: this.memberCount,
      timerCount: this.timerCount,
      startedCount: this.startedCount,
      scheduledCount: this.scheduledCount,
      lanes: { a: this.lanes.a, b: this.lanes.b },
    };
  }

  private endOf(): GroupEnd | undefined {
    const root = this.system.places.byAddress.get(rootAddress)?.live;
    if (root === undefined || root.phase !== 'stopped') return undefined;
    const { status, output, error } = root.snapshot ?? stoppedSnapshot;
    if (status === 'error') return { status: 'failed', error: isPlainError(error) ? error : toPlainError(error) };
    if (status !== 'done') return { status: 'cancelled', reason: this.reason };
    try {
      return { status: 'completed', output: output === undefined ? null : toJson(output, `${where(root)}: output`) };
    } catch (thrown) {
      return { status: 'failed', error: toPlainError(thrown) };
    }
  }

  /** Why the coordinator was stopped, when it was. */
  reason = 'stopped';

  private writtenCells(): Vector<Cell> {
    let { cells } = this.system;
    for (const newest of this.touched) {
      if (newest.place.live !== newest) continue;
      const { place } = newest;
      const live = this.survivorOf(newest);
      const base = getAt(cells, place.index);
      const last = Math.max(newest.incarnation, base?.last ?? 0);
      const running = live?.phase === 'running';
      const actor = live?.base?.actor;
      if (actor !== undefined && actor.snapshot === live?.snapshot && actor.timers === live.timers && actor.running === running && base?.last === last) continue;
      const snapshot = live?.snapshot ?? stoppedSnapshot;
      cells = setAt<Cell>(cells, place.index, {
        place,
        last,
        incarnation: live?.incarnation ?? last,
        actor: live === undefined ? undefined : { ref: live.ref, logic: live.logic, snapshot, running, order: live.order, timers: live.timers },
      });
      this.lanes.hash(place.hash);
      this.lanes.text(snapshot.status);
      if (live?.logic.kind === 'machine') this.lanes.state((snapshot as { value?: unknown }).value);
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
    this.made.length = 0;
  }

  private scopeOf(live: Live): AnyActorScope {
    let scope = scopes[this.scopeDepth];
    if (scope === undefined) scopes[this.scopeDepth] = scope = newScope();
    this.scopeDepth += 1;
    scope.self = live.ref;
    scope.id = live.ref.id;
    scope.sessionId = live.ref.sessionId;
    scope.actionExecutor = collect;
    running = this;
    return scope;
  }
}

interface SendParams {
  readonly to?: AnyActorRef;
  readonly event: Heard;
  readonly id?: unknown;
  readonly delay?: unknown;
}

/** What XState tells a parent of its child's end. */
interface ActorDone extends Heard {
  readonly output: unknown;
  readonly actorId: string;
}
interface ActorFailed extends Heard {
  readonly error: unknown;
  readonly actorId: string;
}

function errorOf(live: Live, error: unknown): ActorFailed {
  return { type: `xstate.error.actor.${live.ref.id}`, error, actorId: live.ref.id };
}

const none: readonly Timer[] = [];

/** The turn whose scope XState has; actors run one at a time. */
let running: Turn | undefined;

const collect = (action: Action) => running?.collect(action);

/**
 * XState touch point: scopes are taken from a stack, one per actor that is being made or run inside another, and
 * their executor must be writable, because each microstep puts its own in front of it.
 */
const scopes: AnyActorScope[] = [];

function newScope(): AnyActorScope {
  return {
    self: undefined as unknown as AnyActorRef,
    id: '',
    sessionId: '',
    system: groupSystem,
    logger: () => {},
    defer: (start) => running?.defer(start),
    emit: () => {},
    stopChild: () => {},
    actionExecutor: collect,
  };
}

/** Refs of the children in a snapshot; empty for all but machines. */
function childrenOf(snapshot: AnySnapshot): readonly AnyActorRef[] {
  const { children } = snapshot as AnySnapshot & { children?: Record<string, AnyActorRef | undefined> };
  return children === undefined ? [] : Object.values(children).filter((child) => child !== undefined);
}

/** Stopped actors, and those that never got to start, leave only their number behind. */
function isKept(live: Live): boolean {
  return live.phase === 'running' || (live.phase === 'stopped' && !live.dismissed && live.snapshot?.status !== 'stopped' && live.snapshot?.status !== 'active');
}

/** An event that leaves the group: JSON, checked. */
function letterOf(event: unknown, label: string): EventObject {
  return toJson(event, label) as EventObject;
}

function idOf(live: Live): ActorKey {
  return { address: live.place.address, incarnation: live.incarnation };
}

/**
 * Is there a living actor of the same parent and id? An actor whose parent was dismissed is none: it belongs
 * to an earlier incarnation of that parent and is about to stop with it.
 */
function hasRival(older: Live | undefined, ref: AnyActorRef): boolean {
  for (let live = older; live !== undefined; live = live.older) {
    if (live.phase !== 'stopped' && !live.dismissed && live.ref._parent === ref._parent) return true;
  }
  return false;
}

function isEngines(type: string): boolean {
  return type.startsWith('xstate.') || type.startsWith('troupe.');
}

function parentOf(live: Live): Address {
  const { _parent: parent } = live.ref;
  return (parent === undefined ? undefined : keyOf(parent)?.place.address) ?? rootAddress;
}

function ended(live: Live): string {
  switch (live.snapshot?.status) {
    case 'done':
      return 'settled';
    case 'error':
      return 'failed';
    default:
      return 'stopped';
  }
}

function where(live: Live): string {
  const id = live.logic.id;
  return live.place.address === rootAddress ? `machine \`${id}\`` : `machine \`${id}\`, actor \`${live.place.address}\``;
}

/** For logs only: what is not JSON is shown as text. */
function jsonOrText(value: unknown): JsonValue {
  try {
    return value === undefined ? null : toJson(value, 'log');
  } catch {
    return String(value);
  }
}
