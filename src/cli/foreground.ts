/**
 * Whether the terminal is ours: a shell's background job that reads it, or sets it up, is stopped by the system, and what it paints there
 * is painted over what somebody types.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What was found holds for so long, ms: it is asked for at every entry, and `ps` takes its time. */
const holdsMs = process.platform === 'linux' ? 50 : 1_000;

let found = true;
let foundAt = Number.NEGATIVE_INFINITY;

/** True when this process's group has the terminal, or there is none, or that cannot be found out. */
export function isForeground(): boolean {
  if (performance.now() - foundAt > holdsMs) {
    found = look();
    foundAt = performance.now();
  }
  return found;
}

/** How often a background job looks whether it has the terminal by now, ms. */
const lookEveryMs = 300;

/** Calls back once, as soon as `isInFront`, which is not now; returns how to call it off. */
export function onceInFront(isInFront: () => boolean, callback: () => void): () => void {
  const timer = setInterval(() => {
    if (!isInFront()) return;
    clearInterval(timer);
    callback();
  }, lookEveryMs);
  return () => clearInterval(timer);
}

function look(): boolean {
  try {
    const [group, owner] = process.platform === 'linux' ? groupsByProc() : groupsByPs();
    // Without a terminal of its own nobody is stopped.
    return group === owner || owner === undefined || owner <= 0;
  } catch {
    return true;
  }
}

/** Our process group, and the terminal's foreground one. */
function groupsByProc(): readonly (number | undefined)[] {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // pid (name) state ppid pgrp session tty tpgid …: a name can hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [fields[2], fields[5]].map(Number);
}

function groupsByPs(): readonly (number | undefined)[] {
  const text = execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'utf8' });
  return text.trim().split(/\s+/).map(Number);
}
