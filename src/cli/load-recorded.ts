/** The process file of a run that is recorded. */
import { relative } from 'node:path';
import { TroupeError } from '../error.ts';
import type { RunView } from '../process/run-view.ts';
import type { DataFolder } from './data-folder.ts';
import { quoted } from './quoted.ts';
import { loadProcess, type LoadedProcess } from './load-process.ts';

/** The process of a recorded run, from `file` or from where it was. Codes: PROCESS_INVALID. */
export async function loadRecorded(data: DataFolder, view: RunView, file: string | undefined): Promise<LoadedProcess> {
  const { id: run } = view;
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
