/**
 * What each of XState's actions comes to. As in XState, an action has two halves: what its executor does at once, while the
 * transition is still running, and what is done in order when it is over.
 */
import type { AnyActorRef } from 'xstate';
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { rootAddress } from './address.ts';
import type { Key, Live } from './cell.ts';
import { strangerTo, where } from './describe.ts';
import type { Limits } from './limits.ts';
import { letterOf, type Outbox } from './outbox.ts';
import { keyOf } from './ref.ts';
import type { Roster } from './roster.ts';
import type { Action, Heard } from './snapshot.ts';
import { isBackground } from './system.ts';
import type { Timetable } from './timetable.ts';

/** What actions are done with. */
export interface Deeds {
  readonly limits: Limits;
  readonly roster: Roster;
  readonly outbox: Outbox;
  readonly timetable: Timetable;
  start(ref: AnyActorRef): void;
  stopActor(live: Live): void;
  relay(from: Live, to: Key | undefined, event: Heard): void;
}

/** XState touch point: parameters of sendTo and raise. */
interface SendParams {
  readonly to?: AnyActorRef;
  readonly event: Heard;
  readonly id?: unknown;
  readonly delay?: unknown;
}

/** What XState tells a parent of a child that failed. */
interface ActorFailed extends Heard {
  readonly error: unknown;
  readonly actorId: string;
}

/** The event by which a parent hears that this actor failed. */
export function failureOf({ ref }: Live, error: unknown): ActorFailed {
  return { type: `xstate.error.actor.${ref.id}`, error, actorId: ref.id };
}

/** Whom a stopChild means. Undefined for nobody: XState's own resolver hands on whatever it was given, also null and false. */
export function stoppedBy({ params }: Action): AnyActorRef | undefined {
  return (params || undefined) as AnyActorRef | undefined;
}

/** True for a child of this actor's own. */
export function isChild(ref: AnyActorRef, { ref: parent }: Live): boolean {
  return ref._parent === parent;
}

/** As XState does: whoever made the actor would wait for it in vain. */
function refuseOthers(live: Live, ref: AnyActorRef): void {
  if (!isChild(ref, live))
    throw new Error(`Cannot stop child actor ${ref.id} of ${live.ref.id} because it is not a child`);
}

/** The first half; what has a second one is put off. */
export function look(deeds: Deeds, live: Live, action: Action): void {
  const { roster } = deeds;
  switch (action.type) {
    case 'xstate.spawnChild': {
      const { actorRef, src } = action.params as { actorRef?: AnyActorRef; src?: unknown };
      if (actorRef === undefined)
        deeds.limits.break(
          'MACHINE_UNSUPPORTED',
          `${where(live)}: actor \`${String(src)}\` is not registered. Add it to setup({ actors }).`,
        );
      live.deferred.push(action);
      return;
    }
    case 'xstate.sendTo':
    case 'xstate.cancel':
    case 'xstate.emit':
      live.deferred.push(action);
      return;
    case 'xstate.raise':
      if (typeof (action.params as SendParams).delay === 'number') live.deferred.push(action);
      return;
    case 'xstate.stopChild': {
      const ref = stoppedBy(action);
      if (ref === undefined) return;
      roster.unregister(ref);
      const child = roster.of(ref);
      if (child?.phase !== 'running') refuseOthers(live, ref);
      if (child?.phase === 'new') deeds.stopActor(child);
      else if (child?.phase === 'running') live.deferred.push(action);
      else roster.letGo(ref);
      return;
    }
    case 'xstate.log': {
      const { label, value } = action.params as { label?: string; value: unknown };
      deeds.outbox.ask({ type: 'log', address: live.place.address, label, value: jsonOrText(value) });
      return;
    }
    default: {
      const why =
        action.exec === undefined
          ? 'not implemented. Add it to setup({ actions }).'
          : 'a function of its own, a side effect that would happen again at every replay. Use assign, emit, or spawn a member.';
      deeds.limits.break('MACHINE_UNSUPPORTED', `${where(live)}: action \`${action.type}\` is ${why}`);
    }
  }
}

/** The second half. */
export function run(deeds: Deeds, live: Live, action: Action): void {
  switch (action.type) {
    case 'xstate.spawnChild': {
      deeds.start((action.params as { actorRef: AnyActorRef }).actorRef);
      return;
    }
    case 'xstate.stopChild': {
      const ref = action.params as AnyActorRef;
      refuseOthers(live, ref);
      const child = deeds.roster.of(ref);
      if (child !== undefined && !outlives(child, live)) deeds.stopActor(child);
      return;
    }
    case 'xstate.sendTo':
    case 'xstate.raise':
      send(deeds, live, action.params as SendParams);
      return;
    case 'xstate.cancel':
      deeds.timetable.cancel(live, (action.params as { sendId: string }).sendId);
      return;
    case 'xstate.emit': {
      const { event: told } = action.params as { event: unknown };
      // Other things without a type XState lets pass, for nobody can listen for them.
      if (told === null)
        throw new TypeError(`${where(live)}: an event to emit must be an object with a type, got null`);
      const event = letterOf(told, `${where(live)}: emitted event`);
      const { address } = live.place;
      const { incarnation } = live;
      const asked = { type: 'emit', address, event } as const;
      deeds.outbox.ask(address === rootAddress ? asked : { ...asked, incarnation });
      return;
    }
    default:
  }
}

function send(deeds: Deeds, live: Live, { to, event, id, delay }: SendParams): void {
  if (typeof event !== 'object' || event === null || typeof event.type !== 'string') {
    throw new TypeError(`${where(live)}: an event to send must be an object with a type`);
  }
  const { type } = event;
  if (to !== undefined && type.startsWith('troupe.')) {
    throw new TroupeError('RESERVED_EVENT', `${where(live)}: event type \`${type}\` is the engine's own`);
  }
  if (typeof delay === 'number') {
    const receiver = to === undefined ? live : keyOf(to);
    // Now, for there is no transition that could fail when it is due.
    if (receiver === undefined) throw new TypeError(strangerTo(live, type));
    return deeds.timetable.set(live, receiver, event, delay, id);
  }
  if (to === undefined) throw new TypeError(`${where(live)}: unable to send \`${type}\`: its receiver is gone`);
  // XState turns what escalate sends into the sender's own failure.
  const sent = type === 'xstate.error' ? failureOf(live, (event as Heard & { data?: unknown }).data) : event;
  deeds.relay(live, keyOf(to), sent);
}

/** True for a background member whose coordinator, the group's own, has ended. */
export function outlives({ logic, place, phase, snapshot }: Live, parent: Live): boolean {
  const isOver = parent.snapshot?.status === 'done' || parent.snapshot?.status === 'error';
  return isOver && phase === 'running' && logic.kind === 'member' && isBackground(place.address, snapshot);
}

/** For logs only: what is not JSON is shown as text. */
function jsonOrText(value: unknown): JsonValue {
  try {
    return value === undefined ? null : toJson(value, 'log');
  } catch {
    return String(value);
  }
}
