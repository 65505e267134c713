import {
  emit,
  type ActionArgs,
  type ActionFunction,
  type AnyStateMachine,
  type EventObject,
  type InputFrom,
  type MachineContext,
  type OutputFrom,
  type ParameterizedObject,
} from 'xstate';
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { budgetGate } from './budget.ts';
import { define } from './definition.ts';
import { refuseMark, refuseNameless, refuseQuestion } from './legible.ts';
import { declareUpgrade, type Upgrade } from './upgrade.ts';

/** A machine that may coordinate a group, with the types of its input and output and nothing else to infer. */
export type Coordinator<Input = unknown, Output = unknown> = AnyStateMachine & {
  /** Only for types. */
  readonly troupe?: (input: Input) => Output;
};

/**
 * Declares that a machine coordinates groups: lints it and returns the same machine. `upgrade` says how it goes on with groups
 * that older versions began; it belongs to this machine object, and what `machine.provide()` makes has none.
 * Codes: MACHINE_UNSUPPORTED for what cannot be replayed, naming machine, state and remedy; BAD_INPUT.
 */
export function coordinator<Machine extends AnyStateMachine>(
  machine: Machine,
  upgrade?: Upgrade,
): Coordinator<InputFrom<Machine>, OutputFrom<Machine>> {
  if (upgrade !== undefined) declareUpgrade(machine, upgrade);
  define(machine);
  return machine;
}

/** How far a group has come. */
export interface Checkpoint {
  readonly name: string;
  readonly reason?: string;
  /** Members settled so far. */
  readonly settled: number;
  /** Members in all, as far as the coordinator knows. */
  readonly total: number;
  readonly data?: JsonValue;
}

/** What a coordinator emits to mark a checkpoint. */
export interface CheckpointEvent extends Checkpoint {
  readonly type: 'troupe.checkpoint';
}

/** An XState action that marks a checkpoint: the host makes a durable entry of it. Codes: BAD_INPUT. */
export function checkpoint<
  Context extends MachineContext,
  ExpressionEvent extends EventObject,
  Params extends ParameterizedObject['params'] | undefined,
  Event extends EventObject,
>(
  what: Checkpoint | ((args: ActionArgs<Context, ExpressionEvent, Event>, params: Params) => Checkpoint),
): ActionFunction<Context, ExpressionEvent, Event, Params, never, never, never, never, CheckpointEvent> {
  if (typeof what !== 'function') refuseMark(what, 'checkpoint');
  return emit<Context, ExpressionEvent, Params, Event, CheckpointEvent>((args, params) => ({
    ...(typeof what === 'function' ? what(args, params) : what),
    type: 'troupe.checkpoint',
  }));
}

/** A question that somebody outside has to answer. */
export interface Gate {
  /**
   * Names the gate in its group; a name may be opened again when it has been answered. One that a nested machine opens is answered as
   * `<address>/<name>` (a slash in the address is `%2F`). Not `budget`: that is the host's, and an approval lifts the group's budget.
   */
  readonly name: string;
  readonly question: string;
  readonly data?: JsonValue;
}

/** What a coordinator emits to open a gate. */
export interface GateEvent extends Gate {
  readonly type: 'troupe.gate';
}

/**
 * An XState action that opens a gate: the host makes a durable entry of it, and whoever answers (`troupe approve`,
 * `handle.approve`) has the machine that opened it, the coordinator or a nested one, hear `{ type: 'approved' | 'rejected', gate, note, by }`,
 * with `gate` as it called it. What a nested machine has asked is withdrawn when that is stopped, or has ended. Codes: BAD_INPUT.
 */
export function gate<
  Context extends MachineContext,
  ExpressionEvent extends EventObject,
  Params extends ParameterizedObject['params'] | undefined,
  Event extends EventObject,
>(
  what: Gate | ((args: ActionArgs<Context, ExpressionEvent, Event>, params: Params) => Gate),
): ActionFunction<Context, ExpressionEvent, Event, Params, never, never, never, never, GateEvent> {
  if (typeof what !== 'function') {
    refuseQuestion(what, 'gate');
    refuseBudget(what);
  }
  return emit<Context, ExpressionEvent, Params, Event, GateEvent>((args, params) => {
    const opened = typeof what === 'function' ? what(args, params) : what;
    // The group would wait at it for ever.
    refuseNameless(opened, 'gate');
    refuseBudget(opened);
    return { ...opened, type: 'troupe.gate' };
  });
}

function refuseBudget({ name }: Gate): void {
  if (name === budgetGate)
    throw new TroupeError(
      'BAD_INPUT',
      `gate: expected another name than \`${budgetGate}\`, which is that of the host's own question.`,
    );
}
