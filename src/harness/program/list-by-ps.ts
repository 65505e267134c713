/** Processes by `ps`, where there is no /proc. Its one line per process cannot tell a space in a variable from the space between two. */
import { execFile } from 'node:child_process';
import { marksIn } from './marker.ts';
import type { OsProcess } from './os-process.ts';

/** Every living process; none when there is no `ps`. */
export function listByPs(): Promise<readonly OsProcess[]> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 2 ** 26, env: { ...process.env, LC_ALL: 'C' } };
    execFile('ps', ['axeww', '-o', 'pid=,pgid=,stat=,command='], options, (_error, stdout) => resolve(parsePs(stdout)));
  });
}

/** Reads lines of `ps axeww -o pid=,pgid=,stat=,command=`: the environment follows the arguments, all joined by spaces. */
export function parsePs(stdout: string): readonly OsProcess[] {
  return stdout.split('\n').flatMap((line): OsProcess[] => {
    const [, pid, groupId, state, rest = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line) ?? [];
    if (pid === undefined || groupId === undefined || state === undefined || state.startsWith('Z')) return [];
    const pairs = rest.split(/ (?=[A-Za-z_][A-Za-z0-9_]*=)/);
    return [{ pid: Number(pid), groupId: Number(groupId), start: '', marks: marksIn(pairs) }];
  });
}
