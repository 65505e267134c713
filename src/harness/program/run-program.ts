/**
 * One program in a process group of its own, from spawn until nothing of it is left. Knows nothing of what
 * success means. Ends: by itself (leftovers are swept), or cancelled (SIGINT, SIGTERM, SIGKILL, sweep).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { endAll, leftoverRungs, type Rung } from './sweep.ts';
import { endWithThisProcess } from './live-groups.ts';
import { finishedBytes } from './tail.ts';

/** What to run, and who listens. */
export interface Program {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text for standard input; undefined: the input is empty. */
  readonly stdin: string | undefined;
  /** Key of the attempt; `env` carries it as its mark. */
  readonly key: string;
  /** Aborted: the ladder begins. */
  readonly signal: AbortSignal;
  readonly graceMs: Grace;
  /** Takes what the program writes, in order; the stream waits while it is pending. Characters come whole. */
  onOutput(from: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> | void;
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

/** After exit, what the program wrote is already in the pipe: somebody else who holds it may be silent this long, ms. */
const silenceMs = 250;
/** One that escaped the sweep and goes on writing is read no longer than this, ms. */
const afterlifeMs = 10_000;

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

  const isReleased = endWithThisProcess(groupId);
  const belonging = { key: program.key, groupId };
  const output = drain(child, program);
  feed(child, program.stdin);
  try {
    const exited = await Promise.race([exit, aborted(program.signal, exit)]);
    if (exited === undefined) {
      const survivors = await endAll(belonging, cancelRungs(program.graceMs));
      killIfUnseen(child, groupId);
      await output.end();
      return { type: 'cancelled', survivors };
    }
    await output.silent();
    await endAll(belonging, leftoverRungs);
    await output.end();
    return { type: 'exited', ...exited };
  } finally {
    isReleased();
  }
}

function start({ argv, cwd, env, stdin }: Program): ChildProcess {
  const [file = '', ...args] = argv;
  return spawn(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env,
    shell: false,
    // A group and session of its own: signals reach all of it, and no terminal's Ctrl-C reaches it behind our back.
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
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
    if (signal.aborted) onAbort();
  });
}

/** Whoever does not read its input closes the pipe: its right. */
function feed(child: ChildProcess, stdin: string | undefined): void {
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
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

/** Reads both outputs to their end. */
function drain(child: ChildProcess, program: Program) {
  let chunks = 0;
  let bug: { readonly error: unknown } | undefined;

  /** Goes on reading when a taker throws, so that the program does not hang; `end` tells. */
  const take = async (from: 'stdout' | 'stderr', chunk: Uint8Array) => {
    if (bug !== undefined) return;
    try {
      await program.onOutput(from, chunk);
    } catch (error) {
      bug = { error };
    }
  };
  const pump = async (stream: Readable | null, from: 'stdout' | 'stderr') => {
    let held = Buffer.alloc(0);
    try {
      for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>) {
        chunks += 1;
        const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
        const finished = finishedBytes(bytes);
        held = Buffer.from(bytes.subarray(finished));
        if (finished > 0) await take(from, bytes.subarray(0, finished));
      }
    } catch {
      // Destroyed in the middle, see `end`: what came so far is what there is.
    }
    if (held.length > 0) await take(from, held);
  };
  const pumped = Promise.all([pump(child.stdout, 'stdout'), pump(child.stderr, 'stderr')]);

  /** Resolves at the end of both outputs, or when nothing has come for a while. */
  const silent = async () => {
    const until = performance.now() + afterlifeMs;
    let isAtEnd = false;
    for (let before = -1; !isAtEnd && chunks !== before && performance.now() < until;) {
      before = chunks;
      isAtEnd = await isSettledWithin(pumped, silenceMs);
    }
  };
  return {
    silent,
    /** Resolves when both outputs are at their end, or given up. Rejects with what `onOutput` threw. */
    async end() {
      await silent();
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.stderr?.destroy();
      await pumped;
      if (bug !== undefined) throw bug.error;
    },
  };
}

async function isSettledWithin(promise: Promise<unknown>, waitMs: number): Promise<boolean> {
  const patience = new AbortController();
  const waited = delay(waitMs, false, { signal: patience.signal }).catch(() => false);
  const isSettled = await Promise.race([promise.then(() => true), waited]);
  patience.abort();
  return isSettled;
}
