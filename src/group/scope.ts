/** XState touch point: the scopes that logics are run with (facts of XState 5.33: every member is a plain property). */
import type { AnyActorRef, AnyActorScope } from 'xstate';
import { groupSystem } from './ref.ts';
import type { Action } from './snapshot.ts';

/** Who is told what a running logic wants done. */
export interface Conductor {
  collect(action: Action): void;
  /** XState's own start of an actor that was spawned inside an assign. */
  defer(start: () => void): void;
}

/**
 * Scopes are a stack, one for each actor that is being made or run inside another, and are used again. Their
 * executor is put back each time: every microstep of XState replaces it for a while.
 */
const stack: AnyActorScope[] = [];
let depth = 0;
let conductor: Conductor | undefined;

const collect = (action: Action) => conductor?.collect(action);

/** A scope for one transition; {@link giveBack} it after. */
export function takeScope(self: AnyActorRef, by: Conductor): AnyActorScope {
  let scope = stack[depth];
  if (scope === undefined) stack[depth] = scope = newScope(self);
  depth += 1;
  conductor = by;
  scope.self = self;
  scope.id = self.id;
  scope.sessionId = self.sessionId;
  scope.actionExecutor = collect;
  return scope;
}

/** Ends the use of the scope that was taken last. */
export function giveBack(): void {
  depth -= 1;
}

function newScope(self: AnyActorRef): AnyActorScope {
  return {
    self,
    id: '',
    sessionId: '',
    system: groupSystem,
    logger: () => {},
    defer: (start) => conductor?.defer(start),
    emit: (event) => conductor?.collect({ type: 'xstate.emit', params: { event } }),
    stopChild: () => {},
    actionExecutor: collect,
  };
}
