/** `troupe inspect`: a run in a local page, live or after it ended, or in one file; a journal file; a machine without a run. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TroupeError } from '../error.ts';
import type { Entry } from '../journal/port.ts';
import type { Process } from '../process/define-process.ts';
import { divergences, lanesFrom, type Lanes } from '../view/divergence.ts';
import { statelyEvents } from '../view/export/stately.ts';
import { openRecording, type OpenedRecording } from '../view/open-recording.ts';
import { windowMax } from '../view/recording.ts';
import { viewServer, type Controls, type ViewServerOptions } from '../view/server.ts';
import { statelyApp } from '../view/stately-app.ts';
import { statelyDoor, type StatelyDoor } from '../view/stately-door.ts';
import { whatIf } from '../view/what-if.ts';
import { captureConsole } from './capture-console.ts';
import { dataFolder, type DataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { chosenMachine } from './graph-command.ts';
import { inspectControls } from './inspect-controls.ts';
import { knownRun } from './known-run.ts';
import { loadModule } from './load-module.ts';
import { loneJournal } from './lone-journal.ts';
import { loadRecorded } from './load-recorded.ts';
import { readInput } from './read-input.ts';
import { complain, print, styleFor } from './terminal.ts';

/** Options of `troupe inspect`. */
export interface InspectCommandOptions {
  readonly port: string;
  readonly export?: string;
  readonly allowControl?: boolean;
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
    return inspectApp(port, options);
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
  let door: Awaited<ReturnType<typeof tellStately>> | undefined;
  try {
    await opened.refresh();
    release();
    const title = `run ${run}`;
    if (options.export !== undefined)
      return await exportTo(resolve(options.export), title, opened, options.json === true);
    let isLive = view.end === undefined;
    const other = options.with === undefined ? undefined : await openOther(data, options.with);
    door = options.stately === undefined ? undefined : await tellStately(options.stately, opened);
    return await serve({
      json: options.json === true,
      title,
      port,
      opened: () => opened,
      followEveryMs,
      isLive: () => {
        isLive &&= opened.status() === 'active';
        void door?.tellMore();
        return isLive;
      },
      ...(door === undefined ? {} : { more: { stately: door.url } }),
      ...(other === undefined ? {} : { differences: () => compared(opened, other) }),
      ...(options.allowControl === true ? { does: inspectControls(data, run) } : {}),
    });
  } finally {
    release();
    await door?.close();
    await journal.close();
  }
}

