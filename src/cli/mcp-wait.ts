/** Waiting for a run: looked at when its log has grown, until something is there that was waited for. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunView } from '../process/run-view.ts';
import { knownGroupOf, openGatesOf } from '../process/unattended.ts';
import type { DataFolder } from './data-folder.ts';
import { holderOf } from './holder.ts';
import { knownRun } from './known-run.ts';
import { logSize } from './log-size.ts';

/** What a wait came to. `undriven`: nobody drives the run, so nothing will change until somebody does. */
export type Reached = 'checkpoint' | 'ended' | 'gate' | 'time' | 'undriven';

/** What is waited for. */
export interface WaitOptions {
  /** The end of this group instead of the run's. */
  readonly group?: string | undefined;
  /** `attention`: the end, or an open gate. `checkpoint`: these, or a mark from now on. `end`: only that. */
  readonly until: 'attention' | 'checkpoint' | 'end';
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

const lookEveryMs = 100;
/** A host that is about to take the run over holds no lease for a moment. */
const undrivenLooks = 5;

/** Waits. Codes: RUN_UNKNOWN, UNKNOWN_GROUP, JOURNAL_CORRUPT, JOURNAL_IO. */
export async function waitForRun(
  data: DataFolder,
  run: string,
  { group, until, waitMs, signal }: WaitOptions,
): Promise<{ readonly reached: Reached; readonly view: RunView }> {
  const deadline = performance.now() + waitMs;
  let size = await logSize(data.run(run));
  let { view } = await knownRun(data.store, run);
  const marksBefore = marksIn(view, group);
  let alone = 0;
  for (;;) {
    if (isEnded(view, group)) return { reached: 'ended', view };
    const gates = until === 'end' ? [] : openGatesOf(view);
    if (gates.some((gate) => group === undefined || gate.group === group)) return { reached: 'gate', view };
    if (until === 'checkpoint' && marksIn(view, group) > marksBefore) return { reached: 'checkpoint', view };
    alone = (await holderOf(data, run)) === undefined ? alone + 1 : 0;
    if (alone >= undrivenLooks) return { reached: 'undriven', view };
    const leftMs = deadline - performance.now();
    if (leftMs <= 0 || signal.aborted) return { reached: 'time', view };
    await delay(Math.min(lookEveryMs, leftMs), undefined, { signal }).catch(() => {});
    const now = await logSize(data.run(run));
    if (now === size) continue;
    size = now;
    ({ view } = await knownRun(data.store, run));
  }
}

function isEnded(view: RunView, group: string | undefined): boolean {
  if (view.end !== undefined) return true;
  return group !== undefined && knownGroupOf(view, group).status !== 'active';
}

function marksIn(view: RunView, group: string | undefined): number {
  let marks = 0;
  for (const ledger of view.groups.values())
    if (group === undefined || ledger.name === group) marks += ledger.checkpoints.length;
  return marks;
}
