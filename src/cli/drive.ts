/** Driving a run from the command line: the host, the display, and the end. */
import { isTroupeError, TroupeError } from '../error.ts';
import { plainError } from '../harness/plain-error.ts';
import { canonical, type JsonValue } from '../json.ts';
import { fileRequests } from '../process/file-requests.ts';
import { openRun, type Run, type RunResult } from '../process/run.ts';
import type { RunView } from '../process/run-view.ts';
import { questionsHere } from './ask-here.ts';
import { askingDisplay } from './asking-display.ts';
import { captureConsole } from './capture-console.ts';
import type { DataFolder } from './data-folder.ts';
import type { Display } from './display.ts';
import { isForeground } from './foreground.ts';
import { gateQuestions, type GateQuestions } from './gate-questions.ts';
import { harnessesWith, worktreesIn } from './harnesses.ts';
import { onInterrupt } from './interrupts.ts';
import { jsonDisplay } from './json-display.ts';
import type { KnownRun } from './known-run.ts';
import { liveDisplay } from './live-display.ts';
import type { ConfiguredProcess } from './load-config.ts';
import { printEnd, printStopped, printUnfinished } from './outcome.ts';
import { plainDisplay } from './plain-display.ts';
import { onStrayError } from './stray-errors.ts';
import { isPaintable, print, styleFor, type Style } from './terminal.ts';
import { timeOf } from './text.ts';

/** Entries after which other gates may be open. */
const movesGates: ReadonlySet<string> = new Set([
  'attempt.cancelled',
  'gate.answered',
  'gate.opened',
  'gate.withdrawn',
  'group.ended',
  'member.settled',
  'run.ended',
]);

/** What is to be driven. */
export interface DriveOptions {
  readonly data: DataFolder;
  /** The run, as far as its journal has been read: to its end just now. */
  readonly known: KnownRun;
  readonly loaded: ConfiguredProcess;
  /** Undefined: null for a new run, the recorded one otherwise. */
  readonly input: JsonValue | undefined;
  readonly json: boolean;
  /** False: gates are not asked at the terminal. */
  readonly ask: boolean;
}

/** Drives a run to its end, or prints the result of one that has ended. Returns the exit code. Codes: those of `openRun` and its `drive`. */
export async function drive(options: DriveOptions): Promise<number> {
  const { known, json } = options;
  if (known.view.end !== undefined) {
    checkSameRun(known.view, options);
    return printEnd(known, options);
  }
  const recorded = known.view.entries;
  const style = styleFor(process.stdout);
  const questions = questionsHere({ json, isWanted: options.ask });
  const asking =
    questions === undefined ? undefined : askingDisplay({ known, style, questions, flag: options.data.flag });
  const display = asking ?? displayFor(options, style);
  const gates =
    questions === undefined || asking === undefined
      ? undefined
      : gateQuestions({
          data: options.data,
          known,
          questions,
          style,
          stand: () => asking.stand(),
          say: (line) => asking.note(`${style.dim(timeOf(Date.now()))}  ${line}`),
        });
  const releaseConsole = captureConsole((line) => display.note(line));
  let result: RunResult;
  let attempts = 0;
  try {
    ({ result, attempts } = await driven(options, display, gates));
  } catch (error) {
    display.end();
    const isOurs = known.view.entries > recorded && !isTroupeError(error, 'EPOCH_STALE');
    if (isOurs && known.view.end === undefined) printUnfinished(known, options);
    throw error;
  } finally {
    display.end();
    releaseConsole();
  }
  if (result.status !== 'stopped') return printEnd(known, options);
  return printStopped(known, { ...options, attempts, reason: result.reason });
}

function displayFor({ known, json, data }: DriveOptions, style: Style): Display {
  if (json) return jsonDisplay();
  return isPaintable(process.stdout) ? liveDisplay(known, process.stdout, style, data.flag) : plainDisplay(style);
}

