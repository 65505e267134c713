/**
 * What a group's actors are at each position: its entries stepped again by the kernel that ships (G5). The actor
 * system is an immutable value, so that a keyframe keeps it and any stretch is stepped again from there.
 */
import type { Draft } from 'immer';
import type { AnyEventObject, AnyStateMachine, AnyStateNode } from 'xstate';
import type { Entry } from '../journal/port.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { Cell } from '../group/cell.ts';
import { definitionOf, type Definition } from '../group/definition.ts';
import type { Delivery, Effect } from '../group/effect.ts';
import type { GroupEvents } from '../group/entries.ts';
import type { Compiled } from '../group/logic.ts';
import type { AnySnapshot } from '../group/snapshot.ts';
import { start, step } from '../group/step.ts';
import { takeOver } from '../group/taken-over.ts';
import { digest, snapshotAt, type System } from '../group/system.ts';
import { emptyVector, forEachChanged } from '../group/vector.ts';
import { isMeant, transitionId, type Chart } from './chart.ts';
import { keyFor } from './key.ts';
import type { ActorState, DeliveryState, GroupState } from './model.ts';
import { overwrite } from './overwrite.ts';
import { plain } from './plain.ts';

/** What one entry came to in its group. */
export interface Turned {
  readonly system: System | undefined;
  readonly effects: readonly Effect[];
  readonly derived: readonly Delivery[];
  /** Recorded and folded digest before this entry, where they differ. */
  readonly divergence?: { readonly recorded: string; readonly folded: string };
}

const nothing = { effects: [], derived: [] };

/** Folds one entry of a group's stream, by the version of the machine that wrote it (`newest` knows the older ones); what the machine throws ends nothing here: it is the journal's word that counts. */
export function turned(newest: Definition, system: System | undefined, entry: Entry): Turned {
  const diverged =
    entry.fold === undefined || system === undefined || !entry.fold.startsWith(`${entry.seq - 1}:`)
      ? undefined
      : entry.fold === `${entry.seq - 1}:${digest(system)}`
        ? undefined
        : { recorded: entry.fold, folded: `${entry.seq - 1}:${digest(system)}` };
  const divergence = diverged === undefined ? {} : { divergence: diverged };
  if (entry.type === 'group.migrated') return { ...takeOver(newest, entry.stream, entry), ...divergence };
  if (system !== undefined) return { ...step(system, entry), ...divergence };
  if (entry.type !== 'group.created') return { system, ...nothing };
  const { input, bounds, machine } = entry.data as unknown as GroupEvents['group.created'];
  // A copy, for the same entry may be folded again.
  const own = toJson(input, 'input');
  return start(definitionOf(newest, machine.version), { seq: entry.seq, at: entry.at, input: own, bounds });
}

/** The key of a machine's chart: the group's own, and each below it by the name it is spawned by. */
export function chartKey(definition: Definition, logic: Compiled): string {
  return logic === definition.root
    ? `${definition.id}@${definition.version}`
    : `${definition.id}@${definition.version}/${logic.id}`;
}

/** All machines of a definition that can be drawn, by their key. */
export function machinesOf(definition: Definition): ReadonlyMap<string, Extract<Compiled, { kind: 'machine' }>> {
  const found = new Map<string, Extract<Compiled, { kind: 'machine' }>>();
  const visit = (logic: Compiled) => {
    if (logic.kind !== 'machine') return;
    const key = chartKey(definition, logic);
    if (found.has(key)) return;
    found.set(key, logic);
    for (const child of logic.sources.values()) visit(child);
  };
  visit(definition.root);
  return found;
}

/** A turn, and what is known besides. */
export interface Told {
  readonly definition: Definition;
  readonly before: System | undefined;
  readonly turned: Turned;
  readonly position: number;
  readonly charts: Readonly<Record<string, Chart>>;
  /** What the entry itself brought to an actor. */
  readonly heard: DeliveryState | undefined;
  /** The actor at an address as it was told before this turn. */
  actorBefore(address: string): ActorState | undefined;
}

/** An actor after a turn; what takes long to work out is left to {@link whole}. */
export interface TurnedActor extends ActorState {
  /** Its active nodes before this turn. */
  readonly was: readonly string[];
  /** What it was, and the one event that it heard in this turn; undefined where it heard several, or what it heard stands only in the entry. */
  readonly one:
    | { readonly machine: AnyStateMachine; readonly before: AnySnapshot; readonly event: AnyEventObject }
    | undefined;
}

/**
 * The actors that a turn changed, by address; null for one that is gone. Contexts and last transitions are left for {@link whole}. Members
 * are the ledger's.
 */
export function actorsAfter({
  definition,
  before,
  turned,
  position,
  heard,
  actorBefore,
}: Told): ReadonlyMap<string, TurnedActor | null> {
  const { system, derived } = turned;
  const after = new Map<string, TurnedActor | null>();
  if (system === undefined) return after;
  forEachChanged(before?.cells ?? emptyVector<Cell>(), system.cells, (cell) => {
    const { address } = cell.place;
    const { actor } = cell;
    if (actor?.logic.kind === 'member') return;
    if (actor === undefined) {
      if (actorBefore(address) !== undefined) after.set(address, null);
      return;
    }
    const own = derived.filter(({ to }) => to === address);
    const events = own.map(({ event }) => event.type);
    if (heard?.to === address) events.unshift(heard.type);
    const known = before === undefined ? undefined : snapshotAt(before, address);
    const [first] = own;
    const one =
      actor.logic.kind === 'machine' && known !== undefined && first !== undefined && events.length === 1
        ? { machine: actor.logic.logic, before: known, event: first.event }
        : undefined;
    after.set(address, { ...actorState(definition, cell, actor, position, events, actorBefore(address)), one });
  });
  return after;
}

