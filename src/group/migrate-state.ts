/** From the state of an old machine to one that a new machine can go on from: the coordinator's own; its children stay as they are. */
import type { JsonValue } from '../json.ts';
import { parentAddress, rootAddress } from './address.ts';
import type { Cell, Timer } from './cell.ts';
import type { Definition } from './definition.ts';
import type { Address } from './effect.ts';
import { encode } from './encode.ts';
import type { Compiled } from './logic.ts';
import { persist } from './persist.ts';
import { isMachineState, type MachineState, type Persisted, type PersistedMachine } from './persisted.ts';
import { cellAt, placeOf, snapshotAt, type System } from './system.ts';
import type { CoordinatorState } from './upgrade.ts';
import { forEachOf, getAt, setAt } from './vector.ts';

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
  const given = map === undefined ? old : checked(map(old));
  encode(given.context, 'state.context');
  if (status !== 'active') throw new Error('the coordinator does not run any more');
  const { logic } = definition.root;
  const target = resolved(logic as unknown as Resolving, given);
  if (target.status !== 'active')
    throw new Error(
      `expected a state that is not final, got ${JSON.stringify(given.value)}; let the machine end when it hears troupe.migrated`,
    );
  const known = (logic as unknown as { readonly idMap: ReadonlyMap<string, unknown> }).idMap;
  const states = target._nodes as unknown as readonly ActiveState[];
  const written = persist(withTimers(definition, withContext(system, given.context), states)) as unknown as Persisted;
  const actors = written.actors.map((actor) => {
    if (actor.address !== rootAddress || !isMachineState(actor.snapshot)) return actor;
    const before: PersistedMachine = actor.snapshot;
    const snapshot = {
      ...before,
      value: encode(target.value, 'state.value'),
      nodes: states.map(({ id }) => id),
      history: before.history.filter(([id, ids]) => [id, ...ids].every((one) => known.has(one))),
    } as unknown as JsonValue;
    return { ...actor, snapshot };
  });
  return { ...written, machine: { id: definition.id, version: definition.version }, actors };
}

/**
 * The same system, whose coordinator waits in these states. Children that are machines go on in their own, and wait there as the newer machines
 * have it: they would not hear the older ones' timers. What is left out is so before it is written, for objects are numbered in the order of writing.
 */
function withTimers(definition: Definition, system: System, states: readonly ActiveState[]): System {
  let { cells, timerCount } = system;
  const logicOf = (address: Address): Compiled | undefined => {
    const parent = parentAddress(address);
    if (parent === undefined) return definition.root;
    const above = logicOf(parent);
    const src = cellAt(system, address)?.actor?.ref.src;
    return above?.kind === 'machine' && typeof src === 'string' ? above.sources.get(src) : undefined;
  };
  const statesOf = (address: Address, ids: readonly string[]): readonly ActiveState[] => {
    if (address === rootAddress) return states;
    const logic = logicOf(address)?.logic as { readonly idMap?: ReadonlyMap<string, ActiveState> } | undefined;
    return ids.flatMap((id) => logic?.idMap?.get(id) ?? []);
  };
  forEachOf(system.cells, (cell) => {
    const { place, actor } = cell;
    const active = (actor?.snapshot as Partial<MachineState> | undefined)?._nodes;
    if (actor === undefined || active === undefined || actor.timers.length === 0) return;
    const ids = active.map(({ id }) => id);
    const found = statesOf(place.address, ids);
    // Of a child whose machine or state is missing it is said when the whole is read back.
    if (place.address !== rootAddress && found.length < ids.length) return;
    const timers = timersFor(actor.timers, ids, found);
    timerCount -= actor.timers.length - timers.length;
    cells = setAt<Cell>(cells, place.index, { ...cell, actor: { ...actor, timers } });
  });
  return { ...system, cells, timerCount };
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

/** What `state` returned, which may be anything. */
function checked(given: unknown): CoordinatorState {
  const { value, context } = isObject(given) ? (given as Partial<CoordinatorState>) : {};
  if (context !== undefined && (typeof value === 'string' || isObject(value))) return { value, context };
  const got =
    given instanceof Promise ? 'a promise' : isObject(given) ? `{ ${Object.keys(given).join(', ')} }` : String(given);
  throw new Error(
    `expected \`state\` to return { value, context }, the value a text or an object of XState, got ${got}`,
  );
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

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
const typeOf = ({ event }: Timer) => event.type;

/**
 * XState touch point: the event of `after`, and its timer, are called `xstate.after.<delay>.<id of the state>`, so they have another name where the
 * delay has changed. A state that waits for one of them, and for one other now, goes on waiting under the new name.
 */
function timersFor(
  timers: readonly Timer[],
  oldIds: readonly string[],
  nodes: readonly ActiveState[],
): readonly Timer[] {
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