async function driven(
  options: DriveOptions,
  display: Display,
  gates: GateQuestions | undefined,
): Promise<{ readonly result: RunResult; readonly attempts: number }> {
  const { data, known, loaded, input, json } = options;
  const { view } = known;
  // A resume runs the commands where the run was started.
  const cwd = data.found(view.created?.cwd ?? process.cwd());
  const recorded = view.entries;
  let attempts = 0;
  let stopReason: string | undefined;
  let opened: Run | undefined;
  let failStop: (error: unknown) => void = () => {};
  const stopFailed = new Promise<never>((_, reject) => {
    failStop = reject;
  });
  stopFailed.catch(() => {});

  let stray: { readonly error: unknown } | undefined;
  const stop = (reason: string) => {
    stopReason = reason;
    attempts = runningOf(view);
    void gates?.close();
    display.stopping(attempts);
    opened?.stop(reason).catch(failStop);
  };
  const stopListening = onInterrupt((signal) => stop(`interrupted by ${signal}`));
  const stopWatching = onStrayError(loaded.file, (error) => {
    stray = { error };
    stop('an error that nothing waits for');
  });
  try {
    opened = await openRun({
      // A run that was read and has been removed since is gone: it is not begun again, without its input.
      store: recorded === 0 ? data.store : { ...data.store, open: (run) => data.store.open(run) },
      process: loaded.process,
      run: view.id,
      ...(input === undefined ? {} : { input }),
      file: data.recorded(loaded.file),
      cwd: data.recorded(cwd),
      harnesses: harnessesWith(loaded, cwd),
      worktrees: worktreesIn(data, cwd),
      ...loaded.settings,
      ...loaded.rules,
      requests: fileRequests(data.requests(view.id)),
      observer: {
        entry(entry) {
          if (!known.take(entry)) return;
          display.entry(entry);
          if (movesGates.has(entry.type)) gates?.look();
        },
        replayed: (entry) => void known.take(entry),
        progress(group, member, { line }) {
          if (line === undefined) return;
          known.tell(group, member, line);
          display.progress();
        },
        log: (group, address, label, value) =>
          display.note(
            `${group}${address === '' ? '' : `/${address}`}  log  ${label === undefined ? '' : `${label} `}${JSON.stringify(value)}`,
          ),
        notice: ({ kind, message }) => display.note(`${kind}: ${message}`),
      },
    });
    if (!json && (!isPaintable(process.stdout) || !isForeground()))
      print(`run ${view.id} · ${loaded.process.name}${recorded > 0 ? ` · goes on after entry ${recorded}` : ''}`);
    // What was open before.
    if (stopReason === undefined) gates?.look();
    const result: RunResult =
      stopReason === undefined
        ? await Promise.race([opened.drive(), stopFailed])
        : { status: 'stopped', reason: stopReason };
    if (stray !== undefined && result.status === 'stopped') throw stray.error;
    // It came too late to change anything.
    if (stray !== undefined) display.note(plainError(stray.error).message);
    return { result, attempts };
  } finally {
    await gates?.close();
    await opened?.close();
    stopListening();
    stopWatching();
  }
}

function runningOf(view: RunView): number {
  let running = 0;
  for (const { members } of view.groups.values())
    for (const { status } of members.values()) if (status === 'running') running += 1;
  return running;
}

/** A run that has ended prints its result to those who mean it, and to nobody else. */
function checkSameRun({ id, created }: RunView, { loaded, input }: DriveOptions): void {
  if (created !== undefined && created.process !== loaded.process.name) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${id} belongs to process \`${created.process}\`, not to \`${loaded.process.name}\`, and has ended. Choose another run id.`,
    );
  }
  if (created !== undefined && input !== undefined && canonical(created.input) !== canonical(input)) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${id} has ended, with input ${canonical(created.input).slice(0, 200)}, not ${canonical(input).slice(0, 200)}. Leave the input out to see its result, or choose another run id.`,
    );
  }
}