/** The actor with the context that it has in `system`, and the transitions that led there. */
export function whole(
  { was, one, ...actor }: TurnedActor,
  system: System | undefined,
  charts: Told['charts'],
): ActorState {
  const chart = actor.chart === null ? undefined : charts[actor.chart];
  const lastTransitions =
    chart === undefined ? [] : transitionsTaken(chart, was, actor.active, actor.lastEvents, one && letThrough(one));
  const snapshot = system === undefined ? undefined : snapshotAt(system, actor.address);
  const { context } = (snapshot ?? {}) as { readonly context?: unknown };
  return { ...actor, lastTransitions, context: snapshot === undefined ? actor.context : plain(context ?? null) };
}

/** Writes actors into `group`: in place, so that patches say what changed. */
export function writeActors(group: Draft<GroupState>, actors: Iterable<readonly [string, ActorState | null]>): void {
  for (const [address, actor] of actors) {
    const key = keyFor(address);
    const held = group.actors[key];
    if (actor === null) delete group.actors[key];
    else if (held === undefined) group.actors[key] = actor as Draft<ActorState>;
    else overwrite(held, actor as unknown as JsonValue);
  }
}

/** Counts what this turn put into members' mailboxes. */
export function writeMail(group: Draft<GroupState>, effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (effect.type !== 'deliver') continue;
    const member = group.members[keyFor(effect.address)];
    if (member?.incarnation === effect.incarnation) member.unread += 1;
  }
}

function actorState(
  definition: Definition,
  cell: Cell,
  actor: NonNullable<Cell['actor']>,
  position: number,
  events: readonly string[],
  before: ActorState | undefined,
): Omit<TurnedActor, 'one'> {
  const { logic, snapshot, running } = actor;
  const active = activeNodes(snapshot);
  const isSame = before?.incarnation === cell.incarnation;
  const was = isSame ? before.active : [];
  return {
    address: cell.place.address,
    incarnation: cell.incarnation,
    chart: isSame ? before.chart : logic.kind === 'machine' ? chartKey(definition, logic) : null,
    status: snapshot.status,
    active,
    context: isSame ? before.context : null,
    isRunning: running,
    visits: visitsAfter(isSame ? before.visits : {}, was, active),
    lastTransitions: [],
    lastEvents: events.length > 10 ? events.slice(-10) : events,
    changedAt: position,
    was,
  };
}

const configurations = new WeakMap<object, readonly string[]>();

/** Ids of the active nodes in document order: the same list for the same configuration. */
function activeNodes(snapshot: AnySnapshot): readonly string[] {
  const { _nodes: nodes } = snapshot as unknown as { readonly _nodes?: readonly AnyStateNode[] };
  if (nodes === undefined) return none;
  const known = configurations.get(nodes);
  if (known !== undefined) return known;
  const active = [...nodes].sort((a, b) => a.order - b.order).map(({ id }) => id);
  configurations.set(nodes, active);
  return active;
}

const none: readonly string[] = [];

/** How often each node was entered, after this turn. */
export function visitsAfter(
  visits: Readonly<Record<string, number>>,
  was: readonly string[],
  active: readonly string[],
): Readonly<Record<string, number>> {
  if (active === was) return visits;
  const entered = active.filter((id) => !was.includes(id));
  if (entered.length === 0) return visits;
  const next = { ...visits };
  for (const key of entered.map(keyFor)) next[key] = (next[key] ?? 0) + 1;
  return next;
}

/** Ids of the transitions that the machine takes at an event, guards asked; undefined when they cannot be. */
function letThrough({ machine, before, event }: NonNullable<TurnedActor['one']>): ReadonlySet<string> | undefined {
  try {
    const taken = machine.getTransitionData(before as Parameters<AnyStateMachine['getTransitionData']>[0], event);
    return new Set(
      taken.map((one) => {
        const several = one.source.transitions.get(one.eventType) ?? [];
        return transitionId(one.source.id, one.eventType, several.indexOf(one));
      }),
    );
  } catch {
    return undefined;
  }
}

/**
 * Which transitions led from one configuration to the other: those of an event that was heard whose source was active,
 * and those that need no event, if they lead where the actor now is. Of those that were heard only the ones in `letThrough`, where that is known;
 * else guards are not asked again, and of two that lead to the same place the first is named.
 */
export function transitionsTaken(
  chart: Chart,
  was: readonly string[],
  active: readonly string[],
  events: readonly string[],
  letThrough?: ReadonlySet<string>,
): readonly string[] {
  const now = new Set(active);
  const held = new Set(was);
  const entered = new Set(active.filter((id) => !held.has(id)));
  const taken: string[] = [];
  const reached = new Set<string>();
  for (const one of chart.transitions) {
    const isHeard = one.event === '' || (letThrough?.has(one.id) ?? events.some((type) => isMeant(one.event, type)));
    if (!isHeard || one.targets.length === 0 || !(held.has(one.source) || one.event === '')) continue;
    const leads = one.targets.some((id) => entered.has(id) && !reached.has(id));
    if (
      !leads ||
      (one.event === '' && now.has(one.source) && held.has(one.source) && !one.reenter && entered.size === 0)
    )
      continue;
    for (const id of one.targets) reached.add(id);
    taken.push(one.id);
  }
  if (letThrough !== undefined) return [...new Set([...letThrough, ...taken])];
  if (taken.length > 0 || events.length === 0) return taken;
  // Nothing was entered: what was heard only acted, at the innermost state that has a transition for it.
  for (const source of [...was].reverse()) {
    const acted = chart.transitions.find(
      (one) => one.source === source && one.event !== '' && events.some((type) => isMeant(one.event, type)),
    );
    if (acted !== undefined) return [acted.id];
  }
  return [];
}
