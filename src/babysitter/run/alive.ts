/** Does a process of this machine still live, by its pid alone: that is all that babysitter records. */
import { readdirSync, readFileSync, statSync } from 'node:fs';

const beganMs = () => Date.now() - process.uptime() * 1_000;
const beganAtFirstMs = beganMs();
/** Clocks of file systems are coarse. */
const coarseMs = 1_000;

/**
 * Before this process began by the clock as it was then, and as it is now: it may have been set on or back since, or the machine have slept, and
 * what this process has made must never look older than it.
 */
const isBeforeUs = (atMs: number) => atMs < Math.min(beganAtFirstMs, beganMs()) - coarseMs;

/**
 * Whether this file of the process `pid` is one that nobody comes back to. One of our own pid is, when it is older than we are: a
 * container that is started again gives its processes the pids that they had before.
 */
export function isLeft(file: string, pid: number): boolean {
  if (pid !== process.pid) return !isAlive(pid);
  const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return mtimeMs !== undefined && isBeforeUs(mtimeMs);
}

/** False only when nothing of it runs any more: a killed process whose last write is still under way counts as living. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  const state = stateOf(`/proc/${pid}/stat`);
  if (state === undefined || !hasEnded(state)) return true;
  // Ended, and nobody has asked how yet; a thread of it may outlive it for a moment.
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      const one = stateOf(`/proc/${pid}/task/${thread}/stat`);
      return one !== undefined && !hasEnded(one);
    });
  } catch {
    return false;
  }
}

const hasEnded = (state: string) => state === 'Z' || state === 'X';

function stateOf(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}
