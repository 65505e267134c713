/**
 * Local states: whole actor systems (a coordinator with all that lives in it, or one actor of a network), each kept once. The key
 * of a system covers value, context, output and error, history, children and their order, armed timers, incarnations, and how it
 * ended; not the seq, the running digest, or the clock. Keys are exact: what cannot be written is refused, never merged.
 *
 * Keys of objects are sorted, and parallel states stand in document order: two systems that differ in the order of a context's
 * keys, or in which of two regions was entered first, are one. That must make no difference, so whoever steps is told of each such
 * variant, to take the same steps from it too.
 */
import { assertJson, canonical, type JsonValue } from '../../json.ts';
import type { Cell } from '../../group/cell.ts';
import { encode } from '../../group/encode.ts';
import { persistActor } from '../../group/persist.ts';
import type { PersistedActor } from '../../group/persisted.ts';
import { keyOf } from '../../group/ref.ts';
import type { AnySnapshot } from '../../group/snapshot.ts';
import { forEachOf } from '../../group/vector.ts';
import { persist, restore, snapshotAt, type System } from '../../group/step.ts';
import { Sequences } from '../engine/sequences.ts';
import { inDocumentOrder } from './document-order.ts';
import { deepFreeze } from './freeze.ts';
import { textsOf, type Texts } from './texts.ts';

/** An author's abstraction: what of the coordinator's (or actor's) snapshot tells states apart. */
export type View = (snapshot: {
  readonly value: unknown;
  readonly context: never;
  readonly status: string;
  readonly output: unknown;
}) => JsonValue;

/** Interned systems of one definition. */
export interface Locals {
  /**
   * The number of this system as it stands at `now` (ms; timers are told by how long they still have). Its contexts are frozen,
   * unless it `staysThawed`.
   */
  idOf(system: System, now: number, staysThawed?: boolean): number;
  /** The first system of this number that was seen, and when. */
  systemOf(id: number): System;
  nowOf(id: number): number;
  /** That system written, and read back. */
  restoredOf(id: number): System;
  /** Is told of systems that are equal to one that is known but for the order of their keys or regions, once each. */
  onVariant(listener: (id: number, system: System) => void): void;
  /** The parts of the key, as texts: for messages, and for symmetry. */
  partsOf(id: number): readonly string[];
  readonly size: number;
}

/** Collects the systems of one definition; `parts` may be shared. */
export function localsOf(view: View | undefined, parts: Texts = textsOf()): Locals {
  const keys = new Sequences();
  const systems: System[] = [];
  const nows: number[] = [];
  const restored: (System | undefined)[] = [];
  const cellIds = new WeakMap<object, number>();
  /** The same with the orders that the key leaves out. */
  const rawIds = new WeakMap<object, number>();
  const raws = textsOf();
  const idOfRaw: number[] = [];
  const variants = new Sequences();
  let listener: (id: number, system: System) => void = () => {};

  const idOfCell = (cell: Cell, staysThawed: boolean): number => {
    const { actor } = cell;
    // A cell of a stopped actor has no object of its own that would stay the same.
    if (actor === undefined) return parts.idOf(canonical(['stopped', cell.place.address, cell.last]));
    const known = cellIds.get(actor);
    if (known !== undefined) return known;
    const { order: _order, timers: _timers, ...written } = persistActor(cell, actor);
    // The same text is the same cell: most are met again and again, and need no key worked out.
    const raw = raws.idOf(JSON.stringify(written));
    const id = (idOfRaw[raw] ??= parts.idOf(
      canonical(cellKey(written, actor, cell.place.address === '' ? view : undefined)),
    ));
    if (!staysThawed) freezeSnapshot(actor.snapshot);
    cellIds.set(actor, id);
    rawIds.set(actor, view === undefined ? raw : 0);
    return id;
  };

  return {
    idOf(system, now, staysThawed = false) {
      const living: { readonly order: number; readonly id: number; readonly actor: object }[] = [];
      const stopped: number[] = [];
      const timers: { readonly order: number; readonly id: number }[] = [];
      forEachOf(system.cells, (cell) => {
        if (cell.actor === undefined) return void stopped.push(idOfCell(cell, staysThawed));
        living.push({ order: cell.actor.order, id: idOfCell(cell, staysThawed), actor: cell.actor });
        for (const { order, dueAt, name, id, to, event, cancellable } of cell.actor.timers) {
          const data = [
            cell.place.address,
            name,
            id,
            dueAt - now,
            to === undefined ? null : [to.place.address, to.incarnation],
            encode(event, `timer \`${id}\``),
            cancellable,
          ];
          timers.push({ order, id: parts.idOf(canonical(data)) });
        }
      });
      const key: number[] = [living.length, stopped.length, timers.length];
      for (const { id } of living.sort((a, b) => a.order - b.order)) key.push(id);
      for (const id of stopped.sort((a, b) => a - b)) key.push(id);
      for (const { id } of timers.sort((a, b) => a.order - b.order)) key.push(id);
      if (system.end !== undefined) key.push(parts.idOf(canonical(system.end as unknown as JsonValue)));
      if (system.systemIds.size > 0) key.push(parts.idOf(canonical(systemIdsOf(system))));
      const id = keys.idOf(key);
      const known = variants.size;
      const variant = variants.idOf([id, ...living.map(({ actor }) => rawIds.get(actor) ?? 0)]);
      if (id === systems.length) {
        systems.push(system);
        nows.push(now);
      } else if (variant === known) {
        listener(id, system);
      }
      return id;
    },
    systemOf: (id) => systems[id] as System,
    nowOf: (id) => nows[id] as number,
    restoredOf(id) {
      const known = restored[id];
      if (known !== undefined) return known;
      const system = systems[id] as System;
      const copy = restore(system.definition, JSON.parse(JSON.stringify(persist(system))) as JsonValue);
      restored[id] = copy;
      return copy;
    },
    onVariant(added) {
      listener = added;
    },
    partsOf: (id) => Array.from(keys.read(id).subarray(3), (part) => parts.textOf(part)),
    get size() {
      return systems.length;
    },
  };
}

