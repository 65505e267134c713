/** Which OS process holds a run, and whether it still lives: by pid AND start time, because pids are reused. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names one OS process for ever. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Differs after each start of the machine; empty where the system does not tell. */
  readonly bootId: string;
  /** Pids mean something in one namespace only; empty where the system does not tell. */
  readonly pidNamespace: string;
  /** When the process started, in the system's own unit; empty where the system does not tell. */
  readonly startedAt: string;
}

/**
 * `dead`: certainly gone, it can write no more. `dying`: killed, though a thread of it may still finish a write.
 * `unknown`: it cannot be seen from here (another machine, another container), or its pid may be somebody else's.
 */
export type Liveness = 'alive' | 'dying' | 'dead' | 'unknown';

/** Who we are and who else lives. */
export interface Processes {
  self(): ProcessIdentity;
  liveness(of: ProcessIdentity): Liveness;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** State letter and start time (fields 3 and 22) of a `/proc/<pid>/stat`; the command in field 2 may hold anything, even `)`. */
function parseStat(text: string): { readonly state: string; readonly startedAt: string } | undefined {
  if (text === '') return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
}

const hasEnded = (state: string): boolean => state === 'Z' || state === 'X';

/** True when a thread of a process, whose first thread has ended, still runs (inside a write, say). */
function hasLivingThread(pid: number): boolean {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return false;
  }
  return threads.some((thread) => {
    const stat = parseStat(readText(`/proc/${pid}/task/${thread}/stat`));
    return stat !== undefined && !hasEnded(stat.state);
  });
}

/** True when a signal could reach `pid` (or only rights are lacking). */
function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

let self: ProcessIdentity | undefined;

/** This machine's processes. Without `/proc` (not Linux) a pid that answers is `unknown`: it may be a reused one. */
export const machineProcesses: Processes = {
  self() {
    self ??= {
      host: hostname(),
      pid: process.pid,
      bootId: readText('/proc/sys/kernel/random/boot_id'),
      pidNamespace: readLink('/proc/self/ns/pid'),
      startedAt: parseStat(readText('/proc/self/stat'))?.startedAt ?? '',
    };
    return self;
  },
  liveness(of) {
    const here = machineProcesses.self();
    if (of.host !== here.host || of.bootId !== here.bootId || of.pidNamespace !== here.pidNamespace) return 'unknown';
    if (of.pid === here.pid && of.startedAt === here.startedAt) return 'alive';
    if (here.startedAt === '') return answersSignals(of.pid) ? 'unknown' : 'dead';
    const stat = parseStat(readText(`/proc/${of.pid}/stat`));
    if (stat === undefined) return answersSignals(of.pid) ? 'alive' : 'dead';
    if (stat.startedAt !== of.startedAt) return 'dead';
    if (!hasEnded(stat.state)) return 'alive';
    return hasLivingThread(of.pid) ? 'dying' : 'dead';
  },
};
