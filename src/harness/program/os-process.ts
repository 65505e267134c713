/** One process of the operating system, as it was seen. */
import type { Mark } from './marker.ts';

/** An operating-system process that is alive: not a zombie, save one with a living thread. */
export interface OsProcess {
  readonly pid: number;
  /** Process group. */
  readonly groupId: number;
  /** When it started, in a unit of the system's own, empty where it does not tell; with `pid` it names one process for good. */
  readonly start: string;
  /** Attempts it belongs to. Empty when its environment may not be read. */
  readonly marks: readonly Mark[];
  /** Its first thread has ended: it was killed, and another thread of it is still inside a call. */
  readonly isDying?: true;
}
