import type { AnyStateMachine } from 'xstate';
import type { JsonValue } from '../../json.ts';
import type { Coordinator } from '../../group/coordinator.ts';
import type { Outcome } from '../../harness/port.ts';
import type { Properties } from '../checkable.ts';
import type { Move } from '../actors/options.ts';
import type { Facade, View } from '../kernel/locals.ts';

/** How a member may come out; made by `outcomes`. */
export interface Outcomes {
  readonly outcomes: readonly Outcome[];
}

/**
 * A member that is explored, too: an ordinary machine in the harness's place. Its input is the invocation. It hears its letters as
 * events with `from`, sends with `tell`, and ends the invocation by its own end: its output, or its error.
 */
export interface MemberMachine {
  readonly machine: AnyStateMachine;
  /** What it may do of itself. Default nothing. */
  readonly moves?: readonly Move[];
}

/** What members do. */
export type MemberModel = AnyStateMachine | MemberMachine | Outcomes;

/** The ways in which a member may come out, each of which is tried: `outcomes(ok('fine'), fail('crashed'))`. */
export function outcomes(...ways: readonly Outcome[]): Outcomes {
  return { outcomes: ways };
}

/** What may go wrong, each at most so often in one run. Default 0. What is left is a part of the state. */
export interface Faults {
  /** The host dies between any two entries of the journal, and another one takes over: replays, and makes again what was under way. */
  readonly hostCrash?: number;
  /** A running attempt dies (class `crashed`). */
  readonly memberCrash?: number;
  /** A result is delivered, and again later. */
  readonly duplicate?: number;
  /** A result is lost on the way: nothing but a timer can help. */
  readonly drop?: number;
  /** An attempt that was given up (its host died, its member was stopped) tells its result after all; not of a member that is a machine. */
  readonly late?: number;
}

/** Something that a member or somebody outside may say, at any time while the group, and that member's attempt, goes on. */
export interface ProtocolMessage {
  /** A member; `outside` (default) is heard as a signal. */
  readonly from?: string;
  readonly type: string;
  /** Of a member's message. */
  readonly body?: JsonValue;
  /** Further fields of a signal. */
  readonly data?: { readonly [name: string]: JsonValue };
  /** At most so often; default no bound. */
  readonly times?: number;
}

/** A member as properties see it. */
export interface MemberState {
  /** `running`: an attempt is under way. `told`: its result is on its way. `gone`: settled or stopped. */
  readonly status: 'gone' | 'running' | 'told';
  /** Number of the attempt; 0 when it is gone. */
  readonly attempt: number;
}

/** A state of a group as properties see it. */
export interface GroupState<Context = { readonly [name: string]: JsonValue }, Output = JsonValue> {
  /** `active`, or how the group ended. */
  readonly status: 'active' | 'cancelled' | 'completed' | 'failed';
  /** Of a completed group. */
  readonly output: Output | undefined;
  /** The message of a failed group's error. */
  readonly error: string | undefined;
  /** The coordinator's. One that was cancelled has none: to read it there is a mistake; its `value` is undefined. */
  readonly context: Context;
  readonly value: unknown;
  readonly matches: Facade['matches'];
  /** Members that were ever asked for, by address. */
  readonly members: { readonly [address: string]: MemberState };
  /** How often attempts of this member were begun, all its incarnations together. Only with `executionsAtMost`. */
  executions(address: string): number;
  /** Members that the coordinator wants now. */
  readonly wanted: readonly string[];
  /** Gates that wait for an answer; one of a machine below the coordinator has its address in front, `address/name`. */
  readonly gates: readonly string[];
  /** Actors of nested groups, by address. */
  nested(address: string): Facade | undefined;
}

/** What `protocol` takes. */
export interface ProtocolOptions<Input, Output, Context> {
  /** The machine that ships. */
  readonly coordinator: Coordinator<Input, Output>;
  readonly input: Input;
  /** Shown in results. Default the machine's id. */
  readonly name?: string;
  /**
   * What each member does: by address, or by a pattern in which `*` stands for any text; an exact address goes first, then the
   * longest pattern. Default `{ '*': outcomes(ok(), fail()) }`.
   */
  readonly members?: { readonly [address: string]: MemberModel };
  /**
   * How messages of members travel: `ordered` (default), one after the other and before the member's end, or `bag`, in any order. What a member
   * had said and nobody heard yet when it ended, or was stopped, is lost.
   */
  readonly network?: 'bag' | 'ordered';
  readonly faults?: Faults;
  /**
   * `any` (default): a pending timer may fire at any time. `due`: only when no other is due before it; all else takes no time.
   * `none`: timers never fire.
   */
  readonly timers?: 'any' | 'due' | 'none';
  readonly messages?: readonly ProtocolMessage[];
  /** Somebody may cancel the group at any time. Default false. */
  readonly cancel?: boolean;
  /**
   * Sets of members that may change places: states that differ only so, or in the order of a machine's children, are one. Not with `eventually`.
   * What is asked of states has to say the same of all of these, and is refused (BAD_INPUT) where it does not: it may name none of the members.
   * Ids are renamed wherever they stand in a text with no letter or digit beside them: `lease a` and `a/undo`, but not `leaseA`.
   */
  readonly symmetry?: readonly (readonly string[])[];
  /** What of the coordinator's context tells its states apart. Its use is told in the result. */
  readonly view?: View;
  readonly properties?: Properties<GroupState<Context, Output>>;
  /** Attempts of one member that may be begun in one run, all incarnations together. Default no bound. */
  readonly executionsAtMost?: number;
  /** Checks that are on by default, and can be turned off where a protocol means it otherwise. */
  readonly checks?: {
    /** Each distinct step twice, in worlds that differ. */
    readonly replayDeterminism?: boolean;
    /** Something can always happen until the group has ended. */
    readonly noDeadlock?: boolean;
    /** From every state the group can still end, without a fault; off by default where results may be lost and no timer fires. */
    readonly canAlwaysEnd?: boolean;
    /** And without a timer; off by default where results may be lost. */
    readonly canAlwaysEndWithoutTimers?: boolean;
    /** Every settlement, and every message of a member that is explored, meets a transition. */
    readonly noUnhandled?: boolean;
    /** A timer fires only where something hears it. */
    readonly noStaleTimer?: boolean;
  };
}
