/** `troupe run` and `troupe resume`. */
import { TroupeError } from '../error.ts';
import { dataFolder } from './data-folder.ts';
import { drive } from './drive.ts';
import { knownRun, knownRunIfAny } from './known-run.ts';
import { configured } from './load-config.ts';
import { loadProcess } from './load-process.ts';
import { loadRecorded } from './load-recorded.ts';
import { readInput } from './read-input.ts';
import { reserveRun } from './run-id.ts';
import { newestUnfinished } from './runs.ts';

/** Options of `troupe run`. */
export interface RunCommandOptions {
  readonly input?: string;
  readonly runId?: string;
  readonly continue?: boolean;
  readonly data?: string;
  readonly json?: boolean;
  /** False: gates are not asked at the terminal. Default true. */
  readonly ask?: boolean;
}

/** Starts a run, takes it up where it is, or prints the result of one that has ended. Returns the exit code. */
export async function runCommand(file: string, options: RunCommandOptions): Promise<number> {
  if (options.runId !== undefined && options.continue === true) {
    throw new TroupeError(
      'BAD_INPUT',
      'expected --run-id or --continue, not both: --continue finds the run by itself.',
    );
  }
  const data = dataFolder(options.data);
  const input = await readInput(options.input);
  const loaded = await configured(await loadProcess(file));
  const found = options.continue === true ? await newestUnfinished(data, loaded) : undefined;
  data.make();
  const run = options.runId ?? found ?? (await reserveRun(data.store));
  const known = await knownRunIfAny(data.store, run);
  return drive({ data, known, loaded, input, json: options.json ?? false, ask: options.ask ?? true });
}

/** Options of `troupe resume`. */
export interface ResumeCommandOptions {
  readonly file?: string;
  readonly data?: string;
  readonly json?: boolean;
  /** False: gates are not asked at the terminal. Default true. */
  readonly ask?: boolean;
}

/** Takes a run up where it is, with the process file that was recorded. Returns the exit code. */
export async function resumeCommand(run: string, options: ResumeCommandOptions): Promise<number> {
  const data = dataFolder(options.data);
  const known = await knownRun(data.store, run);
  const loaded = await configured(await loadRecorded(data, known.view, options.file));
  return drive({ data, known, loaded, input: undefined, json: options.json ?? false, ask: options.ask ?? true });
}
