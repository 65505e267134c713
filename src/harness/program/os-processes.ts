/**
 * What runs on this machine. On Linux from /proc; elsewhere from `ps`, whose one line per process cannot tell
 * a space in a variable from the space between two; on Windows nothing is seen.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { marksIn, type Mark } from './marker.ts';

/** An operating-system process that is alive: not a zombie. */
export interface OsProcess {
  readonly pid: number;
  /** Process group. */
  readonly groupId: number;
  /** When it started, in a unit of the system's own; with `pid` it names one process for good. */
  readonly start: string;
  /** Attempts it belongs to. Empty when its environment may not be read. */
  readonly marks: readonly Mark[];
}

/** Processes read at once: more than the thread pool has threads is no faster. */
const readersMax = 8;

let running: Promise<readonly OsProcess[]> | undefined;
let next: Promise<readonly OsProcess[]> | undefined;

/**
 * Every living process as of some moment after the call. Callers that come while a scan is under way share
 * the one after it, so that many attempts that end together cost two scans, not many.
 */
export function listProcesses(): Promise<readonly OsProcess[]> {
  if (running === undefined) return begin();
  next ??= running.then(begin, begin);
  return next;
}

function begin(): Promise<readonly OsProcess[]> {
  next = undefined;
  const scan =
    process.platform === 'linux'
      ? listByProc().catch(listByPs)
      : process.platform === 'win32'
        ? Promise.resolve([])
        : listByPs();
  const current = scan.finally(() => {
    if (running === current) running = undefined;
  });
  running = current;
  return current;
}

/** This very process, as marks name hosts: `<pid>-<start>`. */
export async function hostMark(): Promise<string> {
  ownMark ??=
    process.platform === 'linux'
      ? readFile('/proc/self/stat', 'latin1').then((stat) => startIn(stat))
      : Promise.resolve('');
  return `${process.pid}-${await ownMark}`;
}
let ownMark: Promise<string> | undefined;

async function listByProc(): Promise<readonly OsProcess[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: OsProcess[] = [];
  const readOn = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const facts = await readProc(name).catch(() => undefined);
      if (facts !== undefined) found.push(facts);
    }
  };
  await Promise.all(Array.from({ length: readersMax }, readOn));
  return found;
}

async function readProc(name: string): Promise<OsProcess | undefined> {
  const stat = await readFile(`/proc/${name}/stat`, 'latin1');
  const fields = fieldsIn(stat);
  const groupId = Number(fields[2]);
  const hasEnded = fields[0] === 'Z' || fields[0] === 'X';
  const threads = Number(fields[17]);
  // A kernel thread has no group; a zombie lives on while one of its other threads does.
  if (groupId === 0 || (hasEnded && threads < 2)) return undefined;
  const environ = hasEnded ? await environOfThreads(name) : await readEnviron(`/proc/${name}`);
  return { pid: Number(name), groupId, start: startIn(stat), marks: marksInEnviron(environ) };
}

/** Empty when it may not be read. */
function readEnviron(folder: string): Promise<string> {
  return readFile(`${folder}/environ`, 'utf8').catch(() => '');
}

async function environOfThreads(name: string): Promise<string> {
  for (const thread of await readdir(`/proc/${name}/task`)) {
    const environ = await readEnviron(`/proc/${name}/task/${thread}`);
    if (environ !== '') return environ;
  }
  return '';
}

/** state, ppid, pgrp, session …: the fields after the program's name, which may itself hold spaces and parentheses. */
function fieldsIn(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Field 22 of `stat`: clock ticks since boot. */
function startIn(stat: string): string {
  return fieldsIn(stat)[19] ?? '';
}

function marksInEnviron(environ: string): readonly Mark[] {
  if (!environ.includes('TROUPE_ATTEMPT=')) return [];
  return marksIn(variablesIn(environ.split('\0')));
}

/** The first of two equal names counts, as for getenv(3). */
function variablesIn(pairs: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    if (equals > 0 && name.startsWith('TROUPE_')) env[name] ??= pair.slice(equals + 1);
  }
  return env;
}

function listByPs(): Promise<readonly OsProcess[]> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 2 ** 26, env: { ...process.env, LC_ALL: 'C' } };
    execFile('ps', ['axeww', '-o', 'pid=,pgid=,stat=,command='], options, (_error, stdout) => resolve(parsePs(stdout)));
  });
}

/** Reads lines of `ps axeww -o pid=,pgid=,stat=,command=`: the environment follows the arguments, all joined by spaces. */
export function parsePs(stdout: string): readonly OsProcess[] {
  return stdout.split('\n').flatMap((line): OsProcess[] => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line);
    const [, pid, groupId, state, rest] = match ?? [];
    if (pid === undefined || groupId === undefined || state === undefined || state.startsWith('Z')) return [];
    const pairs = (rest ?? '').split(/ (?=[A-Za-z_][A-Za-z0-9_]*=)/);
    return [{ pid: Number(pid), groupId: Number(groupId), start: '', marks: marksIn(variablesIn(pairs)) }];
  });
}
