/**
 * Writing a system between turns, and reading it again: a cache of the fold, never the truth (G9). XState's own
 * persisted snapshots are not used as they stand: they lose timers, refs to anyone but children, and the order of
 * parallel states, on which the order of transitions depends.
 */
import { createActor, type AnyActorLogic, type AnyActorRef } from 'xstate';
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { lastId, parentAddress, rootAddress } from './address.ts';
import type { Bounds } from './bounds.ts';
import type { AnySnapshot, Cell, Timer } from './cell.ts';
import type { Definition } from './definition.ts';
import type { ActorKey, Address, GroupEnd } from './effect.ts';
import { decode, encode } from './encode.ts';
import type { Compiled } from './logic.ts';
import { adopt, asAdapter, keyOf, strip } from './ref.ts';
import { emptySystem, placeOf, type System } from './system.ts';
import { forEachOf, setAt } from './vector.ts';

const format = 1;

/** A system as JSON. Key order inside snapshots matters: write it with JSON.stringify, not sorted. */
interface Persisted {
  readonly format: number;
  readonly machine: { readonly id: string; readonly version: string };
  readonly bounds: Bounds;
  readonly seq: number;
  readonly lanes: readonly [number, number];
  readonly counts: readonly [members: number, timers: number, started: number, scheduled: number];
  readonly end: GroupEnd | null;
  readonly actors: readonly PersistedActor[];
  /** Addresses whose actors were stopped, and their last incarnation. */
  readonly stopped: readonly (readonly [Address, number])[];
  readonly systemIds: readonly (readonly [string, Address, number])[];
}

interface PersistedActor extends ActorKey {
  /** The highest incarnation at this address, where it is another. */
  readonly last?: number;
  /** Name it was spawned by; the coordinator has none. */
  readonly src: string;
  readonly systemId?: string;
  readonly running: boolean;
  readonly order: number;
  readonly snapshot: JsonValue;
  readonly timers: readonly (Omit<Timer, 'to' | 'event'> & { readonly to: ActorKey | null; readonly event: JsonValue })[];
}

/** XState touch point: what of a machine's snapshot is state; the rest is derived from it. */
interface MachineState extends AnySnapshot {
  _nodes: readonly StateNode[];
  value: unknown;
  context: unknown;
  historyValue: Readonly<Record<string, readonly StateNode[]>>;
  children: Readonly<Record<string, AnyActorRef>>;
}
interface StateNode {
  readonly id: string;
  readonly tags: readonly string[];
}
/** A snapshot that nobody has seen yet. */
interface Mutable {
  status: AnySnapshot['status'];
  output: unknown;
  error: unknown;
  tags: ReadonlySet<string>;
}

/** Writes a system. Throws NOT_JSON naming machine, actor and path for a context that is not plain data. */
export function persist(system: System): JsonValue {
  const actors: PersistedActor[] = [];
  const stopped: [Address, number][] = [];
  forEachOf(system.cells, (cell) => {
    if (cell.actor === undefined) stopped.push([cell.place.address, cell.last]);
    else actors.push(persistActor(cell, cell.actor));
  });
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

function persistActor({ place, incarnation, last }: Cell, actor: NonNullable<Cell['actor']>): PersistedActor {
  const { ref, logic, snapshot, running, order, timers } = actor;
  const label = `machine \`${logic.id}\`${place.address === rootAddress ? '' : `, actor \`${place.address}\``}: `;
  const { systemId } = ref as { systemId?: string };
  return {
    address: place.address,
    incarnation,
    ...(last === incarnation ? {} : { last }),
    src: typeof ref.src === 'string' ? ref.src : '',
    ...(systemId === undefined ? {} : { systemId }),
    running,
    order,
    snapshot: logic.kind === 'machine' && 'machine' in snapshot ? persistMachine(snapshot as unknown as MachineState, label) : encode(snapshot, `${label}snapshot`),
    timers: timers.map(({ to, event, ...timer }) => ({
      ...timer,
      to: to === undefined ? null : { address: to.place.address, incarnation: to.incarnation },
      event: encode(event, `${label}timer \`${timer.id}\``),
    })),
  };
}

