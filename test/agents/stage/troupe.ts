/** `troupe` as users start it: the built program, in the stage's folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { program } from '../../cli/support.ts';
import { dataOf } from './follow-run.ts';
import type { Stage } from './stage.ts';

/** Variables of an environment. */
export type Variables = Readonly<Record<string, string>>;

/** How it ended, and all that it wrote. */
export interface TroupeEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts it with the stage's runs; of the test's own environment nothing reaches it. */
export function startTroupe(
  stage: Stage,
  env: Variables,
  args: readonly string[],
): { readonly child: ChildProcess; readonly ended: Promise<TroupeEnd> } {
  const child = spawn(process.execPath, [program, ...args, '--data', dataOf(stage)], {
    cwd: stage.work,
    env: { ...stage.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  // Agents may hold its output open a moment longer: its own end counts, and what it wrote until then.
  const ended = new Promise<TroupeEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => setTimeout(() => resolve({ code, stdout, stderr }), 20));
  });
  return { child, ended };
}
