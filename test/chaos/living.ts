/** What still runs, by a look that shares nothing with the code under test. */
import { readdirSync, readFileSync } from 'node:fs';

/** A living process that an attempt started. */
export interface LivingProcess {
  readonly pid: number;
  /** Key of its attempt. */
  readonly key: string;
  /** Pid of the host that started it. */
  readonly hostPid: number;
}

/** All living processes whose attempt's key begins so. */
export function livingOf(prefix: string): readonly LivingProcess[] {
  const found: LivingProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environ = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      const variable = (wanted: string) =>
        environ.find((pair) => pair.startsWith(`${wanted}=`))?.slice(wanted.length + 1);
      const key = variable('TROUPE_ATTEMPT');
      if (key === undefined || !key.startsWith(prefix)) continue;
      const state = readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\) /s, '')[0];
      if (state !== 'Z' && state !== 'X')
        found.push({ pid: Number(name), key, hostPid: Number.parseInt(variable('TROUPE_HOST') ?? '', 10) });
    } catch {
      // Gone while it was looked at.
    }
  }
  return found;
}

/** Ends what is left of a run that failed, or of all whose id begins so, by pid. */
export function endAllOf(run: string): void {
  for (const { pid } of livingOf(run)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone.
    }
  }
}
