/** Who performs invocations when the command line drives a run. */
import { command } from '../harness/command.ts';
import type { Harnesses } from '../harness/port.ts';

/** Harnesses of a process file, over the built-in ones; `cwd`: folder of commands that name none. */
export function harnessesWith(own: Harnesses, cwd: string): Harnesses {
  return { command: command({ cwd }), ...own };
}
