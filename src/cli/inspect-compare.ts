/** The viewer and a second run, to be laid beside the first. */
import { divergences, lanesFrom, type Lanes } from '../view/divergence.ts';
import { openRecording, type OpenedRecording } from '../view/open-recording.ts';
import { windowMax } from '../view/recording.ts';
import { captureConsole } from './capture-console.ts';
import type { DataFolder } from './data-folder.ts';
import { knownRun } from './known-run.ts';
import { loadRecorded } from './load-recorded.ts';

/** The run that this one is compared with; read once. */
export async function openOther(data: DataFolder, run: string): Promise<OpenedRecording> {
  const { view } = await knownRun(data.store, run);
  const definition = await loadRecorded(data, view, undefined).catch(() => undefined);
  const release = captureConsole(() => {});
  const journal = await data.store.open(run);
  try {
    const opened = openRecording({ journal, process: definition?.process });
    await opened.refresh();
    return opened;
  } finally {
    release();
  }
}

/** Where the two part, the earliest first. */
export async function compared(one: OpenedRecording, other: OpenedRecording): Promise<unknown> {
  const [a, b] = await Promise.all([lanesOf(one), lanesOf(other)]);
  return divergences(a, b);
}

async function lanesOf({ recording }: OpenedRecording): Promise<Lanes> {
  const found = lanesFrom();
  for (let from = 1; from <= recording.length; from += windowMax)
    found.add((await recording.window(from, from + windowMax - 1)).frames);
  return found.lanes;
}
