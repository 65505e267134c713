/**
 * The kernel: `step(system, entry)` decides everything and performs nothing (G5). A live host, a replay, time travel
 * and the model checker all run this function, and only the host does what the effects ask.
 */
import { createActor, type AnyActorRef } from 'xstate';
import type { Entry } from '../journal/port.ts';
import type { DeliveryMode } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import { rootAddress } from './address.ts';
import { defaultBounds, type Bounds } from './bounds.ts';
import type { Heard } from './snapshot.ts';
import type { Definition } from './definition.ts';
import type { Address, Delivery, Effect } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import { progressRun } from './progress-run.ts';
import { isReserved } from './reserved.ts';
import { cellAt, emptySystem, wants, type System } from './system.ts';
import { runTurn, type Step } from './run-turn.ts';

export { define, type Definition } from './definition.ts';
export { persist, restore } from './persist.ts';
export { actors, digest, output, snapshotAt, status, timers, wants } from './system.ts';
export type { PendingTimer, System, Want } from './system.ts';
export type { Step } from './run-turn.ts';

/** What of an entry the fold reads. */
export type FoldedEntry = Pick<Entry, 'seq' | 'at' | 'type' | 'data'>;

/** From what a group begins: its `group.created` entry. */
export interface Beginning {
  readonly seq: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly input: JsonValue;
  /** Default {@link defaultBounds}. */
  readonly bounds?: Bounds;
}

/** The first turn: makes and starts the coordinator. */
export function start(definition: Definition, { seq, at, input, bounds = defaultBounds }: Beginning): Step {
  return runTurn(emptySystem(definition, bounds), seq, at, (turn) => {
    turn.startRoot(() => createActor(definition.root.adapter, { id: definition.id, input }) as AnyActorRef);
  });
}

/**
 * Folds one entry. What is not for the actors (the host's bookkeeping) returns the same system; what comes too late,
 * or with a type that only the engine may make, changes no actor and asks for a dead letter.
 */
export function step(system: System, entry: FoldedEntry): Step {
  // Entries were checked when they were appended or read; their data has the shape of their type.
  switch (entry.type) {
    case 'signal':
      return signal(system, entry, entry.data as unknown as GroupEvents['signal']);
    case 'message':
      return message(system, entry, entry.data as unknown as Message);
    case 'member.settled':
      return settle(system, entry, entry.data as unknown as GroupEvents['member.settled']);
    case 'member.progress':
      return progress(system, entry, entry.data as unknown as GroupEvents['member.progress']);
    case 'timer.fired':
      return fire(system, entry, entry.data as unknown as GroupEvents['timer.fired']);
    case 'group.cancelled':
      return cancel(system, entry, entry.data as unknown as GroupEvents['group.cancelled']);
    default:
      return same(system);
  }
}

/** From a member, or from outside, to an actor: it hears all of it but `to`. */
export interface Message {
  readonly id: string;
  readonly from: string;
  readonly to: Address;
  readonly type: string;
  readonly body: JsonValue;
  readonly inReplyTo?: string;
  /** How a member takes it; the coordinator hears all alike. */
  readonly mode?: DeliveryMode;
}

const noEffects: readonly Effect[] = [];
const noDeliveries: readonly Delivery[] = [];

function same(system: System): Step {
  return { system, effects: noEffects, derived: noDeliveries };
}

function signal(system: System, entry: FoldedEntry, { from, event, to }: GroupEvents['signal']): Step {
  if (to === undefined) return hear(system, entry, rootAddress, from, event);
  const { address, incarnation } = to;
  const cell = cellAt(system, address);
  const isGone = cell?.incarnation !== incarnation || cell.actor === undefined;
  if (system.end !== undefined || !isGone) return hear(system, entry, address, from, event);
  return dead(system, entry, address, from, event, `incarnation ${incarnation} of the machine that asked was stopped`);
}

function message(system: System, entry: FoldedEntry, told: Message): Step {
  const { id, from, to, type, body, inReplyTo, mode } = told;
  if (body !== undefined && inReplyTo === undefined && mode === undefined) {
    // Keys in their canonical order: the digest is made of the text as it stands.
    const event: Heard & Omit<Message, 'to'> = { body, from, id, type };
    return hear(system, entry, to, from, event);
  }
  const { to: _, ...event } = told;
  return hear(system, entry, to, from, event);
}

function hear(system: System, entry: FoldedEntry, to: Address, from: string, event: Heard): Step {
  const refusal =
    system.end !== undefined
      ? `the group has ${system.end.status}`
      : isReserved(event.type)
        ? 'the event type is the engine’s own'
        : undefined;
  if (refusal !== undefined) return dead(system, entry, to, from, event, refusal);
  return runTurn(system, entry.seq, entry.at, (turn) => turn.deliver(to, from, event));
}

function settle(system: System, entry: FoldedEntry, settled: GroupEvents['member.settled']): Step {
  const { member, incarnation, outcome } = settled;
  const event: Heard & { outcome: unknown } = { type: 'troupe.settled', outcome };
  const stale = staleness(system, member, incarnation);
  if (stale !== undefined) return dead(system, entry, member, member, event, stale);
  return runTurn(system, entry.seq, entry.at, (turn) => turn.deliver(member, member, event));
}

function progress(system: System, entry: FoldedEntry, data: GroupEvents['member.progress']): Step {
  const run = progressRun(system);
  run.add(entry.seq, data);
  return same(run.end());
}

function fire(
  system: System,
  entry: FoldedEntry,
  { address, incarnation, timer, dueAt }: GroupEvents['timer.fired'],
): Step {
  const cell = cellAt(system, address);
  const isPending =
    system.end === undefined &&
    cell?.incarnation === incarnation &&
    cell.actor?.timers.some((one) => one.name === timer && one.dueAt === dueAt) === true;
  if (!isPending) return same(system);
  return runTurn(system, entry.seq, entry.at, (turn) => turn.fire(address, incarnation, timer, dueAt));
}

function cancel(system: System, entry: FoldedEntry, { reason }: GroupEvents['group.cancelled']): Step {
  const left = system.end === undefined ? [] : wants(system);
  if (system.end !== undefined && left.length === 0) return same(system);
  return runTurn(system, entry.seq, entry.at, (turn) => {
    turn.reason = reason;
    if (system.end === undefined) turn.stop(rootAddress);
    for (const { address } of left) turn.stop(address);
  });
}

/** Why a settlement comes too late, if it does. */
function staleness(system: System, member: Address, incarnation: number): string | undefined {
  const cell = cellAt(system, member);
  const goesOn = system.end !== undefined && cell?.actor?.running === true && wants(system).some(isSame(member));
  if (system.end !== undefined && !goesOn) return `the group has ${system.end.status}`;
  if (cell === undefined) return 'no such member';
  if (cell.incarnation !== incarnation)
    return `incarnation ${incarnation} was stopped; now there is ${cell.incarnation}`;
  if (cell.actor === undefined) return 'the member was stopped';
  if (cell.actor.logic.kind !== 'member') return 'the actor is not a member';
  return cell.actor.running ? undefined : 'the member is settled already';
}

const isSame = (member: Address) => (want: { readonly address: Address }) => want.address === member;

function dead(system: System, entry: FoldedEntry, to: Address, from: string, event: Heard, reason: string): Step {
  return runTurn(system, entry.seq, entry.at, (turn) => turn.deadLetter(from, to, event, reason));
}
