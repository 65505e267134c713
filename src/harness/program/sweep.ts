/**
 * Ending what an attempt started: all of it, and nothing else. Found by process group and by mark
 * (see `marker.ts`), so that daemons which left the group and their parent are found as well. What escapes:
 * a program that both left the group and cleared or overwrote its environment, and one of another user.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { hostsAmong, listProcesses } from './list-processes.ts';
import type { OsProcess } from './os-process.ts';
import { isPerformed } from './stint.ts';

/** Whose processes to end. */
export interface Belonging {
  /** The attempt's key: the whole value counts, `a/1` is not `a/11`. */
  readonly key: string;
  /** A process group of the attempt's own, when it is known. */
  readonly groupId?: number | undefined;
  /** The attempt's own stint, while it lasts. */
  readonly stint?: string;
}

/** One rung of the ladder. */
export interface Rung {
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  /** Whom it reaches: the process group only, or everything that belongs. */
  readonly reach: 'group' | 'all';
  /** How long to wait for those to be gone before the next rung, ms. */
  readonly waitMs: number;
}

/** Wait between looks, ms: doubles from the first to the second. */
const lookMsMin = 5;
const lookMsMax = 80;

/** For what a host left behind, or a program when it ended: asked once, then killed. */
export const leftoverRungs: readonly Rung[] = [
  { signal: 'SIGTERM', reach: 'all', waitMs: 1_000 },
  { signal: 'SIGKILL', reach: 'all', waitMs: 10_000 },
];

/**
 * Ends everything an attempt of this key left running when its host died; resolves when it is gone. SIGTERM, after 1 s SIGKILL.
 * What is performed still, by another host or by this one, is left alone: equal keys of two data folders do not meet. Never
 * ends this process. Rejects when something is still alive 10 s after SIGKILL (it hangs in the kernel), naming its pid.
 */
export async function sweep(key: string): Promise<void> {
  const alive = await endAll({ key }, leftoverRungs);
  if (alive.length > 0) throw new Error(`processes ${alive.join(', ')} of attempt \`${key}\` outlived SIGKILL by 10 s`);
}

/** Climbs the ladder until nothing that belongs is alive; resolves to the pids that outlived all of it, normally none. */
export async function endAll(belonging: Belonging, rungs: readonly Rung[]): Promise<readonly number[]> {
  let found = await findAll(belonging);
  for (const rung of rungs) {
    const reached = () => found.filter((one) => rung.reach === 'all' || one.groupId === belonging.groupId);
    const until = performance.now() + rung.waitMs;
    let isTold = false;
    for (let lookMs = lookMsMin; reached().length > 0; lookMs = Math.min(lookMs * 2, lookMsMax)) {
      // Once, for what starts after it may be somebody's tidying up; SIGKILL again and again, for a fork can be faster than a look.
      if (!isTold || rung.signal === 'SIGKILL') tellAll(reached(), belonging.groupId, rung.signal);
      isTold = true;
      if (performance.now() >= until) break;
      await delay(lookMs);
      found = await findAll(belonging);
    }
    if (found.length === 0) return [];
  }
  return found.map(({ pid }) => pid);
}

/** Every living process that belongs: in the group, marked, or in a group that a marked one leads; never this one. */
async function findAll({ key, groupId, stint }: Belonging): Promise<readonly OsProcess[]> {
  const processes = await listProcesses();
  const hosts = hostsAmong(processes);
  const isMarked = ({ marks }: OsProcess) =>
    marks.some((mark) => mark.key === key && (mark.host === stint || !isPerformed(mark.host, hosts)));

  const marked = new Set(processes.filter(isMarked));
  const groups = new Set([...marked].filter((one) => one.pid === one.groupId).map((one) => one.groupId));
  if (groupId !== undefined) groups.add(groupId);
  return processes.filter((one) => one.pid !== process.pid && (groups.has(one.groupId) || marked.has(one)));
}

/** Signals the attempt's own group in one blow, everything else one by one. */
function tellAll(processes: readonly OsProcess[], groupId: number | undefined, signal: NodeJS.Signals): void {
  const outside = processes.filter((one) => one.groupId !== groupId);
  if (groupId !== undefined && outside.length < processes.length) tell(-groupId, signal);
  for (const { pid } of outside) tell(pid, signal);
}

/** Sends a signal; that nobody is there any more is what we want. */
function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: gone; EPERM: another user's, it shows among those that outlived the ladder.
  }
}
