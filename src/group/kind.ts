import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { memberMark } from './member.ts';

/** True for an XState machine, also one made by another copy of XState. */
export function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && '__xstatenode' in logic && 'root' in logic;
}

/** True for our member, also one made by another copy of this library. */
export function isMember(logic: unknown): boolean {
  return typeof logic === 'object' && logic !== null && memberMark in logic;
}

/** True for logic without a life of its own: it has nothing to start (promises, callbacks and observables do). */
export function isPureLogic(logic: unknown): logic is AnyActorLogic {
  return (
    typeof logic === 'object' &&
    logic !== null &&
    !('start' in logic && typeof logic.start === 'function') &&
    'transition' in logic &&
    'getInitialSnapshot' in logic
  );
}
