import type { Clock } from '../../../clock.ts';

/** How fast somebody may go: so many in any stretch of time, refilled evenly (a token bucket). */
export interface Pace {
  /** Counts `number` and tells how long to wait before trying again, ms; 0 when it may go on. What is refused is not counted. */
  refuse(number: number): number;
}

/** At most `perMinuteMax` at once, and as many in a minute. */
export function paceOf(perMinuteMax: number, clock: Pick<Clock, 'now'>): Pace {
  let left = perMinuteMax;
  let at = clock.now();
  return {
    refuse(number) {
      const now = clock.now();
      left = Math.min(perMinuteMax, left + (Math.max(0, now - at) * perMinuteMax) / 60_000);
      at = now;
      if (number <= left) {
        left -= number;
        return 0;
      }
      return Math.ceil(((number - left) * 60_000) / perMinuteMax);
    },
  };
}
