/** How actors are named in effects and messages. */
import type { AnyActorRef } from 'xstate';
import { flawOfId, othersNames, rootAddress } from './address.ts';
import type { Live } from './cell.ts';
import type { ActorKey, Address } from './effect.ts';
import { generatedId, keyOf } from './ref.ts';

/** Names an actor in an effect. */
export function idOf(live: Live): ActorKey {
  return { address: live.place.address, incarnation: live.incarnation };
}

/** Names an actor in a message, by its machine first. */
export function where({ logic, place }: Live): string {
  return place.address === rootAddress
    ? `machine \`${logic.id}\``
    : `machine \`${logic.id}\`, actor \`${place.address}\``;
}

/** Address of an actor's parent; the coordinator counts as its own. */
export function parentOf(live: Live): Address {
  const { _parent: parent } = live.ref;
  return (parent === undefined ? undefined : keyOf(parent)?.place.address) ?? rootAddress;
}

/** What is said of an event whose receiver is something else than an actor. */
export function strangerTo(from: Live, type: string): string {
  return `${where(from)}: unable to send \`${type}\`: the receiver is not an actor of this group`;
}

/** How an actor that hears no more has ended. */
export function endedHow(live: Live): string {
  switch (live.snapshot?.status) {
    case 'done':
      return 'settled';
    case 'error':
      return 'failed';
    default:
      return 'stopped';
  }
}

/** What is said of an actor that was spawned from a logic object. */
export const inlineSpawn =
  'spawned actor has no string `src`. Register it in setup({ actors }) and spawn it by name, so that it can be found again after a restart.';

/** What is said of an actor whose snapshots its parent would hear. */
export const subscribedSpawn =
  'the snapshots of a child are subscribed to (onSnapshot, syncSnapshot), which a restart would send again. Let the child send events instead.';

/** Why an actor cannot be spawned like this: it has no address of its own, or its snapshots are subscribed to. Undefined when it can. */
export function flawOfSpawn(ref: AnyActorRef): string | undefined {
  // XState touch point: private, and set by all ways of spawning.
  if ((ref as { readonly _syncSnapshot?: boolean })._syncSnapshot === true) return subscribedSpawn;
  const flaw = ref.id === generatedId ? 'no id' : (flawOfId(ref.id) ?? flawOfName(ref));
  if (flaw === undefined) return undefined;
  const name = typeof ref.src === 'string' ? `\`${ref.src}\`` : 'without a name';
  return `spawned actor ${name} has ${flaw}. Give it an id of its own, so that it has the same address in every replay.`;
}

/** A member is spoken to, and speaks, by its name: one called as somebody else is would be taken for that one. */
function flawOfName({ id, _parent: parent }: AnyActorRef): string | undefined {
  if (!othersNames.has(id) || parent === undefined || keyOf(parent)?.place.address !== rootAddress) return undefined;
  return `the id \`${id}\`: in messages that name is somebody else's (${[...othersNames].map((name) => `\`${name}\``).join(', ')} are)`;
}
