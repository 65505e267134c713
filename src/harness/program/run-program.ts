/**
 * One program in a process group of its own, from spawn until nothing of it is left. Knows nothing of what
 * success means. Ends: by itself (leftovers are swept), or cancelled (SIGINT, SIGTERM, SIGKILL, sweep).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { drain, type Taker } from './drain.ts';
import { endWithThisProcess } from './live-groups.ts';
import { stintOf } from './marker.ts';
import { endAll, leftoverRungs, type Rung } from './sweep.ts';

/** What to run, and who listens. */
export interface Program {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text for standard input; undefined: the input is empty. */
  readonly stdin: string | undefined;
  /** Takes the input instead of `stdin`, to be written while the program works; whoever takes it ends it. */
  readonly onInput?: (input: ProgramInput) => void;
  /** Called once it has started, with its process group. */
  readonly onStarted?: (groupId: number) => void;
  /** Key of the attempt; `env` carries it as its mark. */
  readonly key: string;
  /** Aborted: the ladder begins. */
  readonly signal: AbortSignal;
  readonly graceMs: Grace;
  readonly onOutput: Taker;
}

/** Standard input of a running program. */
export interface ProgramInput {
  /** Queues text; a program that is gone, or does not read, loses it. */
  write(text: string): void;
  end(): void;
}

/** Patience of the ladder, ms. */
export interface Grace {
  /** From SIGINT to SIGTERM. */
  readonly interrupt: number;
  /** From SIGTERM to SIGKILL. */
  readonly terminate: number;
}

/** How it ended. */
export type ProgramEnd =
  /** It did not start: the system's own error. */
  | { readonly type: 'refused'; readonly error: unknown }
  | { readonly type: 'exited'; readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }
  /** `survivors`: pids that outlived SIGKILL, normally none. */
  | { readonly type: 'cancelled'; readonly survivors: readonly number[] };

type Exit = { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null };

/** Runs a program to its end. Rejects, at its end, only with what `onOutput` threw. */
export async function runProgram(program: Program): Promise<ProgramEnd> {
  let child: ChildProcess;
  try {
    child = start(program);
  } catch (error) {
    return { type: 'refused', error };
  }
  const exit = new Promise<Exit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const failure = new Promise<{ readonly error: Error }>((resolve) => {
    child.on('error', (error) => resolve({ error }));
  });
  const groupId = child.pid;
  if (groupId === undefined) return { type: 'refused', ...(await failure) };

  const release = endWithThisProcess(groupId);
  const belonging = { key: program.key, groupId, stint: stintOf(program.env) };
  const output = drain(child, program.onOutput);
  feed(child, program);
  program.onStarted?.(groupId);
  try {
    const exited = await Promise.race([exit, aborted(program.signal, exit)]);
    if (exited === undefined) {
      const survivors = await endAll(belonging, cancelRungs(program.graceMs));
      killIfUnseen(child, groupId);
      await output.end();
      return { type: 'cancelled', survivors };
    }
    await output.quiet();
    await endAll(belonging, leftoverRungs);
    await output.end();
    return { type: 'exited', ...exited };
  } finally {
    release();
  }
}

function start({ argv, cwd, env, stdin, onInput }: Program): ChildProcess {
  const [file = '', ...args] = argv;
  return spawn(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env,
    shell: false,
    // A group and session of its own: signals reach all of it, and no terminal's Ctrl-C reaches it behind our back.
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: [stdin === undefined && onInput === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
}

function cancelRungs(graceMs: Grace): readonly Rung[] {
  return [
    { signal: 'SIGINT', reach: 'group', waitMs: graceMs.interrupt },
    { signal: 'SIGTERM', reach: 'all', waitMs: graceMs.terminate },
    { signal: 'SIGKILL', reach: 'all', waitMs: 10_000 },
  ];
}

/** Resolves to undefined when the signal is aborted; listens no longer than the program runs. */
function aborted(signal: AbortSignal, exit: Promise<unknown>): Promise<undefined> {
  return new Promise((resolve) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    void exit.then(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Whoever does not read its input closes the pipe: its right. */
function feed({ stdin }: ChildProcess, program: Program): void {
  stdin?.on('error', () => undefined);
  if (program.onInput === undefined) stdin?.end(program.stdin);
  else
    program.onInput({
      write(text) {
        if (stdin?.writable === true) stdin.write(text);
      },
      end: () => void stdin?.end(),
    });
}

/** Where processes cannot be listed the ladder saw nobody: end what we can name. */
function killIfUnseen(child: ChildProcess, groupId: number): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-groupId, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
