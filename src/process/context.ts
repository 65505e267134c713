/** What a process function is given: its only way to the world. */
import type { AnyStateMachine, InputFrom, OutputFrom } from 'xstate';
import type { Bounds } from '../group/bounds.ts';
import type { Invocation } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import type { Parallel } from './parallel.ts';

/** Input of a machine: what {@link coordinator} declared, else what XState infers. */
export type InputOf<Machine extends AnyStateMachine> = 'troupe' extends keyof Machine
  ? Machine extends { readonly troupe?: (input: infer Input) => unknown }
    ? Input
    : never
  : InputFrom<Machine>;

/** Output of a machine: what {@link coordinator} declared, else what XState infers. */
export type OutputOf<Machine extends AnyStateMachine> = 'troupe' extends keyof Machine
  ? Machine extends { readonly troupe?: (input: never) => infer Output }
    ? Output
    : never
  : OutputFrom<Machine>;

/** How a group is driven; no part of its identity except `bounds`, which stay as they were when it was created. */
export interface OpenOptions {
  /** Attempts of this group at once. Default 256. */
  readonly concurrency?: number;
  readonly bounds?: Partial<Bounds>;
}

/** A checkpoint as the process sees it. */
export interface Checkpoint {
  readonly name: string;
  /** Its place in the group's stream. */
  readonly seq: number;
  readonly settled: number;
  readonly total: number;
  readonly reason?: string;
  readonly data?: JsonValue;
}

/** A group as the process sees it: the same in each iteration. */
export interface GroupHandle<Output> {
  readonly name: string;
  /** The coordinator's output. Rejects with GROUP_FAILED or CANCELLED. */
  readonly output: Promise<Output>;
  /** As of what this process has seen: `active` until the end has been delivered here. */
  status(): 'active' | 'cancelled' | 'completed' | 'failed';
  /**
   * Sends an event to the coordinator; resolves when it is durable and folded. `id` names the signal in the group, so that
   * an iteration does not send it again; default the event's type. Codes: DUPLICATE_NAME (a second send of one
   * id in one iteration), GROUP_ENDED, RESERVED_EVENT, NOT_JSON, ENTRY_TOO_LARGE.
   */
  send(event: { readonly type: string }, options?: { readonly id?: string }): Promise<void>;
  /** Ends the group as cancelled; its members are stopped. Resolves when that is recorded; no-op on an ended group. */
  cancel(reason?: string): Promise<void>;
  /** Checkpoints in order, those recorded already first; ends with the group. */
  readonly checkpoints: AsyncIterable<Checkpoint>;
}

/** The context of one iteration. */
export interface Context {
  /** Id of the run. */
  readonly run: string;
  /**
   * Opens the group `name`, or takes it up where it is. `name` is its identity in the run, forever.
   * Codes: DUPLICATE_NAME, GROUP_MISMATCH, MACHINE_UNSUPPORTED, NOT_JSON, NONDETERMINISM, LIMIT; they stop the run, losing nothing.
   */
  group<Machine extends AnyStateMachine>(
    name: string,
    machine: Machine,
    input: InputOf<Machine>,
    options?: OpenOptions,
  ): GroupHandle<OutputOf<Machine>>;
  /** One invocation under a name of its own; resolves to its output. Rejects with GROUP_FAILED or CANCELLED. */
  task(name: string, invocation: Invocation): Promise<JsonValue>;
  readonly parallel: Parallel;
  /** Resolves at this moment (ms since 1970, Date or ISO text), or at once when it is past; durable. */
  sleepUntil(moment: Date | number | string): Promise<void>;
  /** Time as of the last recorded result this process has seen, ms since 1970: the same in each iteration. */
  now(): number;
  /** Notes something in the journal, once. */
  log(message: string, data?: JsonValue): void;
}
