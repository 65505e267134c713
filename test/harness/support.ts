/** Attempts made by hand, and a look at what really runs that shares nothing with the code under test. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Attempt, Invocation, Outcome, Progress } from '../../src/harness/index.ts';
import { noMailbox, nothingAsked } from '../support/no-mailbox.ts';

/** No two tests of any two processes share it. */
export const runId = `test-${process.pid}-${process.hrtime.bigint()}`;

let keys = 0;

export interface TestAttempt extends Attempt {
  readonly reports: readonly Progress[];
  readonly lines: readonly (string | undefined)[];
  abort(reason?: unknown): void;
}

/** An attempt with a key of its own. */
export function attemptAt(invocation: Invocation, given: Partial<Attempt> = {}): TestAttempt {
  const controller = new AbortController();
  const reports: Progress[] = [];
  keys += 1;
  const { run = runId, group = 'group', member = `member-${keys}`, attempt = 1 } = given;
  return {
    run,
    group,
    member,
    attempt,
    key: `${run}/${group}/${member}#1/${attempt}`,
    invocation,
    signal: controller.signal,
    outputFile: undefined,
    progress: (progress) => void reports.push(progress),
    mailbox: noMailbox,
    ...nothingAsked,
    reports,
    get lines() {
      return reports.map(({ line }) => line);
    },
    abort: (reason) => controller.abort(reason),
    ...given,
  };
}

/** Attempt for one node script. */
export function nodeAt(script: string, invocation: Invocation = {}, given: Partial<Attempt> = {}): TestAttempt {
  return attemptAt({ command: [process.execPath, '-e', script], ...invocation }, given);
}

/** Attempt for one line of sh. */
export function shAt(script: string, invocation: Invocation = {}, given: Partial<Attempt> = {}): TestAttempt {
  return attemptAt({ command: ['sh', '-c', script], ...invocation }, given);
}

/** Pids of living processes that carry a mark whose key begins so. Default: any of this test file. */
export function marked(prefix: string = runId): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const state = readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\) /s, '')[0];
        const environ = readFileSync(`/proc/${name}/environ`, 'utf8');
        return state !== 'Z' && `\0${environ}`.includes(`\0TROUPE_ATTEMPT=${prefix}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Fails when a process of this test file still runs, and ends it so that the next test begins with none. */
export function nothingIsLeft(): void {
  const left = marked();
  for (const pid of left) process.kill(pid, 'SIGKILL');
  expect(left).toEqual([]);
}

/** True while a process of this pid runs. */
export function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '')[0] !== 'Z';
  } catch {
    return false;
  }
}

/** Looks every 2 ms; resolves when the condition holds. The test's own timeout is the bound. */
export async function until(holds: () => unknown): Promise<void> {
  while (!holds()) await delay(2);
}

/** A folder that is gone at the end. */
export function temporaryFolder(): { readonly path: string; at(name: string): string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'troupe-harness-'));
  return { path, at: (name) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The output of an outcome that is ok. */
export function outputOf(outcome: Outcome): Record<string, unknown> {
  if (outcome.status !== 'ok') throw new Error(`expected ok, got ${JSON.stringify(outcome)}`);
  return outcome.output as Record<string, unknown>;
}

/** Error and class of an outcome that is an error. */
export function errorOf(outcome: Outcome): { class: string; code: string | undefined; message: string } {
  if (outcome.status !== 'error') throw new Error(`expected error, got ${JSON.stringify(outcome)}`);
  return { class: outcome.class, code: outcome.error.code, message: outcome.error.message };
}

/** Peak resident memory of this process so far, bytes. */
export function residentBytesPeak(): number {
  return process.resourceUsage().maxRSS * 1_024;
}
