/** All runs of a data folder. */
import { TroupeError } from '../error.ts';
import type { RunView } from '../process/run-view.ts';
import type { DataFolder } from './data-folder.ts';
import { knownRun } from './known-run.ts';
import type { LoadedProcess } from './load-process.ts';

/** A run that could be read, or why it could not. */
export type ListedRun =
  | { readonly id: string; readonly view: RunView }
  | { readonly id: string; readonly trouble: TroupeError };

/** Runs, newest first, read one by one as they are asked for. */
export async function* runsNewestFirst(data: DataFolder): AsyncIterable<ListedRun> {
  const ids = await data.store.list();
  for (const id of ids.toReversed()) {
    try {
      yield { id, view: (await knownRun(data.store, id)).view };
    } catch (error) {
      if (!(error instanceof TroupeError)) throw error;
      yield { id, trouble: error };
    }
  }
}

/** The newest run of this process file that has not ended. Runs that cannot be read are passed over. */
export async function newestUnfinished(
  data: DataFolder,
  { file, process }: LoadedProcess,
): Promise<string | undefined> {
  for await (const run of runsNewestFirst(data)) {
    if (!('view' in run)) continue;
    const { created, end } = run.view;
    if (
      end === undefined &&
      created?.process === process.name &&
      created.file !== undefined &&
      data.found(created.file) === file
    )
      return run.id;
  }
  return undefined;
}
