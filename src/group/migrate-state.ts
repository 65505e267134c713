/** From the state of an old machine to one that a new machine can go on from: the coordinator's own; its children stay as they are. */
import type { JsonValue } from '../json.ts';
import { rootAddress } from './address.ts';
import type { Definition } from './definition.ts';
import { encode, encodeShared } from './encode.ts';
import { persist } from './persist.ts';
import {
  isMachineState,
  type MachineState,
  type Persisted,
  type PersistedActor,
  type PersistedMachine,
} from './persisted.ts';
import { snapshotAt, type System } from './system.ts';
import type { CoordinatorState } from './upgrade.ts';

/**
 * The written system. Timers of states that are active under the same id stay, with their moment; those of other states go. A state that
 * is entered by the migration has no timers of its own and has not run its entry actions: a machine that needs them has
 * a transition for `troupe.migrated`.
 */
export function migrateState(
  definition: Definition,
  system: System,
  map: ((old: CoordinatorState) => CoordinatorState) | undefined,
): Persisted {
  const { value, context, status } = snapshotAt(system, rootAddress) as MachineState;
  const old: CoordinatorState = { value, context };
  const given = map === undefined ? old : map(old);
  const written = persist(system) as unknown as Persisted;
  const root = written.actors.find(({ address }) => address === rootAddress);
  if (root === undefined || !isMachineState(root.snapshot) || status !== 'active')
    throw new Error('the coordinator does not run any more');
  const { logic } = definition.root;
  const target = (
    logic as unknown as { resolveState(config: CoordinatorState): MachineState & { readonly value: unknown } }
  ).resolveState({ value: given.value, context: given.context });
  if (target.status !== 'active')
    throw new Error(
      `expected a state that is not final, got ${JSON.stringify(given.value)}; let the machine end when it hears troupe.migrated`,
    );
  const nodes = target._nodes.map(({ id }) => id);
  const known = (logic as unknown as { readonly idMap: ReadonlyMap<string, unknown> }).idMap;
  const before: PersistedMachine = root.snapshot;
  const snapshot = {
    ...before,
    value: encode(target.value, 'state.value'),
    nodes,
    history: before.history.filter(([id, ids]) => [id, ...ids].every((one) => known.has(one))),
    context: encodeShared(given.context, 'state.context'),
  } as unknown as JsonValue;
  const timers = root.timers.filter((timer) => isKept(timer, nodes));
  const [members, timerCount, started, scheduled] = written.counts;
  return {
    ...written,
    machine: { id: definition.id, version: definition.version },
    actors: written.actors.map((actor) => (actor === root ? { ...actor, snapshot, timers } : actor)),
    counts: [members, timerCount - (root.timers.length - timers.length), started, scheduled],
  };
}

/** XState touch point: the event of `after` is called `xstate.after.<delay>.<id of the state>`. */
function isKept({ event }: PersistedActor['timers'][number], nodes: readonly string[]): boolean {
  const { type } = event as { readonly type: string };
  return !type.startsWith('xstate.after.') || nodes.some((id) => type.endsWith(`.${id}`));
}
