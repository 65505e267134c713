/** A clock that moves only when it is told to. */
import type { Clock } from 'troupe';

export interface HandClock extends Clock {
  /** Moves on by `ms`, calling back what comes due on the way, in due order, each at its own time. */
  advance(ms: number): void;
  /** Moves to the next moment that somebody waits for; false when nobody does. */
  advanceToNext(): boolean;
  /** Sets another time without calling anybody back: a machine whose clock was set while the host was away. */
  setNow(atMs: number): void;
  /** Callbacks that wait. */
  readonly waiting: number;
}

interface Wake {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Starts at `startMs`, ms since 1970. */
export function handClock(startMs = 1_000_000): HandClock {
  let now = startMs;
  const wakes = new Set<Wake>();
  const next = () => {
    let first: Wake | undefined;
    for (const wake of wakes) if (first === undefined || wake.atMs < first.atMs) first = wake;
    return first;
  };
  const fire = (wake: Wake) => {
    wakes.delete(wake);
    now = Math.max(now, wake.atMs);
    wake.callback();
  };
  return {
    now: () => now,
    wakeAt(atMs, callback) {
      const wake = { atMs, callback };
      wakes.add(wake);
      if (atMs <= now) setImmediate(() => wakes.has(wake) && fire(wake));
      return () => void wakes.delete(wake);
    },
    advance(ms) {
      const until = now + ms;
      for (let wake = next(); wake !== undefined && wake.atMs <= until; wake = next()) fire(wake);
      now = until;
    },
    advanceToNext() {
      const wake = next();
      if (wake === undefined) return false;
      fire(wake);
      return true;
    },
    setNow(atMs) {
      now = atMs;
    },
    get waiting() {
      return wakes.size;
    },
  };
}

/** Resolves when everything that could happen without the clock has happened: in memory, all of it within some turns of the event loop. */
export async function settle(turns = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** Awaits `promise` and moves the clock whenever nothing else happens. Throws when nothing can happen any more. */
export async function passing<Value>(clock: HandClock, promise: Promise<Value>): Promise<Value> {
  let isOver = false;
  const over = promise.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  for (let idle = 0; !isOver;) {
    await settle();
    if (isOver) break;
    idle = clock.advanceToNext() ? 0 : idle + 1;
    if (idle > 20) throw new Error('stuck: nobody waits for the clock, and nothing happens');
  }
  return await over;
}
