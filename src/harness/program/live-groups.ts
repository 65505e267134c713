/**
 * When this process ends with programs still running (an uncaught error, `process.exit`), they end with it: their groups and, where
 * one look tells in no time (/proc), what has left them.
 */
import { lookByProc } from './list-by-proc.ts';
import { hostMark } from './list-processes.ts';
import { hostOf } from './stint.ts';

const groups = new Set<number>();

/** Ends the group, at once, if this process exits before the returned function is called. Not on SIGKILL: see `sweep.ts`. */
export function endWithThisProcess(groupId: number): () => void {
  if (groups.size === 0) process.on('exit', endGroups);
  groups.add(groupId);
  return () => {
    groups.delete(groupId);
    if (groups.size === 0) process.off('exit', endGroups);
  };
}

function endGroups(): void {
  for (const groupId of groups) kill(-groupId);
  const isOurs = (mark: string) => hostOf(mark) === hostMark();
  for (const { pid, marks } of lookByProc()) if (marks.some(({ host }) => isOurs(host))) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
