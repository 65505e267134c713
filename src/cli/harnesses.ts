/** Who performs invocations when the command line drives a run. */
import { command } from '../harness/command.ts';
import type { Harnesses } from '../harness/port.ts';

/** Harnesses of a process file, over the built-in ones. */
export function harnessesWith(own: Harnesses): Harnesses {
  return { command: command(), ...own };
}
