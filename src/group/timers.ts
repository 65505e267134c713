/**
 * Durable timers' alarm clock. What is due stands in the folded system; this only knows when to wake, so it can
 * be thrown away and set again from the fold at any time. Overdue timers fire at once, in due order.
 */
import type { Clock } from '../clock.ts';
import { dueHeap, type Due } from './due-heap.ts';

/** The alarm clock of one host. */
export interface Timers {
  /** Calls back once at `dueAt` (ms since 1970) or later; returns how to call it off. */
  set(dueAt: number, fire: () => void): () => void;
  /** When the next timer is due; undefined when none waits. */
  nextDueAt(): number | undefined;
  /** Calls everything off, for good. */
  close(): void;
}

/** Makes an alarm clock on `clock`; it holds one wake-up at a time. */
export function timersOn(clock: Clock): Timers {
  const heap = dueHeap();
  let order = 0;
  let closed = false;
  let wake: { readonly atMs: number; readonly cancel: () => void } | undefined;

  const arm = () => {
    const next = heap.peek();
    if (closed || next === undefined || (wake !== undefined && wake.atMs <= next.dueAt)) return;
    wake?.cancel();
    wake = { atMs: next.dueAt, cancel: clock.wakeAt(next.dueAt, ring, { isMoment: true }) };
  };
  const ring = () => {
    wake = undefined;
    const now = clock.now();
    for (let next = heap.peek(); !closed && next !== undefined && next.dueAt <= now; next = heap.peek()) {
      heap.pop();
      next.fire();
    }
    arm();
  };
  return {
    set(dueAt, fire) {
      order += 1;
      const due: Due = { dueAt, order, isCancelled: false, fire };
      heap.push(due);
      arm();
      return () => heap.cancel(due);
    },
    nextDueAt: () => heap.peek()?.dueAt,
    close() {
      closed = true;
      wake?.cancel();
    },
  };
}
