/** Does anything hear an event? By its type alone: a guard that says no has heard it. */
import { snapshotAt, type System } from '../../group/step.ts';
import type { Address } from '../../group/effect.ts';

/** XState touch point: an active state node's transitions by descriptor. */
interface Node {
  readonly transitions: ReadonlyMap<string, unknown>;
}

/** True when a machine lives at `address` and an active state of it has a transition for this type. */
export function isHeard(system: System, address: Address, type: string): boolean {
  const snapshot = snapshotAt(system, address) as unknown as { readonly _nodes?: readonly Node[] } | undefined;
  if (snapshot?._nodes === undefined) return true;
  return snapshot._nodes.some(({ transitions }) =>
    Array.from(transitions.keys()).some((descriptor) => matches(type, descriptor)),
  );
}

function matches(type: string, descriptor: string): boolean {
  if (descriptor === type || descriptor === '*') return true;
  return descriptor.endsWith('.*') && type.startsWith(descriptor.slice(0, -1));
}
