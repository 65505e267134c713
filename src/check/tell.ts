import {
  emit,
  type ActionArgs,
  type ActionFunction,
  type EventObject,
  type MachineContext,
  type ParameterizedObject,
} from 'xstate';
import type { JsonValue } from '../json.ts';

/** A message, as it is delivered: its receiver's machine hears it as it is. */
export interface Told extends EventObject {
  readonly [name: string]: JsonValue;
}

/** To whom, and what. */
export interface Telling {
  /** Id of an actor of the model; in a member's machine: a member, or `coordinator`. */
  readonly to: string;
  readonly event: Told;
}

/** What {@link tell} emits. */
export interface TellEvent extends Telling {
  readonly type: 'troupe.tell';
}

/**
 * An XState action that sends a message to another actor of a {@link model}, or of a group, over the network of the model. Several
 * in a row are one atomic send. The receiver does not learn who sent it unless the message says so.
 */
export function tell<
  Context extends MachineContext,
  ExpressionEvent extends EventObject,
  Params extends ParameterizedObject['params'] | undefined,
  Event extends EventObject,
>(
  what: Telling | ((args: ActionArgs<Context, ExpressionEvent, Event>, params: Params) => Telling),
): ActionFunction<Context, ExpressionEvent, Event, Params, never, never, never, never, TellEvent> {
  return emit<Context, ExpressionEvent, Params, Event, TellEvent>((args, params) => ({
    ...(typeof what === 'function' ? what(args, params) : what),
    type: 'troupe.tell',
  }));
}