function persistMachine(snapshot: MachineState, label: string): JsonValue {
  const { status, value, output, error, context, historyValue, children, _nodes } = snapshot;
  return {
    status,
    output: encode({ output }, `${label}output`),
    error: encode({ error }, `${label}error`),
    value: encode(value, `${label}value`),
    nodes: _nodes.map(({ id }) => id),
    history: Object.entries(historyValue).map(([id, nodes]) => [id, nodes.map((node) => node.id)]),
    context: encode(context, `${label}context`),
    children: Object.entries(children).map(([id, child]) => [id, encode(child, `${label}child \`${id}\``)]),
  };
}

/**
 * Reads a system that this definition wrote; it steps on as the written one would have. `json` is not touched. Throws
 * JOURNAL_FORMAT for what another version wrote, GROUP_MISMATCH for another machine, JOURNAL_CORRUPT for what does not fit together.
 */
export function restore(definition: Definition, json: JsonValue): System {
  // The parse of our own format: version first, then what it must contain is found or missed below.
  const persisted = json as unknown as Persisted;
  if (persisted?.format !== format) throw new TroupeError('JOURNAL_FORMAT', `expected a snapshot of format ${format}, got ${String(persisted?.format)}`);
  const { id, version } = persisted.machine;
  if (id !== definition.id || version !== definition.version) {
    throw new TroupeError('GROUP_MISMATCH', `the snapshot is of machine \`${id}\` (${version}), not of \`${definition.id}\` (${definition.version})`);
  }
  return new Restore(definition, persisted).system();
}

class Restore {
  private readonly definition: Definition;
  private readonly persisted: Persisted;
  private readonly empty: System;
  private readonly refs = new Map<string, AnyActorRef>();
  private readonly logics = new Map<Address, Compiled>();

  constructor(definition: Definition, persisted: Persisted) {
    this.definition = definition;
    this.persisted = persisted;
    this.empty = emptySystem(definition, persisted.bounds);
  }

  system(): System {
    const { seq, end, lanes, counts, stopped, systemIds } = this.persisted;
    const places = this.empty.places;
    // Parents before children.
    const actors = [...this.persisted.actors].sort((a, b) => depthOf(a.address) - depthOf(b.address));
    for (const actor of actors) this.logics.set(actor.address, this.logicOf(actor));
    for (const { address, incarnation, src, systemId } of actors) {
      const ref = this.ref(address, incarnation, src);
      if (systemId !== undefined) Object.assign(ref, { systemId });
    }
    let { cells } = this.empty;
    for (const [address, last] of stopped) {
      const place = placeOf(places, address);
      cells = setAt(cells, place.index, { place, incarnation: last, last, actor: undefined });
    }
    for (const actor of actors) {
      const cell = this.cell(actor);
      cells = setAt(cells, cell.place.index, cell);
    }
    const [memberCount, timerCount, startedCount, scheduledCount] = counts;
    return {
      ...this.empty,
      cells,
      seq,
      end: end ?? undefined,
      lanes: { a: lanes[0], b: lanes[1] },
      systemIds: new Map(systemIds.map(([systemId, address, incarnation]) => [systemId, this.ref(address, incarnation, '')])),
      memberCount,
      timerCount,
      startedCount,
      scheduledCount,
    };
  }

  private logicOf({ address, src }: PersistedActor): Compiled {
    const parent = parentAddress(address);
    if (parent === undefined) return this.definition.root;
    const above = this.logics.get(parent);
    const logic = above?.kind === 'machine' ? above.sources.get(src) : undefined;
    if (logic === undefined) throw corrupt(`actor \`${address}\` has the source \`${src}\`, which its parent does not know`);
    return logic;
  }

  private cell({ address, incarnation, last = incarnation, running, order, snapshot, timers }: PersistedActor): Cell {
    const place = placeOf(this.empty.places, address);
    const logic = this.logics.get(address) ?? this.definition.root;
    const ref = this.ref(address, incarnation, '');
    const restored = logic.kind === 'machine' && isMachineState(snapshot) ? this.machine(logic, snapshot) : (this.decode(snapshot) as AnySnapshot);
    if (running !== (restored.status === 'active')) throw corrupt(`actor \`${address}\` is ${restored.status}, but was ${running ? '' : 'not '}running`);
    return {
      place,
      incarnation,
      last,
      actor: {
        ref,
        logic,
        snapshot: restored,
        running,
        order,
        timers: timers.map(({ to, event, ...timer }) => ({
          ...timer,
          to: to === null ? undefined : { place: placeOf(this.empty.places, to.address), incarnation: to.incarnation },
          event: this.decode(event) as Timer['event'],
        })),
      },
    };
  }

