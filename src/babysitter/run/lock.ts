/**
 * The lock of a run directory, as babysitter has it: a file `run.lock` that names a pid, held while it is there. Ours is never seen empty:
 * it is written elsewhere and gets its name whole.
 *
 * A lock is stale when its process is dead, or was another one of our pid. One that is empty or no JSON (babysitter creates it first and
 * writes it then) is stale when it has been so for {@link emptyMsMax}.
 */
import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TroupeError } from '../../error.ts';
import { monotonicMs } from '../../journal/time.ts';
import { isLeft } from './alive.ts';
import { fileText } from './event-text.ts';
import { placeNew, stage } from './staging.ts';

/** How long a lock may be empty while its writer lives, ms. Between the two steps of babysitter's there is far less than 1 ms. */
export const emptyMsMax = 2_000;

/** How often a held lock is looked at, ms; babysitter looks every 250. */
const lookEveryMs = 5;

/** Options of {@link withRunLock}. */
export interface LockOptions {
  /** Longest wait, ms. Default 20,000: babysitter's own commits hold it for seconds in large runs. */
  readonly waitMs?: number;
}

/** Calls `work` while this process holds the lock, and gives it back whatever happens. Not re-entrant. Codes: RUN_BUSY. */
export async function withRunLock<Result>(
  runDir: string,
  owner: string,
  work: () => Promise<Result> | Result,
  { waitMs = 20_000 }: LockOptions = {},
): Promise<Result> {
  const until = monotonicMs() + waitMs;
  while (!take(runDir, owner)) {
    if (monotonicMs() > until) throw busy(runDir, waitMs);
    await delay(lookEveryMs);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile(runDir), { force: true });
  }
}

const lockFile = (runDir: string) => join(runDir, 'run.lock');

/** Takes the lock if it is free or stale; never waits. */
function take(runDir: string, owner: string): boolean {
  const mine = fileText({ pid: process.pid, owner, acquiredAt: new Date().toISOString() });
  const found = look(runDir);
  if (found !== undefined && !isStale(runDir, found)) return false;
  if (found !== undefined) removeStale(runDir, found.text);
  return placeNew(stage(runDir, mine, false), lockFile(runDir));
}

interface Found {
  readonly text: string;
  /** Undefined for a lock that does not say whose it is. */
  readonly pid: number | undefined;
  readonly owner: string;
  readonly changedMs: number;
}

function look(runDir: string): Found | undefined {
  try {
    const { mtimeMs } = statSync(lockFile(runDir));
    const text = readFileSync(lockFile(runDir), 'utf8');
    return { text, changedMs: mtimeMs, ...parse(text) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): { readonly pid: number | undefined; readonly owner: string } {
  try {
    const { pid, owner } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return {
      pid: Number.isInteger(pid) && (pid as number) > 0 ? (pid as number) : undefined,
      owner: typeof owner === 'string' ? owner : '',
    };
  } catch {
    return { pid: undefined, owner: '' };
  }
}

function isStale(runDir: string, { pid, changedMs }: Found): boolean {
  return pid === undefined ? Date.now() - changedMs > emptyMsMax : isLeft(lockFile(runDir), pid);
}

/** Takes it away under another name first, and puts it back if it was another one by then: whoever came between keeps it. */
function removeStale(runDir: string, text: string): void {
  const aside = stage(runDir, '', false);
  try {
    renameSync(lockFile(runDir), aside);
  } catch (error) {
    rmSync(aside, { force: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') === text) rmSync(aside);
  else placeNew(aside, lockFile(runDir));
}

function busy(runDir: string, waitMs: number): TroupeError {
  const found = look(runDir);
  const who =
    found === undefined
      ? 'somebody'
      : found.pid === undefined
        ? 'a lock without a name'
        : `pid ${found.pid} (${found.owner})`;
  return new TroupeError(
    'RUN_BUSY',
    `${lockFile(runDir)} has been held for more than ${waitMs} ms, now by ${who}. Wait for it to end, or end it.`,
    { file: lockFile(runDir), pid: found?.pid ?? null },
  );
}

/** Gives back a lock that something in this process holds and never will. */
export function releaseOwnLock(runDir: string): void {
  if (look(runDir)?.pid === process.pid) rmSync(lockFile(runDir), { force: true });
}
