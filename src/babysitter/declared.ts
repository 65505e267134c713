/**
 * The machines of a pass: a babysitter process that calls {@link group} says there which machine coordinates it, and whoever drives the
 * pass hears it here. Several copies of this library in one OS process share the place.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AnyStateMachine } from 'xstate';
import type { JsonValue } from '../json.ts';
import type { OpenOptions } from '../process/context.ts';

/** A group that a process has asked for. */
export interface DeclaredGroup {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly input: JsonValue;
  readonly options: OpenOptions;
}

/** Groups by name. */
export type DeclaredGroups = Map<string, DeclaredGroup>;

const key = Symbol.for('troupe.babysitter.groups');

/** Everything that copies of this library share. */
const shared = globalThis as { [key]?: AsyncLocalStorage<DeclaredGroups> };

function storage(): AsyncLocalStorage<DeclaredGroups> {
  shared[key] ??= new AsyncLocalStorage<DeclaredGroups>();
  return shared[key];
}

/** Runs a pass; what it declares is added to `groups`. */
export function hearingGroups<Result>(groups: DeclaredGroups, pass: () => Promise<Result>): Promise<Result> {
  return storage().run(groups, pass);
}

/** Tells whoever drives this pass, if it is one of ours. */
export function declareGroup(group: DeclaredGroup): void {
  storage().getStore()?.set(group.name, group);
}
