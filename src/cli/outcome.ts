/** What is printed when a run has ended here, or was stopped. */
import type { DataFolder } from './data-folder.ts';
import { exitCodeOfEnd, exitCodes } from './exit-codes.ts';
import { frameOf } from './frame.ts';
import type { KnownRun } from './known-run.ts';
import { runJson } from './run-json.ts';
import { runPage } from './run-page.ts';
import { complain, isPaintable, print, styleFor } from './terminal.ts';
import { count } from './text.ts';

/** How to print. */
export interface OutcomeOptions {
  readonly data: DataFolder;
  readonly json: boolean;
}

/** Prints a run that has ended. Returns the exit code. */
export function printEnd(known: KnownRun, { data, json }: OutcomeOptions): number {
  const { end } = known.view;
  if (json) {
    print(JSON.stringify(runJson(known.view)));
  } else {
    const columns = process.stdout.columns || 120;
    const style = styleFor(process.stdout);
    for (const line of runPage(known, { columns, now: Date.now(), style, holder: undefined, flag: data.flag }))
      print(line);
  }
  return end === undefined ? exitCodes.interrupted : exitCodeOfEnd(end);
}

/** Prints that a run was stopped, and how to go on. `attempts` were under way. Returns the exit code. */
export function printStopped(
  known: KnownRun,
  { data, json, attempts, reason }: OutcomeOptions & { readonly attempts: number; readonly reason: string },
): number {
  // Should whoever read our output be gone, this is how we end all the same.
  process.exitCode = exitCodes.interrupted;
  const { id, entries } = known.view;
  const sentence = `stopping: ${count(attempts, 'attempt')} cancelled, journal closed at ${entries}. Go on with: npx troupe resume ${id}${data.flag}`;
  if (json) {
    print(JSON.stringify({ ...runJson(known.view), stopped: reason }));
    complain(sentence);
    return exitCodes.interrupted;
  }
  printPicture(known, data);
  print(sentence);
  return exitCodes.interrupted;
}

/** Prints a run that an error has left unfinished, so that its id is not lost. */
export function printUnfinished(known: KnownRun, { data, json }: OutcomeOptions): void {
  if (!json) printPicture(known, data);
  const name = `${known.view.id}${data.flag}`;
  complain(
    `run ${known.view.id} has not ended. Go on with: npx troupe resume ${name}, or give it up: npx troupe cancel ${name}`,
  );
}

/** What stood on the terminal last, for good. */
function printPicture(known: KnownRun, { flag }: DataFolder): void {
  const { stdout } = process;
  if (!isPaintable(stdout)) return;
  const size = { columns: (stdout.columns || 80) - 1, rows: (stdout.rows || 24) - 2 };
  for (const line of frameOf({ known, now: Date.now(), style: styleFor(stdout), flag, ...size })) print(line);
}