/** The run that this one is compared with; read once. */
async function openOther(data: DataFolder, run: string): Promise<OpenedRecording> {
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

async function compared(one: OpenedRecording, other: OpenedRecording): Promise<unknown> {
  const [a, b] = await Promise.all([lanesOf(one), lanesOf(other)]);
  return divergences(a, b);
}

async function lanesOf({ recording }: OpenedRecording): Promise<Lanes> {
  const found = lanesFrom();
  for (let from = 1; from <= recording.length; from += windowMax)
    found.add((await recording.window(from, from + windowMax - 1)).frames);
  return found.lanes;
}

/** Any XState app that speaks the protocol of Stately's inspector. */
async function inspectApp(port: number, { stately, json = false }: InspectCommandOptions): Promise<number> {
  const app = statelyApp('XState app');
  const door = await statelyDoor({ port: statelyPort(stately), take: (message) => app.take(message) });
  if (!json) print(`apps connect to ${door.url} (createWebSocketInspector of @statelyai/inspect)`);
  try {
    return await serve({
      json,
      title: 'XState app',
      port,
      opened: () => app,
      followEveryMs,
      isLive: () => true,
      more: { stately: door.url },
    });
  } finally {
    await door.close();
  }
}

/** The protocol's own port when none is named. */
function statelyPort(given: boolean | string | undefined): number {
  const port = typeof given === 'string' ? Number(given) : 8080;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TroupeError('BAD_INPUT', `expected --stately to be a port, 0 to 65535, got \`${given}\`.`);
  return port;
}

/** Tells a run's machines to whoever connects: what was, then what comes. */
async function tellStately(
  given: boolean | string,
  { recording }: OpenedRecording,
): Promise<StatelyDoor & { tellMore(): Promise<void> }> {
  let told = recording.length;
  const eventsOf = async function* (from: number, to: number) {
    for (let at = from; at <= to; at += windowMax) {
      const window = await recording.window(at, Math.min(to, at + windowMax - 1));
      const { id, charts } = recording.overview();
      yield* statelyEvents(id, window, charts);
    }
  };
  const door = await statelyDoor({ port: statelyPort(given), greeting: () => eventsOf(1, told) });
  return {
    ...door,
    async tellMore() {
      const { length } = recording;
      if (length === told) return;
      const from = told + 1;
      told = length;
      for await (const event of eventsOf(from, length)) door.tell(event);
    },
  };
}

/** A machine without a run, stepped by hand. */
async function inspectMachine(file: string, port: number, options: InspectCommandOptions): Promise<number> {
  const { module } = await loadModule(file, 'a file that exports machines, such as machines/fan-out.ts');
  const machine = chosenMachine(module, file, options.machine);
  const input = (await readInput(options.input)) ?? null;
  let current = await whatIf(machine, input);
  let opened = openRecording(current);
  await opened.refresh();
  const does: Controls = {
    async choose({ id, value }) {
      if (typeof id !== 'string') throw new TroupeError('BAD_INPUT', 'expected a choice `id`.');
      await current.take(id, value);
      return `${id}: done`;
    },
    async back() {
      const taken = current.taken.slice(0, -1);
      await current.close();
      current = await whatIf(machine, input, taken);
      opened = openRecording(current);
      return taken.length === 0 ? 'at the beginning' : `back to after ${taken.at(-1)?.id}`;
    },
  };
  try {
    return await serve({
      json: options.json === true,
      title: `machine ${machine.id}`,
      port,
      opened: () => opened,
      choices: () => current.choices(opened.recording.last(), opened.recording.overview().charts),
      followEveryMs: 0,
      isLive: () => true,
      does,
    });
  } finally {
    await current.close();
  }
}

type Serving = Pick<
  ViewServerOptions,
  'choices' | 'differences' | 'followEveryMs' | 'isLive' | 'opened' | 'port' | 'title'
> & {
  readonly json: boolean;
  readonly does?: Controls;
  /** Told besides, with --json. */
  readonly more?: object;
};

/** Serves until the program is interrupted. */
async function serve({ does, json, more = {}, ...options }: Serving): Promise<number> {
  const [page, policy] = await Promise.all(['page.html', 'policy.txt'].map(partOfPage));
  const token = does === undefined ? undefined : randomBytes(24).toString('base64url');
  const server = await viewServer({
    ...options,
    page: page ?? '',
    policy: policy ?? '',
    ...(token === undefined || does === undefined ? {} : { control: { token, does } }),
  });
  const url = token === undefined ? server.url : `${server.url}#token=${token}`;
  const entries = options.opened().recording.length;
  if (json) print(JSON.stringify({ title: options.title, url, entries, ...more }));
  else {
    const style = styleFor(process.stdout);
    print(`${style.bold(options.title)} · ${entries} entries · ${style.cyan(url)}`);
    print(
      does === undefined
        ? 'it only looks (--allow-control to do something to the run); Ctrl-C ends it'
        : 'Ctrl-C ends it',
    );
  }
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await server.close();
  return exitCodes.ok;
}

/** The page is built beside the program. */
const partOfPage = (name: string) => readFile(new URL(`../view/${name}`, import.meta.url), 'utf8');

async function exportTo(
  file: string,
  title: string,
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
    title,
    isLive: false,
    isComplete: true,
    canControl: [],
    notices: [...cut, ...notices, ...known.notices],
  };
  // In a script element nothing may look like its end.
  const text = JSON.stringify({ overview, window, entries }).replaceAll('<', String.raw`\u003c`);
  const empty = '<script type="application/json" id="run"></script>';
  const page = await partOfPage('page.html');
  await writeFile(
    file,
    page.replace(empty, () => `${empty.slice(0, empty.indexOf('></'))}>${text}</script>`),
  );
  if (json) print(JSON.stringify({ title, file, entries: entries.length }));
  else print(`${title}: ${entries.length} entries in ${file}; open it in a browser`);
  return exitCodes.ok;
}
