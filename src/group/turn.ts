/**
 * One turn: an input folded until every mailbox is empty again. It mirrors, method by method, what XState's
 * `Actor` does (5.33, raise-*.js: start, update, _process, _stop, _error, _stopProcedure, Mailbox), with effects
 * in place of deeds. Two amendments, both told in the README: an actor that fails because its transition
 * threw stops its children (XState would leave them running, unheard), and a stopped actor takes all its timers with it.
 *
 * Deliveries run depth first, as in XState: a receiver runs to completion before its sender goes on, unless
 * it is busy or still starting; then the event waits in its mailbox.
 */
import type { AnyActorRef } from 'xstate';
import { failureOf, look, outlives, run, type Deeds } from './actions.ts';
import { addressSeparator, rootAddress } from './address.ts';
import { empty, type Deferred, type Key, type Letter, type Live } from './cell.ts';
import { endedHow, flawOfSpawn, idOf, inlineSpawn, parentOf, strangerTo, where } from './describe.ts';
import { Digest } from './digest.ts';
import type { Address, EventObject } from './effect.ts';
import { hears } from './hearing.ts';
import { Limits } from './limits.ts';
import type { Compiled } from './logic.ts';
import type { MemberSnapshot } from './member.ts';
import { letterOf, Outbox } from './outbox.ts';
import { toPlainError } from './plain-error.ts';
import { adopt, keyOf, type Stage } from './ref.ts';
import { isReserved } from './reserved.ts';
import { Roster } from './roster.ts';
import { Runner } from './runner.ts';
import { childrenOf, stoppedSnapshot, type AnySnapshot, type Heard } from './snapshot.ts';
import type { System } from './system.ts';
import { Timetable } from './timetable.ts';

const initEvent: Heard = { type: 'xstate.init' };
const stopEvent: Heard = { type: 'xstate.stop' };

/** What XState tells a parent of a child that is done. */
interface ActorDone extends Heard {
  readonly output: unknown;
  readonly actorId: string;
}

/** One turn under way. */
export class Turn implements Stage, Deeds {
  readonly system: System;
  readonly seq: number;
  readonly limits: Limits;
  readonly roster: Roster;
  readonly lanes: Digest;
  readonly outbox: Outbox;
  readonly timetable: Timetable;
  /** Actors ever started. */
  startedCount: number;
  /** Why the coordinator was stopped, when it was. */
  reason = 'stopped';
  private readonly runner = new Runner(this);
  readonly microstep = this.runner.onMicrostep;
  private deliveryDepth = 0;

  constructor(system: System, seq: number, at: number) {
    this.system = system;
    this.seq = seq;
    this.limits = new Limits(system.bounds);
    this.roster = new Roster(system);
    this.lanes = new Digest(system.lanes);
    this.lanes.number(seq);
    this.outbox = new Outbox(seq, this.lanes, this.limits);
    this.timetable = new Timetable(system, at, this.limits, this.outbox);
    this.startedCount = system.startedCount;
  }

  // — Inputs ——————————————————————————————————————————————————————————————————————————————

  /** An event from outside the actors; a dead letter when nobody runs there. */
  deliver(address: Address, from: string, event: Heard): void {
    const live = this.roster.at(address);
    if (live === undefined || live.phase !== 'running') {
      this.deadLetter(from, address, event, live === undefined ? 'no such actor' : `the actor has ${endedHow(live)}`);
    } else {
      this.enqueue(live, { event, from });
    }
  }

  /** Fires a timer; nothing when it is not pending any more. */
  fire(address: Address, incarnation: number, name: string, dueAt: number): void {
    const live = this.roster.at(address);
    if (live === undefined || live.incarnation !== incarnation) return;
    const timer = this.timetable.fire(live, name, dueAt);
    if (timer !== undefined) this.relay(live, timer.to, timer.event);
  }

  /** Stops from outside who lives at this address. */
  stop(address: Address): void {
    const live = this.roster.at(address);
    if (live !== undefined) this.stopActor(live);
  }

  /** Says that something could not be delivered. */
  deadLetter(from: string, to: Address, event: Heard, reason: string): void {
    this.outbox.deadLetter(from, to, event, reason);
  }

