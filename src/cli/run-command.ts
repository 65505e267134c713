/** `troupe run` and `troupe resume`. */
import { relative } from 'node:path';
import { TroupeError } from '../error.ts';
import { dataFolder, quoted, type DataFolder } from './data-folder.ts';
import { drive } from './drive.ts';
import { knownRun } from './known-run.ts';
import { loadProcess, type LoadedProcess } from './load-process.ts';
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
  const loaded = await loadProcess(file);
  const found = options.continue === true ? await newestUnfinished(data, loaded) : undefined;
  const run = options.runId ?? found ?? (await reserveRun(data.store));
  return drive({ data, run, loaded, input, json: options.json ?? false });
}

/** Options of `troupe resume`. */
export interface ResumeCommandOptions {
  readonly file?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Takes a run up where it is, with the process file that was recorded. Returns the exit code. */
export async function resumeCommand(run: string, options: ResumeCommandOptions): Promise<number> {
  const data = dataFolder(options.data);
  const loaded = await loadRecorded(data, run, options.file);
  return drive({ data, run, loaded, input: undefined, json: options.json ?? false });
}

/** The process of a recorded run, from `file` or from where it was. Codes: RUN_UNKNOWN, PROCESS_INVALID. */
export async function loadRecorded(data: DataFolder, run: string, file: string | undefined): Promise<LoadedProcess> {
  const { view } = await knownRun(data.store, run);
  const recorded = view.created?.file;
  if (file === undefined && recorded === undefined) {
    const why =
      view.created === undefined
        ? 'had not begun when its host ended'
        : `was started by a program (process \`${view.created.process}\`)`;
    throw new TroupeError(
      'PROCESS_INVALID',
      `run ${run} ${why}, so no process file is recorded. Name it: --file review.process.ts.`,
    );
  }
  if (file !== undefined) return loadProcess(file);
  const path = relative(process.cwd(), data.found(recorded ?? '')) || '.';
  try {
    return await loadProcess(path);
  } catch (error) {
    if (!(error instanceof TroupeError) || !error.message.includes('there is no file')) throw error;
    throw new TroupeError(
      'PROCESS_INVALID',
      `run ${run} was started from ${quoted(path)}, which is gone. Say where it is now: --file <file>.`,
      { file: path },
      error,
    );
  }
}
