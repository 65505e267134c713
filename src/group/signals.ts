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

  return async (event, { id, from }) => {
    refuseReserved(event.type);
    if (fold.ledger.signals.has(id)) return;
    const under = sending.get(id);
    if (under !== undefined) {
      await under;
      return;
    }
    // The fold knows before the entry of the end is durable.
    const status = fold.system?.end?.status ?? fold.ledger.status;
    if (status !== 'active') {
      const hasEnded = status === 'cancelled' ? 'was cancelled' : `has ${status}`;
      throw new TroupeError(
        'GROUP_ENDED',
        `group \`${group}\` ${hasEnded}; it takes no more signals, and \`${event.type}\` was not sent.`,
      );
    }
    // An event is plain JSON by its type.
    const bytes = bytesOver(event as unknown as JsonValue, context.payloadBytesMax);
    if (bytes !== undefined) {
      throw new TroupeError(
        'ENTRY_TOO_LARGE',
        `signal \`${event.type}\` to group \`${group}\`: expected at most ${context.payloadBytesMax} bytes of JSON (payloadBytesMax), got ${bytes}; put large data into a file and send its path.`,
      );
    }
    if (waiting >= context.inboxMax) {
      throw new TroupeError(
        'LIMIT',
        `group \`${group}\`: expected at most ${context.inboxMax} signals to wait for the journal (inboxMax), and \`${event.type}\` is one more; wait for earlier ones to be acknowledged.`,
      );
    }
    waiting += 1;
    const sent = new Promise<void>((resolve, reject) => {
      const left = () => {
        waiting -= 1;
        sending.delete(id);
      };
      const applied = () => {
        left();
        resolve();
      };
      const failed = (error: unknown) => {
        left();
        // The journal's own error, passed on.
        reject(error as Error);
      };
      record({ id, from, event }, applied, failed);
    });
    sending.set(id, sent);
    await sent;
  };
}