function cellKey(
  { snapshot, ...rest }: Omit<PersistedActor, 'order' | 'timers'>,
  actor: NonNullable<Cell['actor']>,
  view: View | undefined,
): JsonValue {
  if (view !== undefined && snapshot !== null && typeof snapshot === 'object' && 'context' in snapshot) {
    const { value, status, output } = actor.snapshot as AnySnapshot & { value: unknown };
    const { context } = actor.snapshot as AnySnapshot & { context: never };
    const seen: unknown = view({ value, context, status, output });
    // All that is no JSON would be one, and so would all that a view without `return` is asked of.
    assertJson(seen, 'view');
    return {
      ...rest,
      snapshot: { ...(inDocumentOrder(snapshot, actor.snapshot) as object), context: seen },
    } as unknown as JsonValue;
  }
  return { ...rest, snapshot: inDocumentOrder(snapshot, actor.snapshot) } as unknown as JsonValue;
}

function systemIdsOf({ systemIds }: System): JsonValue {
  const ids: (readonly [string, string, number])[] = [];
  for (const [systemId, ref] of systemIds) {
    const key = keyOf(ref);
    if (key !== undefined) ids.push([systemId, key.place.address, key.incarnation]);
  }
  return ids.sort(([a], [b]) => (a < b ? -1 : 1)) as unknown as JsonValue;
}

function freezeSnapshot(snapshot: AnySnapshot): void {
  const { context, input } = snapshot as AnySnapshot & { readonly context?: unknown; readonly input?: unknown };
  deepFreeze(context);
  deepFreeze(input);
  deepFreeze(snapshot.output);
  deepFreeze(snapshot.error);
}

/** What of a machine's snapshot properties may look at. */
export interface Facade {
  readonly value: unknown;
  readonly context: unknown;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly output: unknown;
  readonly error: unknown;
  matches(state: unknown): boolean;
}

type Root = Facade & { can(event: { readonly type: string }): boolean };

/** The root of a group that was cancelled: its machine was stopped, and nothing is kept of it. */
const stoppedRoot: Root = {
  value: undefined,
  get context(): never {
    throw new Error('a group that was cancelled has no context any more; ask for `status` first');
  },
  status: 'stopped',
  output: undefined,
  error: undefined,
  matches: () => false,
  can: () => false,
};

/** The snapshot of the system's root actor. */
export function rootOf(system: System): Root {
  const snapshot = snapshotAt(system, '');
  // A system has a root from its first turn on, and that is a machine.
  return snapshot === undefined ? stoppedRoot : (snapshot as unknown as Root);
}
