/**
 * Letters to the host that holds a run, from processes that do not (`troupe cancel` beside a living host). A letter is
 * no entry yet: the host makes one of it, then removes it; its id makes that happen once.
 */
import type { Letter } from '../harness/port.ts';

/** What may be asked of a host from outside. */
export type Request =
  | { readonly id: string; readonly type: 'cancel'; readonly reason: string }
  | { readonly id: string; readonly type: 'answer'; readonly group?: string; readonly gate: string; readonly approved: boolean; readonly note: string }
  | ({ readonly id: string; readonly type: 'message'; readonly group: string } & Omit<Letter, 'id'>);

/** Where letters wait. */
export interface Requests {
  /** Letters that wait, oldest first. */
  list(): Promise<readonly Request[]>;
  /** The letter has become an entry, or was refused: it goes. */
  remove(id: string): Promise<void>;
}
