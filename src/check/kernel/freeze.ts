import { keyOf } from '../../group/ref.ts';
import type { AnyActorRef } from 'xstate';

/** Freezes plain data all through, so that changing it in place throws; actor refs in it are left alone. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (keyOf(value as unknown as AnyActorRef) !== undefined) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}
