/**
 * What a viewer sees: plain JSON, made on the side of the journal and drawn anywhere (a page, a file, a terminal). Every
 * state is that *at a position*: a place among all entries of the run, 1-based, 0 before the first.
 */
import type { JsonValue } from '../json.ts';
import type { Spend } from '../group/budget.ts';
import type { Chart } from './chart.ts';

/** An actor of a group that is not a member: the coordinator (address `''`) or a machine below it. */
export interface ActorState {
  readonly address: string;
  readonly incarnation: number;
  /** Key in {@link Overview.charts}; null for logic that is no machine. */
  readonly chart: string | null;
  readonly status: string;
  /** Ids of the active state nodes, ancestors included, in document order. */
  readonly active: readonly string[];
  readonly context: JsonValue;
  readonly isRunning: boolean;
  /** How often each state node was entered, by id (as a key, see `key.ts`), as far as the configurations between turns tell. */
  readonly visits: Readonly<Record<string, number>>;
  /** Ids of the transitions of its last turn, as far as the configurations tell; and the event types it heard in it. */
  readonly lastTransitions: readonly string[];
  readonly lastEvents: readonly string[];
  /** Position of its last turn. */
  readonly changedAt: number;
}

/** One attempt of a member. */
export interface AttemptState {
  readonly incarnation: number;
  readonly attempt: number;
  readonly harness: string;
  /** Position and time of its start. */
  readonly startedAt: number;
  readonly startedMs: number;
  /** Undefined while it is under way. */
  readonly endedAt?: number;
  readonly endedMs?: number;
  readonly end?: 'cancelled' | 'failed' | 'lost' | 'ok';
}

/** A member as the ledger tells it. */
export interface MemberState {
  readonly id: string;
  readonly incarnation: number;
  readonly status: string;
  readonly harness: string;
  readonly attempt: number;
  /** Times in ms since 1970; null before. */
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly retryMs: number | null;
  /** Since when it has its status, ms since 1970. */
  readonly sinceMs: number;
  readonly line: string;
  readonly error: string;
  /** What it was asked, shortened; what it came to, shortened. */
  readonly asked: string;
  readonly output: string;
  readonly spend: Spend;
  /** What its present attempt has told of its spending, in all: it is not charged again. */
  readonly told: Pick<Spend, 'costUsd' | 'tokens'>;
  /** Messages delivered to it and not read. */
  readonly unread: number;
  readonly session: string;
  readonly attempts: readonly AttemptState[];
  /** Position of its last entry. */
  readonly changedAt: number;
}

/** A checkpoint. */
export interface CheckpointState {
  readonly name: string;
  readonly settled: number;
  readonly total: number;
  readonly by: string;
  readonly at: number;
}

/** A gate. */
export interface GateState {
  readonly name: string;
  readonly question: string;
  readonly openedAt: number;
  /** The member, or machine below the coordinator, that waits for the answer, `address#incarnation`; `''` for the coordinator, the host or the process. */
  readonly by: string;
  readonly answer: {
    readonly approved: boolean;
    readonly by: string;
    readonly note: string;
    readonly at: number;
  } | null;
}

/** A dead letter. */
export interface DeadLetterState {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly at: number;
}

/** A group. */
export interface GroupState {
  readonly name: string;
  readonly status: string;
  readonly machine: string;
  readonly version: string;
  readonly createdMs: number;
  readonly endedMs: number | null;
  /** How it ended, in one line. */
  readonly end: string;
  readonly concurrency: number;
  readonly actors: Readonly<Record<string, ActorState>>;
  readonly members: Readonly<Record<string, MemberState>>;
  readonly checkpoints: readonly CheckpointState[];
  readonly gates: Readonly<Record<string, GateState>>;
  readonly deadLetters: readonly DeadLetterState[];
  /** Of an ended group: its background members that have not settled yet. */
  readonly goingOn: readonly string[];
  readonly spend: Spend;
  /** As in the host's ledger: time of the last entry, the epoch of its host, and the last time of the host before that. */
  readonly written: { readonly atMs: number; readonly epoch: number; readonly beforeMs: number };
  readonly warnings: readonly string[];
  readonly signals: number;
  readonly messages: number;
}

/** A property of the model of which this run is a counterexample. */
export interface PropertyState {
  readonly name: string;
  /** `always`, `sometimes`, `eventually`, `canAlways`, or of a check that comes by default `deadlock`, `finding`. */
  readonly kind: string;
  /** `holds`, `violated` in this state; `unmet`, `pending`, `met` so far; `unknown`: nobody can tell from here. */
  readonly state: 'holds' | 'met' | 'pending' | 'unknown' | 'unmet' | 'violated';
  /** Position from which on it is so. */
  readonly since: number;
}

