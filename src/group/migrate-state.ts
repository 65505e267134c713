/** From the state of an old machine to one that a new machine can go on from: the coordinator's own; its children stay as they are. */
import type { JsonValue } from '../json.ts';
import { parentAddress, rootAddress } from './address.ts';
import type { Cell } from './cell.ts';
import type { Definition } from './definition.ts';
import type { Address } from './effect.ts';
import { encode } from './encode.ts';
import type { Compiled } from './logic.ts';
import { persist } from './persist.ts';
import {
  isMachineState,
  type MachineState,
  type Persisted,
  type PersistedActor,
  type PersistedMachine,
} from './persisted.ts';
import { placeOf, snapshotAt, type System } from './system.ts';
import type { CoordinatorState } from './upgrade.ts';
import { getAt, setAt } from './vector.ts';

/**
 * The written system. Timers of states that are active under the same id stay, with their moment, also where their delay is written otherwise
 * now; those of other states go. So it is with children that are machines. A state that
 * is entered by the migration has no timers of its own and has not run its entry actions: a machine that needs them has
 * a transition for `troupe.migrated`.
 */
export function migrateState(
  definition: Definition,
  system: System,
  map: ((old: CoordinatorState) => CoordinatorState) | undefined,
): Persisted {
  const { value, context, status } = snapshotAt(system, rootAddress) as MachineState;
  const old: CoordinatorState = { value, context };
  const given = map === undefined ? old : map(old);
  encode(given.context, 'state.context');
  const written = persist(withContext(system, given.context)) as unknown as Persisted;
  const root = written.actors.find(({ address }) => address === rootAddress);
  if (root === undefined || !isMachineState(root.snapshot) || status !== 'active')
    throw new Error('the coordinator does not run any more');
  const { logic } = definition.root;
  const target = resolved(logic as unknown as Resolving, given);
  if (target.status !== 'active')
    throw new Error(
      `expected a state that is not final, got ${JSON.stringify(given.value)}; let the machine end when it hears troupe.migrated`,
    );
  const nodes = target._nodes.map(({ id }) => id);
  const known = (logic as unknown as { readonly idMap: ReadonlyMap<string, unknown> }).idMap;
  const before: PersistedMachine = root.snapshot;
  const snapshot = {
    ...before,
    value: encode(target.value, 'state.value'),
    nodes,
    history: before.history.filter(([id, ids]) => [id, ...ids].every((one) => known.has(one))),
  } as unknown as JsonValue;
  const timers = timersFor(root.timers, before.nodes, target._nodes as unknown as readonly ActiveState[]);
  const actors = withTimers(definition, written.actors).map((actor) =>
    actor.address === rootAddress ? { ...actor, snapshot, timers } : actor,
  );
  const [members, timerCount, started, scheduled] = written.counts;
  const lost = timersOf(written.actors) - timersOf(actors);
  return {
    ...written,
    machine: { id: definition.id, version: definition.version },
    actors,
    counts: [members, timerCount - lost, started, scheduled],
  };
}

const timersOf = (actors: readonly PersistedActor[]) => actors.reduce((sum, { timers }) => sum + timers.length, 0);

/** Children that are machines go on in their states, and wait there as the newer machines have it: they would not hear the older ones' timers. */
function withTimers(definition: Definition, actors: readonly PersistedActor[]): readonly PersistedActor[] {
  if (!actors.some(({ address, timers }) => address !== rootAddress && timers.length > 0)) return actors;
  const sources = new Map(actors.map(({ address, src }) => [address, src]));
  const logicOf = (address: Address): Compiled | undefined => {
    const parent = parentAddress(address);
    if (parent === undefined) return definition.root;
    const above = logicOf(parent);
    return above?.kind === 'machine' ? above.sources.get(sources.get(address) ?? '') : undefined;
  };
  return actors.map((actor) => {
    const { address, snapshot, timers } = actor;
    if (address === rootAddress || timers.length === 0 || !isMachineState(snapshot)) return actor;
    // Of a child whose machine or state is missing it is said when the whole is read back.
    const logic = logicOf(address)?.logic as { readonly idMap?: ReadonlyMap<string, ActiveState> } | undefined;
    const nodes = snapshot.nodes.flatMap((id) => logic?.idMap?.get(id) ?? []);
    if (nodes.length < snapshot.nodes.length) return actor;
    return { ...actor, timers: timersFor(timers, snapshot.nodes, nodes) };
  });
}

/** The same system, whose coordinator has this context: it is written with the others', with whom it may share objects. */
function withContext(system: System, context: unknown): System {
  const { cells } = system;
  const place = placeOf(system.places, rootAddress);
  const cell = getAt(cells, place.index);
  if (cell?.actor === undefined) return system;
  const snapshot = { ...cell.actor.snapshot, context };
  return { ...system, cells: setAt<Cell>(cells, place.index, { ...cell, actor: { ...cell.actor, snapshot } }) };
}

/** XState touch point: a machine finds the whole of a state by a part of it, and throws for one that it has not. */
interface Resolving {
  resolveState(config: CoordinatorState): MachineState & { readonly value: unknown };
}

function resolved(machine: Resolving, { value, context }: CoordinatorState): ReturnType<Resolving['resolveState']> {
  try {
    return machine.resolveState({ value, context });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}; let \`state\` return a state that the new machine has`, { cause: error });
  }
}

/** XState touch point: a state and what it hears. */
interface ActiveState {
  readonly id: string;
  readonly transitions: ReadonlyMap<string, unknown>;
}
type PersistedTimer = PersistedActor['timers'][number];

const typeOf = ({ event }: PersistedTimer) => (event as { readonly type: string }).type;

/**
 * XState touch point: the event of `after`, and its timer, are called `xstate.after.<delay>.<id of the state>`, so they have another name where the
 * delay has changed. A state that waits for one of them, and for one other now, goes on waiting under the new name.
 */
function timersFor(
  timers: readonly PersistedTimer[],
  oldIds: readonly string[],
  nodes: readonly ActiveState[],
): readonly PersistedTimer[] {
  /** The state that set it: of the ids that its name may end with, the whole one. */
  const ownerOf = (type: string) =>
    oldIds.filter((id) => type.endsWith(`.${id}`)).reduce((one, id) => (id.length > one.length ? id : one), '');
  const lostOf = ({ id, transitions }: ActiveState) =>
    timers
      .map(typeOf)
      .filter((type) => type.startsWith('xstate.after.') && ownerOf(type) === id && !transitions.has(type));
  return timers.flatMap((timer) => {
    const type = typeOf(timer);
    if (!type.startsWith('xstate.after.')) return [timer];
    const node = nodes.find(({ id }) => id === ownerOf(type));
    if (node === undefined || node.transitions.has(type)) return node === undefined ? [] : [timer];
    const heard = [...node.transitions.keys()].filter((one) => one.startsWith('xstate.after.'));
    const free = heard.filter((one) => !timers.some((other) => typeOf(other) === one));
    if (free.length === 0) return [];
    const [name] = free;
    if (name === undefined || free.length > 1 || lostOf(node).length > 1)
      throw new Error(
        `state \`${node.id}\` waits for ${lostOf(node).join(', ')}, and would now wait for one of ${free.join(', ')}; keep its \`after\`, or take the group over with \`events\``,
      );
    return [{ ...timer, id: name, name, event: { type: name } }];
  });
}
