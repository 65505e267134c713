/**
 * Writing a system between turns, and reading it again: a cache of the fold, never the truth (G9). XState's own
 * persisted snapshots are not used as they stand: they lose timers, refs to anyone but children, and the order of
 * parallel states, on which the order of transitions depends.
 */
import { isPlainObject, type JsonValue } from '../json.ts';
import { depthOf, rootAddress } from './address.ts';
import type { Cell } from './cell.ts';
import type { Address } from './effect.ts';
import { encode, encodeShared, type Numbers } from './encode.ts';
import { format, type MachineState, type Persisted, type PersistedActor } from './persisted.ts';
import { keyOf } from './ref.ts';
import type { Heard } from './snapshot.ts';
import type { System } from './system.ts';
import { forEachOf } from './vector.ts';

export { restore } from './restore.ts';

/** Writes a system. Throws NOT_JSON naming machine, actor and path for a context that is not plain data. */
export function persist(system: System): JsonValue {
  const cells: Cell[] = [];
  forEachOf(system.cells, (cell) => cells.push(cell));
  // In the order in which they are read: parents first, for what is one object in two actors' hands is written with the first of them.
  cells.sort(
    (a, b) => depthOf(a.place.address) - depthOf(b.place.address) || compare(a.place.address, b.place.address),
  );
  const actors: PersistedActor[] = [];
  const stopped: [Address, number][] = [];
  const numbers: Numbers = new Map();
  for (const cell of cells) {
    if (cell.actor === undefined) stopped.push([cell.place.address, cell.last]);
    else actors.push(persistActor(cell, cell.actor, numbers));
  }
  const systemIds: [string, Address, number][] = [];
  for (const [systemId, ref] of system.systemIds) {
    const key = keyOf(ref);
    if (key !== undefined) systemIds.push([systemId, key.place.address, key.incarnation]);
  }
  const { definition, bounds, seq, end, lanes } = system;
  const persisted: Persisted = {
    format,
    machine: { id: definition.id, version: definition.version },
    bounds,
    seq,
    lanes: [lanes.a, lanes.b],
    counts: [system.memberCount, system.timerCount, system.startedCount, system.scheduledCount],
    end: end ?? null,
    actors: actors.sort((a, b) => compare(a.address, b.address)),
    stopped: stopped.sort((a, b) => compare(a[0], b[0])),
    systemIds: systemIds.sort((a, b) => compare(a[0], b[0])),
  };
  return persisted as unknown as JsonValue;
}

/** Writes one actor; throws as {@link persist} does. What tells states apart leaves out which objects are the very same. */
export function persistActor(
  { place, incarnation, last }: Cell,
  actor: NonNullable<Cell['actor']>,
  numbers?: Numbers,
): PersistedActor {
  const { ref, logic, snapshot, running, order, timers } = actor;
  const label = `machine \`${logic.id}\`${place.address === rootAddress ? '' : `, actor \`${place.address}\``}: `;
  const { systemId } = ref as { systemId?: string };
  const encodeHeld = (value: unknown, what: string) =>
    numbers === undefined ? encode(value, what) : encodeShared(value, what, numbers);
  return {
    address: place.address,
    incarnation,
    ...(last === incarnation ? {} : { last }),
    src: typeof ref.src === 'string' ? ref.src : '',
    ...(systemId === undefined ? {} : { systemId }),
    running,
    order,
    snapshot:
      logic.kind === 'machine' && 'machine' in snapshot
        ? persistMachine(snapshot as unknown as MachineState, label, encodeHeld)
        : encodeHeld(snapshot, `${label}snapshot`),
    timers: timers.map(({ to, event, ...timer }) => ({
      ...timer,
      to: to === undefined ? null : { address: to.place.address, incarnation: to.incarnation },
      event: encodeHeld(numbers?.has(event) === true ? event : ownCopy(event), `${label}timer \`${timer.id}\``),
    })),
  };
}

/** Where nothing else holds an event it may be the machine's own, which all its actors send: not one with those that are sent behind a restart. */
function ownCopy(event: Heard): Heard {
  return isPlainObject(event) ? { ...event } : event;
}

function persistMachine(snapshot: MachineState, label: string, encodeHeld: typeof encode): JsonValue {
  const { status, value, output, error, context, historyValue, children, _nodes } = snapshot;
  return {
    status,
    output: encodeHeld({ output }, `${label}output`),
    error: encodeHeld({ error }, `${label}error`),
    value: encode(value, `${label}value`),
    nodes: _nodes.map(({ id }) => id),
    history: Object.entries(historyValue).map(([id, nodes]) => [id, nodes.map((node) => node.id)]),
    context: encodeHeld(context, `${label}context`),
    children: Object.entries(children).map(([id, child]) => [id, encode(child, `${label}child \`${id}\``)]),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
