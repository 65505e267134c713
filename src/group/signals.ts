/** Signals of one group: checked at the door, and resolved when they are durable and folded. */
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { EventObject } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import type { GroupFold } from './fold.ts';
import type { GroupContext } from './group-context.ts';
import { bytesOver } from './json-bytes.ts';
import { refuseReserved } from './reserved.ts';

/** Sends an event to the coordinator. Codes: GROUP_ENDED, RESERVED_EVENT, ENTRY_TOO_LARGE, LIMIT. */
export type SendSignal = (event: EventObject, from: { readonly id: string; readonly from: string }) => Promise<void>;

/** What {@link signalsOf} needs. */
export interface SignalsOptions {
  readonly context: Pick<GroupContext, 'inboxMax' | 'payloadBytesMax'>;
  readonly group: string;
  readonly fold: GroupFold;
  /** Writes a signal; calls back when it is durable and folded, or lost. */
  record(data: GroupEvents['signal'], applied: () => void, failed: (error: unknown) => void): void;
}

/** How a group takes signals: the same id twice is one of them. */
export function signalsOf({ context, group, fold, record }: SignalsOptions): SendSignal {
  let waiting = 0;
  /** Signals on their way, by id. */
  const sending = new Map<string, Promise<void>>();

  /** Why it is not taken; undefined when it is. */
  const refusal = (event: EventObject): TroupeError | undefined => {
    // The fold knows before the entry of the end is durable.
    const status = fold.system?.end?.status ?? fold.ledger.status;
    if (status !== 'active') {
      const hasEnded = status === 'cancelled' ? 'was cancelled' : `has ${status}`;
      return new TroupeError(
        'GROUP_ENDED',
        `group \`${group}\` ${hasEnded}; it takes no more signals, and \`${event.type}\` was not sent.`,
      );
    }
    // An event is plain JSON by its type.
    const bytes = bytesOver(event as unknown as JsonValue, context.payloadBytesMax);
    if (bytes !== undefined) {
      return new TroupeError(
        'ENTRY_TOO_LARGE',
        `signal \`${event.type}\` to group \`${group}\`: expected at most ${context.payloadBytesMax} bytes of JSON (payloadBytesMax), got ${bytes}; put large data into a file and send its path.`,
      );
    }
    if (waiting < context.inboxMax) return undefined;
    return new TroupeError(
      'LIMIT',
      `group \`${group}\`: expected at most ${context.inboxMax} signals to wait for the journal (inboxMax), and \`${event.type}\` is one more; wait for earlier ones to be acknowledged.`,
    );
  };

  // One promise for each signal, and nothing awaited: what waits between an acknowledgement and the next signal holds up the next flush.
  return (event, { id, from }) => {
    try {
      refuseReserved(event.type);
      if (fold.ledger.signals.has(id)) return Promise.resolve();
      const under = sending.get(id);
      if (under !== undefined) return under;
      const refused = refusal(event);
      if (refused !== undefined) return Promise.reject(refused);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    waiting += 1;
    const sent = new Promise<void>((resolve, reject) => {
      const applied = () => {
        waiting -= 1;
        sending.delete(id);
        resolve();
      };
      const failed = (error: unknown) => {
        waiting -= 1;
        sending.delete(id);
        // The journal's own error, passed on.
        reject(error as Error);
      };
      record({ id, from, event }, applied, failed);
    });
    sending.set(id, sent);
    return sent;
  };
}
