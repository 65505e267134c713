/** `troupe babysit`: drives a run of babysitter. */
import { babysit, type Babysat } from '../babysitter/babysit.ts';
import { systemClock } from '../clock.ts';
import { plainError } from '../harness/plain-error.ts';
import { plainText } from '../harness/program/last-line.ts';
import { troupeFolder } from '../babysitter/run/staging.ts';
import { questionsHere } from './ask-here.ts';
import { openBabysitterRun } from './babysit-run.ts';
import { breakpointQuestions } from './breakpoint-questions.ts';
import { captureConsole } from './capture-console.ts';
import { dataFolder } from './data-folder.ts';
import { quoted } from './quoted.ts';
import { exitCodes } from './exit-codes.ts';
import { onInterrupt } from './interrupts.ts';
import { outputLines } from './output-lines.ts';
import { print, styleFor } from './terminal.ts';
import { nameText, timeOf } from './text.ts';
import { unlessStray } from './unless-stray.ts';

/** Options of `troupe babysit`. */
export interface BabysitCommandOptions {
  readonly sdk?: string;
  readonly json?: boolean;
  /** False: nothing is asked at the terminal. Default true. */
  readonly input?: boolean;
}

/** Drives a run to its end, or prints how it ended. Returns the exit code. */
export async function babysitCommand(runDir: string, options: BabysitCommandOptions): Promise<number> {
  const { sdk, json = false, input = true } = options;
  const style = styleFor(process.stdout);
  const questions = questionsHere({ json, isWanted: input });
  const say = (line: string) => {
    if (!json) (questions?.print ?? print)(`${style.dim(timeOf(Date.now()))}  ${line}`);
  };
  // What others have written stands in it: questions, labels, what went wrong.
  const tell = (line: string) => say(plainText(line));
  // What the process says, it says in every pass.
  const said = new Set<string>();
  const release = captureConsole((line) => {
    if (said.has(line)) return;
    said.add(line);
    say(line);
  });
  const stop = new AbortController();
  const stopBy = (what: string) => {
    stop.abort(what);
    void questions?.close();
  };
  const stopListening = onInterrupt((by) => stopBy(`interrupted by ${by}`));
  try {
    const run = await openBabysitterRun(runDir, sdk);
    const data = dataFolder(troupeFolder(run.folder.runDir));
    const asks =
      questions === undefined
        ? {}
        : { breakpoint: breakpointQuestions({ data, questions, style, signal: stop.signal, say: tell }) };
    tell(`run ${run.folder.facts.runId} · ${run.folder.facts.processId} · babysitter ${run.sdk.version}`);
    try {
      const { file, performers } = run;
      const end = await unlessStray({
        file,
        work: () => babysit({ ...run, ...performers, ...asks, clock: systemClock, signal: stop.signal, tell }),
        stop: () => stopBy('an error that nothing waits for'),
        isStopped: ({ status }) => status === 'stopped',
        tell,
      });
      await questions?.close();
      release();
      return report(end, runDir, json);
    } finally {
      await run.close();
    }
  } finally {
    await questions?.close();
    release();
    stopListening();
  }
}

function report(end: Babysat, runDir: string, json: boolean): number {
  if (json) print(JSON.stringify(end.status === 'failed' ? { ...end, error: plainError(end.error) } : end));
  else if (end.status === 'completed') for (const line of ['completed', ...outputLines(end.output)]) print(line);
  else if (end.status === 'failed')
    for (const line of `failed: ${plainError(end.error).message}`.split('\n')) print(nameText(line));
  else print(`stopped; go on with npx troupe babysit ${quoted(runDir)}`);
  if (end.status === 'stopped') return exitCodes.interrupted;
  return end.status === 'completed' ? exitCodes.ok : exitCodes.failed;
}
