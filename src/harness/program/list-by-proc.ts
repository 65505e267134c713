/**
 * Processes by Linux's /proc. A look takes some milliseconds, and two things would slip through it:
 *
 * - what forks and ends meanwhile: so new names are looked at until there are none;
 * - a program that is just being loaded and shows no environment yet: so it is looked at again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { marksIn } from './marker.ts';
import type { OsProcess } from './os-process.ts';

/** Processes read before others get their turn: some 2 ms. Reading /proc in place is 5 times as fast as by the thread pool. */
const sliceLength = 32;
/** New names are asked for this often at most. */
const looksMax = 100;
/** Loading takes less than a wait, unless the machine is busy; ms. */
const loadMs = 2;
const loadWaitsMax = 5;

interface Facts extends OsProcess {
  /** Shows no environment: it is being loaded, or has none. */
  readonly isBare: boolean;
}

/** Those that the last look found bare for good; waited for no more. */
let bare: ReadonlySet<string> = new Set();

/** Every living process. `proc` is where the system shows them. Rejects where there is no such folder. */
export async function listByProc(proc = '/proc'): Promise<readonly OsProcess[]> {
  const found = new Map<string, Facts>();
  const seen = new Set<string>();
  let loading: readonly string[] = [];
  let waits = 0;
  for (let looks = 0; looks < looksMax; looks += 1) {
    const fresh = readdirSync(proc).filter((name) => /^\d+$/.test(name) && !seen.has(name));
    if (fresh.length === 0) {
      if (loading.length === 0 || waits === loadWaitsMax) break;
      waits += 1;
      await delay(loadMs);
    }
    for (const [index, name] of [...fresh, ...loading].entries()) {
      if (index % sliceLength === sliceLength - 1) await turn();
      const facts = readProcess(proc, name);
      seen.add(name);
      if (facts === undefined) found.delete(name);
      else found.set(name, facts);
    }
    loading = [...found].flatMap(([name, facts]) => (facts.isBare && !bare.has(nameOf(facts)) ? [name] : []));
  }
  const processes = [...found.values()];
  bare = new Set(processes.filter(({ isBare }) => isBare).map(nameOf));
  return processes;
}

/** Every living process as of one quick look, in place: for who has no time to wait. Empty where there is no such folder. */
export function lookByProc(proc = '/proc'): readonly OsProcess[] {
  try {
    const names = readdirSync(proc).filter((name) => /^\d+$/.test(name));
    return names.flatMap((name) => readProcess(proc, name) ?? []);
  } catch {
    return [];
  }
}

/** When this process started: clock ticks since boot. */
export function ownStart(): string {
  return startIn(fieldsIn(readText('/proc/self/stat') ?? ''));
}

function nameOf({ pid, start }: OsProcess): string {
  return `${pid}-${start}`;
}

function readProcess(proc: string, name: string): Facts | undefined {
  const fields = fieldsIn(readText(`${proc}/${name}/stat`) ?? '');
  const [state, , group] = fields;
  const hasEnded = state === 'Z' || state === 'X';
  const threads = Number(fields[17]);
  // A kernel thread has no group; a zombie lives on while one of its other threads does.
  if (state === undefined || group === '0' || (hasEnded && threads < 2)) return undefined;
  const thread = hasEnded ? `task/${livingThread(proc, name)}/` : '';
  const environ = readText(`${proc}/${name}/${thread}environ`);
  return {
    pid: Number(name),
    groupId: Number(group),
    start: startIn(fields),
    marks: environ?.includes('TROUPE_') === true ? marksIn(environ.split('\0')) : [],
    isBare: environ === '',
    ...(hasEnded ? { isDying: true } : {}),
  };
}

/** A zombie's first thread is gone, and with it what it showed; the others still show it. */
function livingThread(proc: string, name: string): string {
  try {
    return readdirSync(`${proc}/${name}/task`).find((thread) => thread !== name) ?? name;
  } catch {
    return name;
  }
}

/** State, parent, group, session …: the fields after the program's name, which may itself hold spaces and parentheses. */
function fieldsIn(stat: string): readonly string[] {
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Field 22 of `stat`. */
function startIn(fields: readonly string[]): string {
  return fields[19] ?? '';
}

/** Undefined when the process is gone by now, or another user's. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
