/**
 * Letters to the host that holds a run, from processes that do not (`troupe cancel` beside a living host). A letter is
 * no entry yet: the host makes one of it, then removes it; its id makes that happen once.
 */
import type { EventObject } from '../group/effect.ts';
import type { DeliveryMode } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';

/** What may be asked of a host from outside. */
export type Request =
  | { readonly id: string; readonly type: 'cancel'; readonly reason: string }
  | { readonly id: string; readonly type: 'signal'; readonly group: string; readonly event: EventObject }
  | {
      readonly id: string;
      readonly type: 'answer';
      readonly group?: string;
      readonly gate: string;
      readonly approved: boolean;
      readonly note: string;
      /** Which opening of the gate is meant. */
      readonly opening?: string;
    }
  | {
      readonly id: string;
      readonly type: 'message';
      readonly group: string;
      readonly to: string;
      /** The message's own type. */
      readonly message: string;
      readonly body: JsonValue;
      readonly mode?: DeliveryMode;
      /** Id of the message; default that of the letter. */
      readonly messageId?: string;
    };

/** Where letters wait. */
export interface Requests {
  /** Letters that wait, oldest first. */
  list(): Promise<readonly Request[]>;
  /** The letter has become an entry, or was refused: it goes. */
  remove(id: string): Promise<void>;
}