  // — What XState calls ———————————————————————————————————————————————————————————————————

  create(logic: Compiled, ref: AnyActorRef, input: unknown): AnySnapshot {
    const { limits, roster } = this;
    limits.assertUnbroken();
    const flaw = ref._parent === undefined ? undefined : flawOfSpawn(ref);
    if (flaw !== undefined) limits.break('MACHINE_UNSUPPORTED', `${this.whose(ref)}: ${flaw}`);
    const place = roster.placeFor(ref);
    if (place === undefined) {
      return limits.break(
        'DUPLICATE_NAME',
        `${this.whose(ref)}: actor \`${ref.id}\` was spawned while an actor of that id is alive. Stop it first, or give the second another id.`,
      );
    }
    const live = roster.add(place, ref, logic);
    const { incarnation } = live;
    limits.within('incarnationsMax', incarnation, `actor \`${place.address}\``);
    limits.within('membersMax', roster.memberCount, 'members');
    if (logic.kind === 'machine' && place.address !== rootAddress)
      limits.within('depthMax', place.address.split(addressSeparator).length, `nesting of \`${place.address}\``);
    adopt(ref, { place, incarnation });
    live.snapshot = this.runner.first(live, input);
    return live.snapshot;
  }

  refuseInline(ref: AnyActorRef): never {
    return this.limits.break('MACHINE_UNSUPPORTED', `${this.whose(ref)}: ${inlineSpawn}`);
  }

  /** The machine that makes this actor, for messages. */
  private whose(ref: AnyActorRef): string {
    const parent = ref._parent === undefined ? undefined : this.roster.of(ref._parent);
    return parent === undefined ? `machine \`${this.system.definition.id}\`` : where(parent);
  }

  // — An actor's life: Actor.start, update, _process, _error, _stop, _stopProcedure ————————————

  /** Makes, starts and runs the coordinator. `make` has XState's createActor make it. */
  startRoot(make: () => AnyActorRef): void {
    const ref = make();
    this.limits.assertUnbroken();
    this.start(ref);
  }

  start(ref: AnyActorRef): void {
    this.limits.assertUnbroken();
    const live = this.roster.of(ref);
    if (live === undefined || live.phase !== 'new') return;
    const { systemId } = ref as { systemId?: string };
    if (systemId !== undefined) this.roster.setSystemId(systemId, ref);
    live.phase = 'running';
    live.order = this.startedCount += 1;
    this.outbox.note(ref._parent === undefined ? undefined : keyOf(ref._parent), live, initEvent);
    const snapshot = live.snapshot ?? stoppedSnapshot;
    if (snapshot.status === 'done') return this.update(live, snapshot);
    if (snapshot.status === 'error') return this.failed(live, snapshot.error);
    if (live.logic.kind === 'machine') {
      try {
        for (const child of childrenOf(snapshot))
          if (this.roster.snapshotOf(child).status === 'active') this.start(child);
      } catch (error) {
        this.limits.assertUnbroken();
        live.snapshot = { ...snapshot, status: 'error', error: toPlainError(error) };
        return this.failed(live, live.snapshot.error);
      }
    }
    if (live.logic.kind === 'member')
      this.outbox.ask({ type: 'invoke', ...idOf(live), input: (snapshot as MemberSnapshot).input });
    this.update(live, snapshot);
    live.open = true;
    if (live.mailbox.length > 0 && !live.busy) this.drain(live, undefined);
  }

  private enqueue(live: Live, letter: Letter): void {
    // Most letters are read at once: what need not wait does not go through the mailbox.
    if (live.open && !live.busy && live.mailbox.length === 0) return this.drain(live, letter);
    live.mailbox.push(letter);
    if (live.open && !live.busy) this.drain(live, undefined);
  }

  private drain(live: Live, first: Letter | undefined): void {
    live.busy = true;
    this.deliveryDepth += 1;
    this.limits.within('deliveryDepthMax', this.deliveryDepth, 'deliveries inside one another');
    for (let letter = first ?? live.mailbox.shift(); letter !== undefined; letter = live.mailbox.shift()) {
      this.process(live, letter);
      if (live.phase === 'stopped') empty(live.mailbox);
    }
    this.deliveryDepth -= 1;
    live.busy = false;
  }

