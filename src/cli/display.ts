/** How a run that is driven here is shown while it goes. */
import type { Entry } from '../journal/port.ts';

/** Shows one run. Calls come in the order of the journal. */
export interface Display {
  /** `entry` is new, and what is known of the run includes it. */
  entry(entry: Entry): void;
  /** A member told something. */
  progress(): void;
  /** Something worth a line: a repaired journal, a machine's log, the process's own output. */
  note(line: string): void;
  /** The host has been told to stop; so many attempts are being ended. */
  stopping(attempts: number): void;
  /** Nothing more will come. What was painted in place is removed. */
  end(): void;
}
