/** Where time comes from. Only the clock and the adapters may ask the machine for it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /**
   * Calls back once, at `atMs` or later (at once when it is past); returns how to call it off. With `isMoment` what counts is the time of
   * day: who was asleep with the machine, or whose clock was put forward, is woken within half a minute of that. Without it what counts
   * is the time from now to then: a machine's sleep is no part of an attempt's time limit.
   */
  wakeAt(atMs: number, callback: () => void, options?: { readonly isMoment?: boolean }): () => void;
}

/** setTimeout cannot wait longer than this; longer waits are made of several. */
const waitMsMax = 2 ** 31 - 1;
/** setTimeout counts no time in which the machine sleeps: who waits for a moment looks at the clock so often, ms. */
const lookEveryMs = 30_000;

/** The machine's own clock. A wake-up that waits keeps the process alive until it is called off: a host closes its timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wakeAt(atMs, callback, { isMoment = false } = {}) {
    const atOnceMs = isMoment ? lookEveryMs : waitMsMax;
    let timer: NodeJS.Timeout;
    const arm = () => {
      const waitMs = atMs - Date.now();
      timer = waitMs > atOnceMs ? setTimeout(arm, atOnceMs) : setTimeout(callback, Math.max(0, waitMs));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** A moment given as ms since 1970, Date or ISO text, in ms since 1970; NaN when it is none of these. */
export function momentMs(moment: Date | number | string): number {
  if (typeof moment === 'number') return moment;
  if (typeof moment === 'string') return Date.parse(moment);
  return (moment as unknown) instanceof Date ? moment.getTime() : Number.NaN;
}

/** As far as a Date goes, ms from 1970 either way. What is further away, such as `Number.MAX_SAFE_INTEGER` for never, is told as that. */
const dateMsMax = 8.64e15;

/** The time of day of a moment (ms since 1970), as people read it: `12:00:05 UTC`. */
export function timeOfDay(atMs: number): string {
  return `${isoText(atMs).slice(-13, -5)} UTC`;
}

/** A moment (ms since 1970) as ISO text: `2026-11-22T12:00:05.000Z`. */
export function isoText(atMs: number): string {
  return new Date(Math.min(dateMsMax, Math.max(-dateMsMax, atMs))).toISOString();
}
