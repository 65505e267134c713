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
import type { JsonValue } from '../json.ts';
import { define } from './definition.ts';

/** A machine that may coordinate a group, with the types of its input and output and nothing else to infer. */
export type Coordinator<Input = unknown, Output = unknown> = AnyStateMachine & {
  /** Only for types. */
  readonly troupe?: (input: Input) => Output;
};

/**
 * Declares that a machine coordinates groups: lints it and returns the same machine. Throws MACHINE_UNSUPPORTED
 * for what cannot be replayed, naming machine, state and remedy.
 */
export function coordinator<Machine extends AnyStateMachine>(
  machine: Machine,
): Coordinator<InputFrom<Machine>, OutputFrom<Machine>> {
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

/** An XState action that marks a checkpoint: the host makes a durable entry of it. */
export function checkpoint<
  Context extends MachineContext,
  ExpressionEvent extends EventObject,
  Params extends ParameterizedObject['params'] | undefined,
  Event extends EventObject,
>(
  what: Checkpoint | ((args: ActionArgs<Context, ExpressionEvent, Event>, params: Params) => Checkpoint),
): ActionFunction<Context, ExpressionEvent, Event, Params, never, never, never, never, CheckpointEvent> {
  return emit<Context, ExpressionEvent, Params, Event, CheckpointEvent>((args, params) => ({
    ...(typeof what === 'function' ? what(args, params) : what),
    type: 'troupe.checkpoint',
  }));
}
