/** `troupe show`. */
import { dataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { holderOf } from './holder.ts';
import { knownRun } from './known-run.ts';
import { runJson } from './run-json.ts';
import { runPage } from './run-page.ts';
import { print, styleFor } from './terminal.ts';

/** Prints a run as its journal tells it. Returns the exit code: 0, however the run ended. */
export async function showCommand(
  run: string,
  options: { readonly data?: string; readonly json?: boolean },
): Promise<number> {
  const data = dataFolder(options.data);
  const known = await knownRun(data.store, run);
  const holder = known.view.end === undefined ? await holderOf(data, run) : undefined;
  if (options.json === true) {
    print(JSON.stringify(runJson(known.view, holder ?? null)));
    return exitCodes.ok;
  }
  const columns = process.stdout.columns || 120;
  for (const line of runPage(known, {
    columns,
    now: Date.now(),
    style: styleFor(process.stdout),
    holder,
    flag: data.flag,
  }))
    print(line);
  return exitCodes.ok;
}
