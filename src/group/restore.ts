import { createActor, type AnyActorLogic, type AnyActorRef } from 'xstate';
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { depthOf, lastId, parentAddress } from './address.ts';
import type { Cell, Timer } from './cell.ts';
import type { Definition } from './definition.ts';
import type { Address } from './effect.ts';
import { decode } from './encode.ts';
import type { Compiled } from './logic.ts';
import {
  format,
  isMachineState,
  type MachineState,
  type Persisted,
  type PersistedActor,
  type PersistedMachine,
  type StateNode,
} from './persisted.ts';
import { adopt, asAdapter, strip } from './ref.ts';
import type { AnySnapshot } from './snapshot.ts';
import { emptySystem, placeOf, type System } from './system.ts';
import { setAt } from './vector.ts';

/**
 * Reads a system that this definition wrote; it steps on as the written one would have. `json` is not touched. Throws
 * JOURNAL_FORMAT for what another version wrote, GROUP_MISMATCH for another machine, JOURNAL_CORRUPT for what does not fit together.
 */
export function restore(definition: Definition, json: JsonValue): System {
  // The parse of our own format: version first, then what it must contain is found or missed below.
  const persisted = json as unknown as Persisted;
  if (!(persisted?.format >= 1 && persisted.format <= format))
    throw new TroupeError(
      'JOURNAL_FORMAT',
      `expected a snapshot of format 1 to ${format}, got ${String(persisted?.format)}`,
    );
  const { id, version } = persisted.machine;
  if (id !== definition.id || version !== definition.version) {
    throw new TroupeError(
      'GROUP_MISMATCH',
      `the snapshot is of machine \`${id}\` (${version}), not of \`${definition.id}\` (${definition.version})`,
    );
  }
  return new Restore(definition, persisted).system();
}

class Restore {
  private readonly definition: Definition;
  private readonly persisted: Persisted;
  private readonly empty: System;
  private readonly refs = new Map<string, AnyActorRef>();
  private readonly logics = new Map<Address, Compiled>();
  /** Objects of contexts, snapshots and timers so far: one may come again in another actor's. */
  private readonly known: object[] = [];

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
      systemIds: new Map(
        systemIds.map(([systemId, address, incarnation]) => [systemId, this.ref(address, incarnation, '')]),
      ),
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
    if (logic === undefined)
      throw corrupt(`actor \`${address}\` has the source \`${src}\`, which its parent does not know`);
    return logic;
  }

  private cell({ address, incarnation, last = incarnation, running, order, snapshot, timers }: PersistedActor): Cell {
    const place = placeOf(this.empty.places, address);
    const logic = this.logics.get(address) ?? this.definition.root;
    const ref = this.ref(address, incarnation, '');
    const restored =
      logic.kind === 'machine' && isMachineState(snapshot)
        ? this.machine(logic, snapshot)
        : (this.decodeShared(snapshot) as AnySnapshot);
    if (running !== (restored.status === 'active'))
      throw corrupt(`actor \`${address}\` is ${restored.status}, but was ${running ? '' : 'not '}running`);
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
          event: this.decodeHeld(event) as Timer['event'],
        })),
      },
    };
  }

  private machine(logic: Compiled & { kind: 'machine' }, written: PersistedMachine): AnySnapshot {
    const nodes = written.nodes.map((id) => this.node(logic, id));
    // XState makes the object, and everything in it is put in below: its own restoreSnapshot would work states out from the
    // value, in another order, and would find no ref but those of children.
    const snapshot = logic.logic.resolveState({ value: {} } as Parameters<
      typeof logic.logic.resolveState
    >[0]) as unknown as Mutable & Omit<MachineState, keyof AnySnapshot>;
    snapshot.status = written.status;
    snapshot._nodes = nodes;
    snapshot.tags = new Set(nodes.flatMap((node) => node.tags));
    snapshot.value = this.decode(written.value);
    // In the order in which they were written.
    snapshot.output = (this.decodeHeld(written.output) as { output: unknown }).output;
    snapshot.error = (this.decodeHeld(written.error) as { error: unknown }).error;
    snapshot.context = this.decodeShared(written.context);
    snapshot.historyValue = Object.fromEntries(
      written.history.map(([id, ids]) => [id, ids.map((one) => this.node(logic, one))]),
    );
    snapshot.children = Object.fromEntries(
      written.children.map(([id, child]) => [id, this.decode(child) as AnyActorRef]),
    );
    return snapshot;
  }

  private node(logic: Compiled & { kind: 'machine' }, id: string): StateNode {
    // Looked up whole: XState's own getStateNodeById would read a dot in an author's id as a path.
    const node = (logic.logic as unknown as { idMap: ReadonlyMap<string, StateNode> }).idMap.get(id);
    if (node !== undefined) return node;
    throw corrupt(`machine \`${logic.id}\` has no state \`${id}\``);
  }

  private decode(value: JsonValue, known?: object[]): unknown {
    return decode(value, (address, incarnation, src) => this.ref(address, incarnation, src), known);
  }

  private decodeShared(value: JsonValue): unknown {
    return this.decode(value, this.known);
  }

  /** What shares objects with contexts since version 3. */
  private decodeHeld(value: JsonValue): unknown {
    return this.persisted.format < 3 ? this.decode(value) : this.decodeShared(value);
  }

  /** The ref of an actor, living or not: one per identity, made by XState's own constructor around an adapter that is never asked. */
  private ref(address: Address, incarnation: number, src: string): AnyActorRef {
    const name = `${incarnation} ${address}`;
    const known = this.refs.get(name);
    if (known !== undefined) return known;
    const above = parentAddress(address);
    const parent = above === undefined ? undefined : this.ref(above, this.incarnationAt(above), '');
    const id = above === undefined ? this.definition.id : lastId(address);
    const ref = createActor(restoredLogic, {
      id,
      snapshot: restoredSnapshot,
      ...(parent === undefined ? {} : { parent, src }),
    } as Parameters<typeof createActor>[1]) as AnyActorRef;
    adopt(ref, { place: placeOf(this.empty.places, address), incarnation });
    strip(ref);
    this.refs.set(name, ref);
    return ref;
  }

  private incarnationAt(address: Address): number {
    return (
      this.persisted.actors.find((actor) => actor.address === address)?.incarnation ??
      this.persisted.stopped.find(([stopped]) => stopped === address)?.[1] ??
      1
    );
  }
}

/** A snapshot that nobody has seen yet. */
interface Mutable {
  status: AnySnapshot['status'];
  output: unknown;
  error: unknown;
  tags: ReadonlySet<string>;
}

const restoredSnapshot: AnySnapshot = { status: 'active', output: undefined, error: undefined };

const restoredLogic = asAdapter({
  getInitialSnapshot: () => restoredSnapshot,
  transition: (snapshot: AnySnapshot) => snapshot,
  getPersistedSnapshot: (snapshot: AnySnapshot) => snapshot,
} as unknown as AnyActorLogic);

function corrupt(message: string): TroupeError {
  return new TroupeError('JOURNAL_CORRUPT', `snapshot: ${message}`);
}