/** What the check kit says of properties; empty for a run that is no counterexample. */
export interface Judged {
  /** In the order of the model, each once. Keys only tell them apart. */
  readonly properties: Readonly<Record<string, PropertyState>>;
  /** The violation has been told: entries after it belong to no trace. */
  readonly isOver: boolean;
}

/** The run at a position. */
export interface ViewState {
  readonly position: number;
  /** Time of that entry, ms since 1970. */
  readonly atMs: number;
  readonly run: {
    readonly id: string;
    readonly process: string;
    readonly status: string;
    readonly createdMs: number;
    readonly end: string;
    /** Number of the host's lease. */
    readonly epoch: number;
  };
  readonly groups: Readonly<Record<string, GroupState>>;
  /** The run's own gates. */
  readonly gates: Readonly<Record<string, GateState>>;
  readonly judged: Judged;
}

/** One change of a {@link ViewState}: a patch as immer makes them. */
export interface Patch {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: readonly (number | string)[];
  readonly value?: JsonValue;
}

/** Why an entry is there: another entry that it follows from. */
export interface Cause {
  readonly position: number;
  /** In words: `asked by`, `attempt`, `message`, `read`, `gate`, `timer`, `state`. */
  readonly why: string;
}

/** An actor-to-actor delivery of a turn, or one from outside. Addresses; `''` is the coordinator. */
export interface DeliveryState {
  readonly from: string;
  readonly to: string;
  readonly type: string;
}

/** One entry, and what it changes. */
export interface Frame {
  readonly position: number;
  readonly stream: string;
  readonly seq: number;
  readonly atMs: number;
  readonly type: string;
  /** Member, sender or whoever else it is about; `''` for the group itself. */
  readonly who: string;
  /** One line, at most 200 characters. */
  readonly summary: string;
  readonly deliveries: readonly DeliveryState[];
  readonly causes: readonly Cause[];
  /** From the state before to the state after, and back. */
  readonly patches: readonly Patch[];
  readonly inverse: readonly Patch[];
  /** Of a settlement: whether the member succeeded. Its line does not tell: names and errors may have any words in them. */
  readonly isOk?: boolean;
  /** Fault annotation, of a counterexample: `crash`, `duplicate`, `drop`, … */
  readonly fault?: string;
}

/** A stretch of a run: the state before its first frame, and the frames. */
export interface Window {
  readonly base: ViewState;
  readonly frames: readonly Frame[];
}

/** What of a position is worth jumping to. */
export interface Mark {
  readonly position: number;
  readonly kind: 'checkpoint' | 'crash' | 'dead-letter' | 'end' | 'failure' | 'gate' | 'group' | 'violation';
  readonly label: string;
}

/** A property along the run: what it is from each position on, in order. Before the first nothing is known. */
export interface PropertyRow {
  /** As in {@link Judged.properties}. */
  readonly key: string;
  readonly name: string;
  readonly kind: string;
  readonly changes: readonly { readonly position: number; readonly state: PropertyState['state'] }[];
}

/** The properties of a counterexample along its run. No rows: this is none, or it does not say. */
export interface PropertyLane {
  readonly rows: readonly PropertyRow[];
  /** Positions between which it goes round for ever; null when it does not. */
  readonly loop: { readonly from: number; readonly to: number } | null;
  /** Changes beyond the bound that are not listed. */
  readonly changesHidden: number;
}

/** A run at a glance. */
export interface Overview {
  readonly id: string;
  readonly title: string;
  /** Entries so far, and whether more of them are still being read or may come. */
  readonly entries: number;
  readonly isComplete: boolean;
  readonly isLive: boolean;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly charts: Readonly<Record<string, Chart>>;
  readonly marks: readonly Mark[];
  /** Marks beyond the bound that are not listed. */
  readonly marksHidden: number;
  readonly lane: PropertyLane;
  /** Why there are no machines, where there are none; differences from what was recorded. */
  readonly notices: readonly string[];
}

/** Something that could happen next. */
export interface Choice {
  /** `ok worker-1`, `error worker-1`, `event go`, `time`, `approve ship`, `reject ship`, `cancel`. */
  readonly id: string;
  readonly label: string;
  /** A value may be given: the output, the error's message, or the event's other fields. */
  readonly takes: 'event' | 'message' | 'none' | 'output';
}
