/** `troupe babysit`: drives a run of babysitter. */
import { babysit, type Babysat } from '../babysitter/babysit.ts';
import { systemClock } from '../clock.ts';
import { plainError } from '../harness/plain-error.ts';
import { openBabysitterRun } from './babysit-run.ts';
import { captureConsole } from './capture-console.ts';
import { exitCodes } from './exit-codes.ts';
import { onInterrupt } from './interrupts.ts';
import { outputLines } from './output-lines.ts';
import { print, styleFor } from './terminal.ts';
import { timeOf } from './text.ts';

/** Options of `troupe babysit`. */
export interface BabysitCommandOptions {
  readonly sdk?: string;
  readonly json?: boolean;
}

/** Drives a run to its end, or prints how it ended. Returns the exit code. */
export async function babysitCommand(runDir: string, { sdk, json = false }: BabysitCommandOptions): Promise<number> {
  const style = styleFor(process.stdout);
  const say = (line: string) => {
    if (!json) print(`${style.dim(timeOf(Date.now()))}  ${line}`);
  };
  // What the process says, it says in every pass.
  const said = new Set<string>();
  const release = captureConsole((line) => {
    if (said.has(line)) return;
    said.add(line);
    say(line);
  });
  const stop = new AbortController();
  const stopListening = onInterrupt((by) => stop.abort(`interrupted by ${by}`));
  try {
    const run = await openBabysitterRun(runDir, sdk);
    say(`run ${run.folder.facts.runId} · ${run.folder.facts.processId} · babysitter ${run.sdk.version}`);
    try {
      const end = await babysit({ ...run, ...run.performers, clock: systemClock, signal: stop.signal, tell: say });
      release();
      return report(end, runDir, json);
    } finally {
      await run.close();
    }
  } finally {
    release();
    stopListening();
  }
}

function report(end: Babysat, runDir: string, json: boolean): number {
  if (json) print(JSON.stringify(end.status === 'failed' ? { ...end, error: plainError(end.error) } : end));
  else if (end.status === 'completed') for (const line of ['completed', ...outputLines(end.output)]) print(line);
  else if (end.status === 'failed') print(`failed: ${plainError(end.error).message}`);
  else print(`stopped; go on with npx troupe babysit ${runDir}`);
  if (end.status === 'stopped') return exitCodes.interrupted;
  return end.status === 'completed' ? exitCodes.ok : exitCodes.failed;
}
