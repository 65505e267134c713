/** What runs on this machine, and to which attempts it belongs. */
import { listByProc, ownStart } from './list-by-proc.ts';
import { listByPs } from './list-by-ps.ts';
import type { OsProcess } from './os-process.ts';

type List = Promise<readonly OsProcess[]>;

let running: List | undefined;
let next: List | undefined;

/**
 * Every living process as of some moment after the call; on Windows none is seen. Callers that come while a look is
 * under way share the one after it, so that many attempts that end together cost two looks, not many.
 */
export function listProcesses(): List {
  if (running === undefined) return begin();
  next ??= running.then(begin, begin);
  return next;
}

function begin(): List {
  next = undefined;
  const current = list().finally(() => {
    if (running === current) running = undefined;
  });
  running = current;
  return current;
}

async function list(): List {
  if (process.platform === 'win32') return [];
  return process.platform === 'linux' ? listByProc().catch(() => listByPs()) : listByPs();
}

/** Living processes as marks name hosts. A dying one holds its run no more: what it started is its successor's to end. */
export function hostsAmong(processes: readonly OsProcess[]): ReadonlySet<string> {
  return new Set(processes.filter(({ isDying }) => isDying !== true).map(({ pid, start }) => `${pid}-${start}`));
}

/** This very process, as marks name hosts: `<pid>-<start>`. */
export function hostMark(): string {
  ownMark ??= `${process.pid}-${process.platform === 'linux' ? ownStart() : ''}`;
  return ownMark;
}
let ownMark: string | undefined;
