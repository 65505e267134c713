/**
 * Calls of the system that are served from memory, as most are that look at folders and small files: one takes some microseconds, and by
 * way of the thread pool some hundreds. Taking a run is thirty of them, one after the other. So they block, as long as
 *
 *  - recent ones were quick (on a network's file system they are not: there the pool is asked, and blocking is tried again later), and
 *  - this turn of the event loop has not been going on for long: other events are served in between.
 */
import { afterTurn, monotonicMs } from './time.ts';

/** Blocking calls that take longer on the average go through the pool. */
const quickMsMax = 1;
/** Weight of the newest call in the average. */
const newestWeight = 0.1;
/** What a call through the pool takes off the average: after some tens of them blocking is tried again. */
const forgotten = 0.02;
/** How long a turn may be going on when a call blocks. */
const turnMsMax = 5;

let recentMs = 0;
let turnMs: number | undefined;

/** True when a call may block now. */
function mayBlock(nowMs: number): boolean {
  if (turnMs === undefined) {
    turnMs = nowMs;
    afterTurn(() => (turnMs = undefined));
  }
  return recentMs < quickMsMax && nowMs - turnMs < turnMsMax;
}

/** Asks `blocking` where that is likely to be quick, `pooled` otherwise. Both do the same, and fail with the same errors. */
export function quickly<Result>(blocking: () => Result, pooled: () => Promise<Result>): Promise<Result> {
  const startedMs = monotonicMs();
  if (!mayBlock(startedMs)) {
    recentMs *= 1 - forgotten;
    return pooled();
  }
  try {
    return Promise.resolve(blocking());
  } catch (error) {
    // The system's own error, as from the pool.
    return Promise.reject(error as Error);
  } finally {
    // Capped, so that one slow call among quick ones changes nothing.
    recentMs += (Math.min(monotonicMs() - startedMs, 4 * quickMsMax) - recentMs) * newestWeight;
  }
}
