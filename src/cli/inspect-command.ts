/** `troupe inspect`: a run in a local page, live or after it ended, or in one file; a journal file; a machine without a run. */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TroupeError } from '../error.ts';
import type { Journal } from '../journal/port.ts';
import type { Process } from '../process/define-process.ts';
import { emptyRun, foldRun, type RunView } from '../process/run-view.ts';
import { openRecording } from '../view/open-recording.ts';
import { captureConsole } from './capture-console.ts';
import { dataFolder } from './data-folder.ts';
import { compared, openOther } from './inspect-compare.ts';
import { inspectControls } from './inspect-controls.ts';
import { exportTo } from './inspect-export.ts';
import { inspectMachine } from './inspect-machine.ts';
import { serve } from './inspect-serve.ts';
import { inspectApp, tellStately } from './inspect-stately.ts';
import { loadRecorded } from './load-recorded.ts';
import { lookAt } from './looked-at.ts';
import { loneJournal } from './lone-journal.ts';
import { maskOf } from './mask.ts';
import { passOverStrayErrors } from './stray-errors.ts';
import { complain } from './terminal.ts';

/** Options of `troupe inspect`. */
export interface InspectCommandOptions {
  readonly port: string;
  readonly export?: string;
  /** False: nothing can be done to it, whoever asks. */
  readonly allowControl?: boolean;
  /** A regular expression: what matches is not shown. */
  readonly mask?: string;
  /** Another run, to be compared with. */
  readonly with?: string;
  /** Of a machine file: which machine, and its input as JSON. */
  readonly machine?: string;
  readonly input?: string;
  readonly file?: string;
  /** Speak Stately's inspector protocol on this port; true for its own, 8080. */
  readonly stately?: boolean | string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Longest wait before the page is served with what has been read so far, ms. */
const openWithinMs = 1_000;

/** How often a living run is looked at, ms. */
const followEveryMs = 250;

/** Shows a run, a journal file or a machine file until interrupted, or writes a run into one page. Returns the exit code. */
export async function inspectCommand(target: string | undefined, options: InspectCommandOptions): Promise<number> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TroupeError('BAD_INPUT', `expected --port to be 0 to 65535, got \`${options.port}\`.`);
  if (target === undefined) {
    if (options.stately === undefined)
      throw new TroupeError(
        'BAD_INPUT',
        'expected a run, a journal file or a machine file; or --stately, to wait for an XState app.',
      );
    return inspectApp(port, { ...options, stately: options.stately });
  }
  if (/\.[cm]?[jt]sx?$/.test(target)) return inspectMachine(target, port, options);
  return target.endsWith('.jsonl') ? inspectFile(target, port, options) : inspectRun(target, port, options);
}

/** A lone journal file: a counterexample, or what somebody sent. It is looked at in a folder of its own. */
async function inspectFile(file: string, port: number, options: InspectCommandOptions): Promise<number> {
  const { folder, run } = await loneJournal(file);
  try {
    return await inspectRun(run, port, { ...options, data: folder, allowControl: false });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function inspectRun(run: string, port: number, options: InspectCommandOptions): Promise<number> {
  const data = dataFolder(options.data);
  const { journal, sizeOf, isOurs } = await lookAt(data, run);
  const view = await beginningOf(journal);
  let definition: Process<never, unknown> | undefined;
  let stopListening = () => {};
  try {
    if (isOurs) {
      const loaded = await loadRecorded(data, view, options.file);
      definition = loaded.process;
      stopListening = passOverStrayErrors(loaded.file, ({ message }) =>
        complain(`${message} The run is shown all the same.`),
      );
    }
  } catch (error) {
    if (options.file !== undefined) throw error;
    complain(`${error instanceof Error ? error.message : String(error)} The run is shown without its machines.`);
  }
  // The process function runs again to name its machines; what it says has been said.
  const release = captureConsole(() => {});
  const opened = openRecording({ journal, process: definition, sizeOf });
  let door: Awaited<ReturnType<typeof tellStately>> | undefined;
  try {
    // A large run is shown while it is being read.
    let isRead = false;
    const reading = opened.refresh().then(() => {
      isRead = true;
    });
    reading.catch(() => {});
    await (options.export === undefined && options.with === undefined
      ? Promise.race([reading, delay(openWithinMs)])
      : reading);
    release();
    const title = `run ${journal.run}`;
    const mask = maskOf(options.mask);
    if (options.export !== undefined)
      return await exportTo(resolve(options.export), title, opened, options.json === true, mask);
    let isRunLive = true;
    const other = options.with === undefined ? undefined : await openOther(data, options.with);
    door = options.stately === undefined ? undefined : await tellStately(options.stately, opened, mask);
    return await serve({
      json: options.json === true,
      title,
      port,
      opened: () => opened,
      followEveryMs,
      mask,
      isLive: () => {
        if (!isRead) return true;
        isRunLive &&= opened.status() === 'active';
        void door?.tellMore();
        return isRunLive;
      },
      ...(door === undefined ? {} : { more: { stately: door.url } }),
      ...(other === undefined ? {} : { differences: () => compared(opened, other) }),
      isControllable: isOurs && options.allowControl !== false,
      ...(options.allowControl === true && isOurs ? { does: inspectControls(data, run) } : {}),
    });
  } finally {
    release();
    stopListening();
    await door?.close();
    await journal.close();
  }
}

/** What the first entries say: the process and its file. A large run is not read twice for it. */
async function beginningOf(journal: Journal): Promise<RunView> {
  const view = emptyRun(journal.run);
  for await (const entries of journal.read()) {
    for (const entry of entries) foldRun(view, entry);
    if (view.created !== undefined) break;
  }
  return view;
}