  private process(live: Live, { event, from }: Letter): void {
    const before = live.snapshot ?? stoppedSnapshot;
    if (live.logic.kind === 'member' && !isReserved(event.type)) this.outbox.deliver(live, from, event as EventObject);
    else if (live.logic.kind === 'machine' && live.logic.fast === undefined && !hears(live.logic, before, event.type))
      return;
    let after: AnySnapshot;
    try {
      after = this.runner.next(live, before, event);
    } catch (error) {
      this.limits.assertUnbroken();
      empty(live.deferred);
      live.snapshot = { ...before, status: 'error', error: toPlainError(error) };
      this.failed(live, live.snapshot.error);
      return;
    }
    this.update(live, after);
    if (event.type === stopEvent.type) this.halt(live);
  }

  private update(live: Live, snapshot: AnySnapshot): void {
    this.limits.assertUnbroken();
    live.snapshot = snapshot;
    const { deferred } = live;
    try {
      for (let index = 0; index < deferred.length; index += 1) this.perform(live, deferred[index] as Deferred);
    } catch (error) {
      this.limits.assertUnbroken();
      live.snapshot = { ...snapshot, status: 'error', error: toPlainError(error) };
    }
    empty(deferred);
    if (live.snapshot.status === 'done') {
      this.halt(live);
      const event: ActorDone = {
        type: `xstate.done.actor.${live.ref.id}`,
        output: live.snapshot.output,
        actorId: live.ref.id,
      };
      this.tellParent(live, event);
    } else if (live.snapshot.status === 'error') {
      this.failed(live, live.snapshot.error);
    }
  }

  private failed(live: Live, error: unknown): void {
    for (const child of childrenOf(live.snapshot)) {
      const orphan = this.roster.orphan(child);
      if (orphan !== undefined && !outlives(orphan, live)) this.stopActor(orphan);
    }
    this.halt(live);
    this.tellParent(live, failureOf(live, error));
  }

  stopActor(live: Live): void {
    if (live.phase === 'stopped') return;
    // XState's Mailbox.clear keeps the letter at its head, also where that one is not being read.
    live.mailbox.length = Math.min(live.mailbox.length, live.busy ? 0 : 1);
    if (live.phase === 'new') live.phase = 'stopped';
    else this.enqueue(live, { event: stopEvent, from: parentOf(live) });
  }

  private halt(live: Live): void {
    if (live.phase !== 'running') return;
    this.timetable.clearAll(live);
    empty(live.mailbox);
    live.phase = 'stopped';
    this.roster.unsetSystemId(live.ref);
    if (live.logic.kind === 'member' && live.snapshot?.status !== 'done' && live.snapshot?.status !== 'error') {
      this.outbox.ask({ type: 'cancel', ...idOf(live) });
    }
  }

  private tellParent(live: Live, event: Heard): void {
    const { _parent: parent } = live.ref;
    if (parent !== undefined) this.relay(live, keyOf(parent), event);
  }

  private perform(live: Live, deferred: Deferred): void {
    if (typeof deferred === 'function') deferred();
    else if ('unseen' in deferred) look(this, live, deferred.unseen);
    else run(this, live, deferred);
  }

  // — Deliveries between actors ———————————————————————————————————————————————————————————

  relay(from: Live, to: Key | undefined, event: Heard): void {
    if (to === undefined) throw new TypeError(strangerTo(from, event.type));
    this.outbox.note(from, to, event);
    const live = this.roster.exactly(to);
    if (live === undefined || live.phase === 'stopped') {
      if (!event.type.startsWith('xstate.'))
        this.deadLetter(
          from.place.address,
          to.place.address,
          event,
          live === undefined ? 'the actor was stopped' : `the actor has ${endedHow(live)}`,
        );
      return;
    }
    const heard =
      live.logic.kind === 'member' && !isReserved(event.type)
        ? letterOf(event, `${where(from)}: event for member \`${to.place.address}\``)
        : event;
    this.enqueue(live, { event: heard, from: from.place.address });
  }
}
