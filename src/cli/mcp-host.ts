/**
 * Hosts for runs that a tool started: processes of their own, this same program, that outlive whoever started them. What they write to
 * standard error is kept beside the run's journal, in `host.log`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { remedies, TroupeError, type Code } from '../error.ts';
import type { RunView } from '../process/run-view.ts';
import type { DataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { holderOf } from './holder.ts';
import { knownRunIfAny } from './known-run.ts';

/** How long a host may take until its run has begun, and between two looks, ms. */
const patienceMs = 30_000;
const lookEveryMs = 50;

/** A host that was started. */
export interface StartedHost {
  readonly pid: number;
  /** Its run, as it stood when it had begun, or ended; `isSlow` when neither was so in time: it may still come. */
  readonly view: RunView;
  readonly isSlow: boolean;
  /** Where it writes what people should know. */
  readonly log: string;
}

/**
 * Starts this program with `args` as the host of `run`, whose folder exists, and waits until it drives the run, or has said that the run
 * had ended before. Throws what the host says when it ends in another way: the codes of `troupe run` and `troupe resume`.
 */
export async function startHost(
  data: DataFolder,
  run: string,
  { args, stdin }: { readonly args: readonly string[]; readonly stdin?: string },
): Promise<StartedHost> {
  const log = join(data.run(run), 'host.log');
  const before = (await knownRunIfAny(data.store, run)).view;
  const file = await open(log, 'a');
  let from: number;
  let child;
  try {
    from = (await file.stat()).size;
    const program = [...process.execArgv, process.argv[1] ?? '', ...args, '--data', data.path];
    child = spawn(process.execPath, program, { detached: true, stdio: ['pipe', 'ignore', file.fd] });
    await once(child, 'spawn');
  } finally {
    await file.close();
  }
  // A host that ends at once may not have read it.
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin ?? '');
  child.unref();
  const until = performance.now() + patienceMs;
  for (;;) {
    // Looked at before the run: what it wrote last is seen.
    const exitCode = child.exitCode ?? (child.signalCode === null ? undefined : 1);
    const { view } = await knownRunIfAny(data.store, run);
    // Somebody else may have taken it meanwhile.
    const isHeld = view.epoch > before.epoch && (await holderOf(data, run))?.pid === child.pid;
    const hasBegun = view.created !== undefined && isHeld;
    const hasEnded = view.end !== undefined && (before.end === undefined || isResult(exitCode));
    if (hasBegun || hasEnded) return { pid: child.pid ?? 0, view, isSlow: false, log };
    if (exitCode !== undefined) throw await whyItEnded(log, from, exitCode);
    if (performance.now() > until) return { pid: child.pid ?? 0, view, isSlow: true, log };
    await delay(lookEveryMs);
  }
}

/** The run's own result: nothing was wrong with what was asked for. */
const isResult = (exitCode: number | undefined) => exitCode === exitCodes.ok || exitCode === exitCodes.failed;

/** What a host that ended too early wrote last, as the error it was. */
async function whyItEnded(log: string, from: number, exitCode: number): Promise<Error> {
  const text = (await readFile(log)).subarray(from).toString('utf8').trim();
  const found = /^([A-Z][A-Z_]+): (.*)$/m.exec(text);
  const code = found?.[1] ?? '';
  if (found !== null && Object.hasOwn(remedies, code)) return new TroupeError(code as Code, found[2] ?? '');
  return new Error(`the host ended with exit code ${exitCode}: ${text.slice(-1_000) || 'it said nothing'} (${log})`);
}

/** What `program` said as its last line of JSON, and its exit code: for deeds that load the user's code, which must not be in here. */
export async function ranProgram(
  data: DataFolder,
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly said: unknown }> {
  const program = [...process.execArgv, process.argv[1] ?? '', ...args, '--data', data.path, '--json'];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  try {
    return { exitCode: exitCode ?? 1, said: JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as unknown };
  } catch {
    throw new Error(`troupe ${args[0]} ended with exit code ${exitCode}: ${stderr.slice(-1_000)}`);
  }
}
