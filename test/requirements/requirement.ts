/** What is asked of a runtime like this one, and where it is shown. */

/** A test, by its file under `test/` and its name (of a parametrised one: as it is written). */
export type Shown = readonly [file: string, name: string];

/** One requirement. Something must be said of each: tests that show it, what is not there yet, or why ours differs. */
export interface Requirement {
  readonly says: string;
  readonly shown?: readonly Shown[];
  /** What of it is not there yet, and why. */
  readonly notYet?: string;
  /** Why ours does something else. */
  readonly differs?: string;
}
