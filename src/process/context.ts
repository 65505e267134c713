/** What a process function is given: its only way to the world. */
import type { AnyStateMachine, InputFrom, OutputFrom } from 'xstate';
import type { BudgetPolicy } from '../group/budget.ts';
import type { Bounds } from '../group/bounds.ts';
import type { DeliveryMode, Invocation, Outcome } from '../harness/port.ts';
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

/** How `handle.send` names and addresses what it sends. */
export interface SendOptions {
  readonly id?: string;
  /** A member's address, or `*` for all living members. Default: the coordinator. */
  readonly to?: string;
  readonly mode?: DeliveryMode;
}

/** How a group is driven; no part of its identity except `bounds`, which stay as they were when it was created. */
export interface OpenOptions {
  /** Attempts of this group at once. Default 256. */
  readonly concurrency?: number;
  readonly bounds?: Partial<Bounds>;
  /** What the group may spend. Default: no bound. */
  readonly budget?: BudgetPolicy;
  /**
   * When the process function has returned and the group, or a background member of it, has not ended: the run waits for it (`wait`, the
   * default), or cancels it (`cancel`).
   */
  readonly onReturn?: 'cancel' | 'wait';
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

/** How a process answers a gate. */
export interface ApproveOptions {
  /** Says no instead of yes. */
  readonly reject?: boolean;
  /** What whoever asked hears besides. Default: ''. */
  readonly note?: string;
  /** Which answer at this gate this is, whoever gave those before: a coordinator may open a gate again. Whole number >= 1; default 1, the first. */
  readonly round?: number;
}

/** A group as the process sees it: the same in each iteration. */
export interface GroupHandle<Output> {
  readonly name: string;
  /** The coordinator's output. Rejects with GROUP_FAILED or CANCELLED. */
  readonly output: Promise<Output>;
  /** As of what this process has seen: `active` until the end has been delivered here. */
  status(): 'active' | 'cancelled' | 'completed' | 'failed';
  /**
   * Sends an event to the coordinator, or, with `to`, a message to a member (`*`: to all living ones), which reads it as
   * `{ type, body, … }`: the event's other fields are the body. Resolves when it is durable and folded. `id` names it in the group, so that an
   * iteration does not send it again; default the event's type (with `to`: and the recipient). `mode` is for members.
   * Codes: DUPLICATE_NAME (a second one of one id in one iteration), UNKNOWN_MEMBER, GROUP_ENDED, RESERVED_EVENT, NOT_JSON, ENTRY_TOO_LARGE, LIMIT.
   */
  send<Event extends { readonly type: string }>(event: Event, options?: SendOptions): Promise<void>;
  /**
   * Answers the open gate `name` of the group (`<address>/<gate>` for one of a member or a nested machine); resolves when an answer, this one or somebody else's that came first, is durable and has
   * been delivered. A later iteration finds it and does not answer again. Codes: UNKNOWN_GATE, DUPLICATE_NAME (a second answer of one round
   * in one iteration), BAD_INPUT.
   */
  approve(name: string, options?: ApproveOptions): Promise<void>;
  /** Marks progress of the process's own in the group's stream; each name once. */
  checkpoint(mark: {
    readonly name: string;
    readonly settled: number;
    readonly total: number;
    readonly data?: JsonValue;
  }): Promise<void>;
  /** Results of members that have settled and been delivered here so far, in that order; never waits. */
  settled(): readonly {
    readonly member: string;
    readonly outcome: Exclude<Outcome, { readonly status: 'cancelled' }>;
  }[];
  /** Ends the group as cancelled; its members are stopped. Resolves when that is recorded. Of an ended group it stops the background members. */
  cancel(reason?: string): Promise<void>;
  /** Checkpoints in order, those recorded already first; ends with the group. */
  readonly checkpoints: AsyncIterable<Checkpoint>;
}

/** A branch of a strategy; what it opens through `ctx` is its own, and is cancelled when it loses. */
export type Branch<Result> = (ctx: Context) => Promise<Result> | Result;

/** What best effort comes to: both lists keep the places of the branches. */
export interface BestEffort<Result> {
  /** `undefined` where a branch failed. */
  readonly results: readonly (Result | undefined)[];
  /** `undefined` where a branch succeeded. */
  readonly errors: readonly unknown[];
  readonly successCount: number;
}

/** Ways to wait besides {@link Parallel}. */
export interface Strategies {
  /** Waits for all; never rejects for a branch. */
  bestEffort<Result>(branches: readonly Branch<Result>[]): Promise<BestEffort<Result>>;
  /** Resolves with the first success and cancels the rest; rejects with the first failure in order when all fail. */
  first<Result>(branches: readonly Branch<Result>[]): Promise<Result>;
  /**
   * Resolves with the results as soon as `atLeast` branches have succeeded (a whole number, or a share below 1; default 0.5 means
   * half of them, rounded up) and cancels the rest; rejects as soon as that has become impossible.
   * Results are in the order of the branches.
   */
  quorum<Result>(
    branches: readonly Branch<Result>[],
    options?: { readonly atLeast?: number },
  ): Promise<readonly { readonly index: number; readonly result: Result }[]>;
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
  readonly parallel: Parallel & Strategies;
  /**
   * Like {@link Context.group} for work that nobody waits for: the process goes on, results are recorded as they come
   * (`handle.settled()`), and the run does not end before the work has, unless `onReturn` is `cancel`. For one member of a group: `background: true` in
   * its invocation.
   */
  background(name: string, invocation: Invocation, options?: OpenOptions): GroupHandle<JsonValue>;
  /** Opens a gate of the run and waits until somebody answers (`troupe approve <run> <name>`); durable. */
  breakpoint(
    name: string,
    question: { readonly question: string; readonly data?: JsonValue },
  ): Promise<{
    readonly approved: boolean;
    readonly note: string;
  }>;
  /** Resolves at this moment (ms since 1970, Date or ISO text), or at once when it is past; durable. */
  sleepUntil(moment: Date | number | string): Promise<void>;
  /** Time as of the last recorded result this process has seen, ms since 1970: the same in each iteration. */
  now(): number;
  /** Notes something in the journal, once. */
  log(message: string, data?: JsonValue): void;
}
