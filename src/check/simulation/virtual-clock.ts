/** A clock that stands still while anything happens, and then jumps to what is due next: runs take no time and are the same each time. */
import type { Clock } from '../../clock.ts';

/** A clock moved by hand. */
export interface VirtualClock extends Clock {
  /** Moves to the next wake-up and calls it; false when none waits. */
  jump(): boolean;
  /** True while a wake-up waits that was set more than `ms` ahead. */
  waitsLong(ms: number): boolean;
  /** Sets the time `ms` on, or back, without calling anybody: somebody has set the machine's clock. */
  shift(ms: number): void;
}

/** Begins at `now`, ms since 1970. */
export function virtualClock(now = 1_700_000_000_000): VirtualClock {
  let wakeUps: { readonly atMs: number; readonly setMs: number; readonly callback: () => void }[] = [];
  return {
    now: () => now,
    wakeAt(atMs, callback) {
      const wakeUp = { atMs, setMs: now, callback };
      wakeUps.push(wakeUp);
      return () => {
        wakeUps = wakeUps.filter((other) => other !== wakeUp);
      };
    },
    jump() {
      const next = wakeUps.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) return false;
      wakeUps = wakeUps.filter((other) => other !== next);
      now = Math.max(now, next.atMs);
      next.callback();
      return true;
    },
    waitsLong: (ms) => wakeUps.some(({ atMs, setMs }) => atMs - setMs > ms),
    shift(ms) {
      now += ms;
    },
  };
}
