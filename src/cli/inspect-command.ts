/** `troupe inspect`: a run in a local page, live or after it ended; or in one file. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TroupeError } from '../error.ts';
import type { Entry } from '../journal/port.ts';
import type { Process } from '../process/define-process.ts';
import { openRecording } from '../view/open-recording.ts';
import { windowMax } from '../view/recording.ts';
import { viewServer } from '../view/server.ts';
import { captureConsole } from './capture-console.ts';
import { dataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { inspectControls } from './inspect-controls.ts';
import { knownRun } from './known-run.ts';
import { loadRecorded } from './load-recorded.ts';
import { complain, print, styleFor } from './terminal.ts';

/** Options of `troupe inspect`. */
export interface InspectCommandOptions {
  readonly port: string;
  readonly export?: string;
  readonly allowControl?: boolean;
  readonly file?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** How often a living run is looked at, ms. */
const followEveryMs = 250;

/** Serves a run until interrupted, or writes it into one file. Returns the exit code. */
export async function inspectCommand(run: string, options: InspectCommandOptions): Promise<number> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TroupeError('BAD_INPUT', `expected --port to be 0 to 65535, got \`${options.port}\`.`);
  const data = dataFolder(options.data);
  const { view } = await knownRun(data.store, run);
  let definition: Process<never, unknown> | undefined;
  try {
    ({ process: definition } = await loadRecorded(data, view, options.file));
  } catch (error) {
    if (options.file !== undefined) throw error;
    complain(`${error instanceof Error ? error.message : String(error)} The run is shown without its machines.`);
  }
  const journal = await data.store.open(run);
  // The process function runs again to name its machines; what it says has been said.
  const release = captureConsole(() => {});
  const opened = openRecording({ journal, process: definition });
  try {
    await opened.refresh();
    const page = await readFile(new URL('../view/page.html', import.meta.url), 'utf8');
    if (options.export !== undefined) {
      release();
      return await exportTo(resolve(options.export), page, run, opened, options.json === true);
    }
    const policy = await readFile(new URL('../view/policy.txt', import.meta.url), 'utf8');
    const token = options.allowControl === true ? randomBytes(24).toString('base64url') : undefined;
    let isLive = view.end === undefined;
    const server = await viewServer({
      title: `run ${run}`,
      opened,
      page,
      policy,
      port,
      followEveryMs,
      isLive: () => {
        isLive &&= opened.status() === 'active';
        return isLive;
      },
      ...(token === undefined ? {} : { control: { token, does: inspectControls(data, run) } }),
    });
    release();
    const url = token === undefined ? server.url : `${server.url}#token=${token}`;
    if (options.json === true) print(JSON.stringify({ run: { id: run }, url }));
    else {
      const style = styleFor(process.stdout);
      print(`${style.bold(`run ${run}`)} · ${opened.recording.length} entries · ${style.cyan(url)}`);
      print(
        token === undefined
          ? 'it only looks (--allow-control to do something to the run); Ctrl-C ends it'
          : 'Ctrl-C ends it',
      );
    }
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await server.close();
    return exitCodes.ok;
  } finally {
    release();
    await journal.close();
  }
}

async function exportTo(
  file: string,
  page: string,
  run: string,
  { recording, entryAt, notices }: ReturnType<typeof openRecording>,
  json: boolean,
): Promise<number> {
  const { length } = recording;
  // One window: a file is to be opened at once, by whoever it is sent to.
  const from = Math.max(1, length - windowMax + 1);
  const window = await recording.window(from, length);
  const entries: Entry[] = [];
  for (let position = from; position <= length; position += 1) {
    const entry = await entryAt(position);
    if (entry !== undefined) entries.push(entry);
  }
  const known = recording.overview();
  const cut = from > 1 ? [`entries 1 to ${from - 1} are not in this file`] : [];
  const overview = {
    ...known,
    title: `run ${run}`,
    isLive: false,
    isComplete: true,
    canControl: [],
    notices: [...cut, ...notices, ...known.notices],
  };
  // In a script element nothing may look like its end.
  const text = JSON.stringify({ overview, window, entries }).replaceAll('<', String.raw`\u003c`);
  const empty = '<script type="application/json" id="run"></script>';
  await writeFile(
    file,
    page.replace(empty, () => `${empty.slice(0, empty.indexOf('></'))}>${text}</script>`),
  );
  if (json) print(JSON.stringify({ run: { id: run }, file, entries: entries.length }));
  else print(`run ${run}: ${entries.length} entries in ${file}; open it in a browser`);
  return exitCodes.ok;
}