  private machine(logic: Compiled & { kind: 'machine' }, written: PersistedMachine): AnySnapshot {
    const nodes = written.nodes.map((id) => this.node(logic, id));
    // XState makes the object, and everything in it is put in below: its own restoreSnapshot would work states out from the
    // value, in another order, and would find no ref but those of children.
    const snapshot = logic.logic.resolveState({ value: {} } as Parameters<typeof logic.logic.resolveState>[0]) as unknown as Mutable & Omit<MachineState, keyof AnySnapshot>;
    snapshot.status = written.status;
    snapshot._nodes = nodes;
    snapshot.tags = new Set(nodes.flatMap((node) => node.tags));
    snapshot.value = this.decode(written.value);
    snapshot.context = this.decode(written.context);
    snapshot.output = (this.decode(written.output) as { output: unknown }).output;
    snapshot.error = (this.decode(written.error) as { error: unknown }).error;
    snapshot.historyValue = Object.fromEntries(written.history.map(([id, ids]) => [id, ids.map((one) => this.node(logic, one))]));
    snapshot.children = Object.fromEntries(written.children.map(([id, child]) => [id, this.decode(child) as AnyActorRef]));
    return snapshot;
  }

  private node(logic: Compiled & { kind: 'machine' }, id: string): StateNode {
    // Looked up whole: XState's own getStateNodeById would read a dot in an author's id as a path.
    const node = (logic.logic as unknown as { idMap: ReadonlyMap<string, StateNode> }).idMap.get(id);
    if (node !== undefined) return node;
    throw corrupt(`machine \`${logic.id}\` has no state \`${id}\``);
  }

  private decode(value: JsonValue): unknown {
    return decode(value, (address, incarnation, src) => this.ref(address, incarnation, src));
  }

  /** The ref of an actor, living or not: one per identity, made by XState's own constructor around an adapter that is never asked. */
  private ref(address: Address, incarnation: number, src: string): AnyActorRef {
    const name = `${incarnation} ${address}`;
    const known = this.refs.get(name);
    if (known !== undefined) return known;
    const above = parentAddress(address);
    const parent = above === undefined ? undefined : this.ref(above, this.incarnationAt(above), '');
    const id = above === undefined ? this.definition.id : lastId(address);
    const ref = createActor(restoredLogic, { id, snapshot: restoredSnapshot, ...(parent === undefined ? {} : { parent, src }) } as Parameters<typeof createActor>[1]) as AnyActorRef;
    adopt(ref, { place: placeOf(this.empty.places, address), incarnation });
    strip(ref);
    this.refs.set(name, ref);
    return ref;
  }

  private incarnationAt(address: Address): number {
    return this.persisted.actors.find((actor) => actor.address === address)?.incarnation ?? this.persisted.stopped.find(([stopped]) => stopped === address)?.[1] ?? 1;
  }
}

interface PersistedMachine {
  readonly status: AnySnapshot['status'];
  readonly output: JsonValue;
  readonly error: JsonValue;
  /** Its keys, like the nodes, stand in the order that decides whose transition comes first. */
  readonly value: JsonValue;
  readonly nodes: readonly string[];
  readonly history: readonly (readonly [string, readonly string[]])[];
  readonly context: JsonValue;
  readonly children: readonly (readonly [string, JsonValue])[];
}

function isMachineState(snapshot: JsonValue): snapshot is JsonValue & PersistedMachine {
  return typeof snapshot === 'object' && snapshot !== null && 'nodes' in snapshot;
}

const restoredSnapshot: AnySnapshot = { status: 'active', output: undefined, error: undefined };

const restoredLogic = asAdapter({
  getInitialSnapshot: () => restoredSnapshot,
  transition: (snapshot: AnySnapshot) => snapshot,
  getPersistedSnapshot: (snapshot: AnySnapshot) => snapshot,
} as unknown as AnyActorLogic);

function depthOf(address: Address): number {
  let depth = 0;
  for (let at: Address | undefined = address; at !== undefined; at = parentAddress(at)) depth += 1;
  return depth;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function corrupt(message: string): TroupeError {
  return new TroupeError('JOURNAL_CORRUPT', `snapshot: ${message}`);
}
