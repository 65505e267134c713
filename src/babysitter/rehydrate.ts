/**
 * A group whose own journal is gone is made again of its control events in the run's journal: members that have settled are not run
 * again. Nothing is performed here; what was under way is made again when the group is driven next.
 */
import { isTroupeError } from '../error.ts';
import { isTelling } from '../group/askers.ts';
import type { EventObject } from '../group/effect.ts';
import type { Group } from '../group/group.ts';
import type { DeliveryMode, Outcome } from '../harness/port.ts';
import { openHeld, passOver, type RunOptions } from '../process/held-run.ts';
import type { JsonValue } from '../json.ts';
import type { GroupEvent } from './group-events.ts';

/** Tells the group, in their order, of its events; how many it took. `read` gives what stands in the place of a large value. */
export async function rehydrate(
  options: RunOptions,
  name: string,
  events: readonly GroupEvent[],
  read: (value: JsonValue | undefined) => JsonValue | undefined,
): Promise<number> {
  const opened = await openHeld(options, false);
  const { host } = opened;
  const tell = async (): Promise<number> => {
    const current = passOver(opened, options);
    await current.settled();
    const group = host.group(name);
    let told = 0;
    if (group === undefined) return told;
    for (const event of events) {
      if (group.ledger.status !== 'active') break;
      const isTold =
        event.type === 'GROUP_MEMBER_SETTLED' ? await settle(group, event, read) : await send(group, event);
      if (isTold) told += 1;
      await current.settled();
    }
    return told;
  };
  try {
    return await Promise.race([tell(), host.failure]);
  } finally {
    await host.close();
  }
}

/** Settles a member that is asked for. */
async function settle(
  group: Group,
  { data }: GroupEvent,
  read: (value: JsonValue | undefined) => JsonValue | undefined,
): Promise<boolean> {
  const { member, incarnation } = data;
  // Written by us, as it was recorded.
  const outcome = read(data['outcome']) as Outcome | undefined;
  const isWanted = [...group.wants()].some((want) => want.address === member && want.incarnation === incarnation);
  if (typeof member !== 'string' || outcome === undefined || !isWanted) return false;
  await group.settle(member, outcome);
  return true;
}

/** Sends what was sent; what is refused now (its reader has ended, its gate is not open) is passed over. */
async function send(group: Group, { type, eventId, data }: GroupEvent): Promise<boolean> {
  const { to, from, messageId: id, body, gate, approved, mode } = data;
  if (type !== 'GROUP_MESSAGE' || body === undefined || typeof id !== 'string' || typeof from !== 'string')
    return false;
  const kind = data['type'];
  try {
    if (typeof gate === 'string') {
      await group.answer(gate, { approved: approved === true, note: typeof body === 'string' ? body : '', by: from });
    } else if (eventId.startsWith('signal:')) {
      const heard = body as unknown as EventObject;
      // Older events hold an answer and, besides, what the coordinator heard of it.
      if (isTelling({ id, event: heard })) return false;
      await group.signal(heard, { id, from });
    } else if (typeof to === 'string' && typeof kind === 'string') {
      const how = mode === 'steer' || mode === 'interrupt' ? { mode: mode as DeliveryMode } : {};
      await group.send(from, { id, to, type: kind, body, ...how });
    } else return false;
    return true;
  } catch (error) {
    if (isTroupeError(error)) return false;
    throw error;
  }
}
