/** The written form of a system, version 3. */
import type { AnyActorRef } from 'xstate';
import type { JsonValue } from '../json.ts';
import type { Bounds } from './bounds.ts';
import type { Timer } from './cell.ts';
import type { ActorKey, Address, GroupEnd } from './effect.ts';
import type { AnySnapshot } from './snapshot.ts';

/**
 * Version of this form. It stands in snapshots, which can be thrown away, and in `group.migrated` entries, which cannot: a later form must read
 * this one and those before it. Version 1 has no objects that stand in several places, version 2 has them in contexts only.
 */
export const format = 3;

/** A system as JSON. Key order inside snapshots matters: write it with JSON.stringify, not sorted. */
export interface Persisted {
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

/** An actor that has not been let go. */
export interface PersistedActor extends ActorKey {
  /** The highest incarnation at this address, where it is another. */
  readonly last?: number;
  /** Name it was spawned by; the coordinator has none. */
  readonly src: string;
  readonly systemId?: string;
  readonly running: boolean;
  readonly order: number;
  readonly snapshot: JsonValue;
  readonly timers: readonly (Omit<Timer, 'to' | 'event'> & {
    readonly to: ActorKey | null;
    readonly event: JsonValue;
  })[];
}

/** The snapshot of a machine: ids in place of states. */
export interface PersistedMachine {
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

/** False for a machine that failed before it had a state. */
export function isMachineState(snapshot: JsonValue): snapshot is JsonValue & PersistedMachine {
  return typeof snapshot === 'object' && snapshot !== null && 'nodes' in snapshot;
}

/** XState touch point: what of a machine's snapshot is state; the rest is derived from it. */
export interface MachineState extends AnySnapshot {
  _nodes: readonly StateNode[];
  value: unknown;
  context: unknown;
  historyValue: Readonly<Record<string, readonly StateNode[]>>;
  children: Readonly<Record<string, AnyActorRef>>;
}
/** What of a state is needed here. */
export interface StateNode {
  readonly id: string;
  readonly tags: readonly string[];
}
