/** `troupe retry`. */
import { retryRun } from '../process/retry.ts';
import { dataFolder } from './data-folder.ts';
import { drive } from './drive.ts';
import { exitCodes } from './exit-codes.ts';
import { knownRun } from './known-run.ts';
import { configured } from './load-config.ts';
import { loadRecorded } from './load-recorded.ts';
import { print, styleFor } from './terminal.ts';

/** Options of `troupe retry`. */
export interface RetryCommandOptions {
  readonly group?: string;
  readonly as?: string;
  /** Drive it at once. */
  readonly go?: boolean;
  readonly file?: string;
  readonly data?: string;
  readonly json?: boolean;
  /** False: gates are not asked at the terminal. Default true. */
  readonly ask?: boolean;
}

/** Makes a run in which a failed member is tried again, and drives it if asked to. Returns the exit code: with `go` that of the run. */
export async function retryCommand(run: string, member: string, options: RetryCommandOptions): Promise<number> {
  const { group, as, go = false, file, json = false, ask = true } = options;
  const data = dataFolder(options.data);
  // What cannot be driven is not made.
  const loaded = go
    ? await configured(await loadRecorded(data, (await knownRun(data.store, run)).view, file))
    : undefined;
  const names = { ...(group === undefined ? {} : { group }), ...(as === undefined ? {} : { as }) };
  const retry = await retryRun({ store: data.store, run, member, ...names });
  if (json) {
    print(JSON.stringify(retry));
  } else {
    const style = styleFor(process.stdout);
    const before = `run ${run} up to entry ${retry.entries}`;
    print(
      `${style.bold(`run ${retry.as}`)} · ${before}, then attempt ${retry.attempt + 1} of member ${member} in group ${retry.group}`,
    );
    if (!go) print(`\n  ${style.cyan(`npx troupe resume ${retry.as}${data.flag}`)}`);
  }
  if (loaded === undefined) return exitCodes.ok;
  return drive({ data, known: await knownRun(data.store, retry.as), loaded, input: undefined, json, ask });
}
