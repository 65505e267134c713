/**
 * An agent's process: in a group of its own, found again by the mark in its environment. Its output is read to the end, its
 * standard error kept for messages, its input is ours to end. Nothing of it is left after `stop`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { drain } from '../../program/drain.ts';
import { endWithThisProcess } from '../../program/live-groups.ts';
import { stintOf } from '../../program/marker.ts';
import { refusal } from '../../program/refusal.ts';
import { endAll, type Rung } from '../../program/sweep.ts';
import { tail } from '../../program/tail.ts';
import { AgentFailure } from '../port.ts';

/** End of standard error kept, bytes. */
const stderrBytes = 16_384;

/** What to start, and who listens. */
export interface AgentStart {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Key of the attempt whose mark `env` carries. */
  readonly key: string;
  /** Takes standard output in order; when it throws, nothing further is taken. */
  onStdout(chunk: Uint8Array): void;
  /** Takes both outputs; the stream waits while it is pending. */
  readonly onOutput: ((chunk: Uint8Array) => Promise<void> | void) | undefined;
  /** Called once, when no further output comes, with how the process ended as far as it has. */
  onEnd(how: string): void;
}

/** A started agent. */
export interface AgentProcess {
  readonly groupId: number;
  /** Queues bytes for its input. An agent that is gone loses them. */
  write(text: string): Promise<void>;
  /** The end of its standard error. */
  stderr(): string;
  /** Ends it and all that it started: end of input, then after `eofMs` signals. Resolves when nothing is left. Never rejects. */
  stop(eofMs: number): Promise<void>;
}

/** Starts an agent. Rejects with an {@link AgentFailure} of class `refused`, or `overloaded` when the system is short of something. */
export async function startAgent(start: AgentStart): Promise<AgentProcess> {
  const { argv, cwd, env, key } = start;
  const [file = '', ...args] = argv;
  let child: ChildProcess;
  const refuse = async (error: unknown): Promise<never> => {
    const outcome = await refusal({ file, cwd, path: env['PATH'], error });
    if (outcome.status !== 'error') throw error;
    throw new AgentFailure(outcome.class, outcome.error.message);
  };
  try {
    child = spawn(file, args, {
      cwd,
      env,
      shell: false,
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    return await refuse(error);
  }
  const failed = new Promise<Error>((resolve) => child.on('error', resolve));
  const groupId = child.pid;
  if (groupId === undefined) return await refuse(await failed);

  const release = endWithThisProcess(groupId);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const errors = tail(stderrBytes);
  // An agent that is gone does not read: its own right.
  child.stdin?.on('error', () => undefined);
  const output = drain(child, async (from, chunk) => {
    if (from === 'stderr') errors.push(chunk);
    else start.onStdout(chunk);
    await start.onOutput?.(chunk);
  });
  const closed = new Promise<void>((resolve) => child.stdout?.once('close', resolve));
  const errorsClosed = new Promise<void>((resolve) => child.stderr?.once('close', resolve));
  void Promise.race([closed, exited.then(() => output.quiet())]).then(async () => {
    // Its output often ends a moment before it does; how it ended, and what it said last, is worth that moment.
    await Promise.race([Promise.all([exited, errorsClosed]), settled(2_000)]);
    start.onEnd(howOf(child));
  });

  const end = async (eofMs: number) => {
    child.stdin?.end();
    if (eofMs > 0) await Promise.race([exited, settled(eofMs)]);
    await endAll({ key, groupId, stint: stintOf(env) }, stopRungs);
    // Where processes cannot be listed, the ladder saw nobody.
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await Promise.race([output.end().catch(() => undefined), settled(1_000)]);
    release();
  };
  let stopping: Promise<void> | undefined;
  return {
    groupId,
    write: (text) =>
      new Promise((resolve) => {
        if (child.stdin?.writable !== true) resolve();
        else child.stdin.write(text, () => resolve());
      }),
    stderr: () => errors.text(),
    stop: (eofMs) => (stopping ??= end(eofMs).catch(() => undefined)),
  };
}

/** In all less than 8 s: what must be gone within 10 s is asked twice, then killed. */
const stopRungs: readonly Rung[] = [
  { signal: 'SIGTERM', reach: 'all', waitMs: 2_000 },
  { signal: 'SIGKILL', reach: 'all', waitMs: 3_000 },
];

function howOf({ exitCode, signalCode }: ChildProcess): string {
  if (signalCode !== null) return `it was ended by ${signalCode}`;
  return exitCode === null ? 'it closed its output' : `it ended with exit code ${exitCode}`;
}

function settled(waitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs).unref());
}
