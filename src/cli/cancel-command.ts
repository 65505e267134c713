/** `troupe cancel`: of a run that a living host drives by a letter to it, of any other by taking it. */
import { setTimeout as delay } from 'node:timers/promises';
import { isTroupeError } from '../error.ts';
import type { Harnesses } from '../harness/port.ts';
import { cancelRun } from '../process/cancel.ts';
import { fileRequests } from '../process/file-requests.ts';
import type { RunEnd, RunView } from '../process/run-view.ts';
import { dataFolder, type DataFolder } from './data-folder.ts';

import { exitCodes } from './exit-codes.ts';
import { harnessesAlone, harnessesWith } from './harnesses.ts';
import { configured } from './load-config.ts';
import { holderOf } from './holder.ts';
import { knownRun } from './known-run.ts';
import { loadRecorded } from './load-recorded.ts';
import { complain, print } from './terminal.ts';

/** Options of `troupe cancel`. */
export interface CancelCommandOptions {
  readonly reason: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** How long to wait for a living host to end the run, and between two looks, ms. */
const patienceMs = 15_000;
const lookEveryMs = 100;

/** Cancels a run. Returns the exit code: 0 when it is cancelled now, or had been; 1 when it had ended otherwise; 3 when its host does not answer. */
export async function cancelCommand(
  run: string,
  { reason, data: given, json = false }: CancelCommandOptions,
): Promise<number> {
  const data = dataFolder(given);
  const { view } = await knownRun(data.store, run);
  if (view.end !== undefined) return tell(run, view.end, 'had ended before', json);
  const harnesses = await harnessesOf(data, view);
  const cancel = () => cancelRun({ store: data.store, run, reason, harnesses });
  try {
    return tell(run, await cancel(), 'nobody was driving it', json);
  } catch (error) {
    if (!isTroupeError(error, 'RUN_BUSY')) throw error;
    const { pid, host } = error.details as { readonly pid?: number; readonly host?: string };
    const holder = pid === undefined ? 'its host' : `process ${pid} on ${host}`;
    const end = await askHost(data, run, reason, cancel);
    if (end !== undefined) return tell(run, end, `${holder} ended it`, json);
    const sentence = `${holder} has been asked, and has not ended run ${run} within ${patienceMs / 1_000} s. The letter waits for it.`;
    if (json) print(JSON.stringify({ run: { id: run, status: 'active' }, asked: true, message: sentence }));
    else complain(sentence);
    return exitCodes.busy;
  }
}

/** Leaves a letter and waits for the end; takes the run when its host dies meanwhile. Undefined when patience has run out. */
async function askHost(
  data: DataFolder,
  run: string,
  reason: string,
  cancel: () => Promise<RunEnd>,
): Promise<RunEnd | undefined> {
  const requests = fileRequests(data.requests(run));
  const letter = await requests.post({ type: 'cancel', reason });
  const until = performance.now() + patienceMs;
  for (let look = 1; performance.now() < until; look += 1) {
    await delay(lookEveryMs);
    const { view } = await knownRun(data.store, run);
    // Ended and given back: nothing of it runs any more.
    if (view.end !== undefined && (await holderOf(data, run)) === undefined) {
      await requests.remove(letter);
      return view.end;
    }
    if (look % 10 !== 0) continue;
    try {
      const end = await cancel();
      await requests.remove(letter);
      return end;
    } catch (error) {
      if (!isTroupeError(error, 'RUN_BUSY')) throw error;
    }
  }
  return undefined;
}

/** The run's own harnesses sweep what their attempts have left running; without its process file the built-in ones must do. */
export async function harnessesOf(data: DataFolder, view: RunView): Promise<Harnesses> {
  try {
    return harnessesWith(await configured(await loadRecorded(data, view, undefined)), process.cwd());
  } catch (error) {
    if (!isTroupeError(error)) throw error;
    complain(`cancelling without the process file's own harnesses: ${error.message}`);
    return harnessesAlone(process.cwd());
  }
}

function tell(run: string, end: RunEnd, how: string, json: boolean): number {
  if (json) print(JSON.stringify({ run: { id: run, ...end }, how }));
  else print(`run ${run} · ${end.status}${end.status === 'cancelled' ? `: ${end.reason}` : ''} (${how})`);
  return end.status === 'cancelled' ? exitCodes.ok : exitCodes.failed;
}
