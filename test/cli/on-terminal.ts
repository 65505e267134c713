/** Starts the program on a real terminal, made by script(1). */
import { spawnSync } from 'node:child_process';
import { program, type Project, type Running } from './support.ts';

/** Whether this machine can make terminals. */
export const hasTerminals = spawnSync('script', ['-qec', 'stty rows 24 cols 80', '/dev/null']).status === 0;

/** Whether there is a shell that can stop a job and bring it back from a script. */
export const hasBash = spawnSync('bash', ['-c', 'set -m']).status === 0;

/** `troupe` on a terminal of 80 columns; 0 rows and columns for one that does not say how large it is. */
export function onTerminal(
  it: Project,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  rows = 24,
  columns = 80,
): Running {
  const words = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  return it.spawn('script', ['-qec', `stty rows ${rows} cols ${columns} -echo; exec ${words}`, '/dev/null'], {
    env: { TERM: 'xterm-256color', ...env },
  });
}
