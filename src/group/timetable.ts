import type { Key, Live, Timer } from './cell.ts';
import { idOf, where } from './describe.ts';
import type { Limits } from './limits.ts';
import type { Outbox } from './outbox.ts';
import { afterFiring, cancelled, noTimers, pending, without, withTimer } from './schedule.ts';
import type { Heard } from './snapshot.ts';
import type { System } from './system.ts';

/** The timers of all actors while a turn runs. Time is the entry's, never a clock's. */
export class Timetable {
  /** Pending timers. */
  count: number;
  /** Timers ever set. */
  scheduledCount: number;
  private readonly at: number;
  private readonly limits: Limits;
  private readonly outbox: Outbox;

  constructor(system: System, at: number, limits: Limits, outbox: Outbox) {
    this.count = system.timerCount;
    this.scheduledCount = system.scheduledCount;
    this.at = at;
    this.limits = limits;
    this.outbox = outbox;
  }

  /** Sets a timer of `live` that will send `event` to `to`. */
  set(live: Live, to: Key | undefined, event: Heard, delay: number, id: unknown): void {
    if (typeof id !== 'string' || id === '') {
      const remedy = 'Give it one, `{ delay, id }`, so that its timer is the same one after a restart.';
      return this.limits.break(
        'MACHINE_UNSUPPORTED',
        `${where(live)}: a delayed \`${event.type}\` has no id. ${remedy}`,
      );
    }
    const dueAt = this.at + Math.max(0, delay);
    if (!Number.isFinite(dueAt)) {
      throw new RangeError(
        `${where(live)}: the delay of \`${id}\` is ${delay}: expected a finite number of milliseconds`,
      );
    }
    this.scheduledCount += 1;
    this.count += 1;
    this.limits.within('timersMax', this.count, 'pending timers');
    const { timers, name } = withTimer(live.timers, { id, dueAt, order: this.scheduledCount, to, event });
    live.timers = timers;
    this.outbox.ask({ type: 'setTimer', ...idOf(live), timer: name, dueAt });
  }

  /** Takes a timer that fires; undefined when it is not pending any more. */
  fire(live: Live, name: string, dueAt: number): Timer | undefined {
    const timer = pending(live.timers, name, dueAt);
    if (timer === undefined) return undefined;
    live.timers = afterFiring(live.timers, timer);
    this.count -= 1;
    return timer;
  }

  cancel(live: Live, id: string): void {
    const timer = cancelled(live.timers, id);
    if (timer === undefined) return;
    live.timers = without(live.timers, timer);
    this.clear(live, timer);
  }

  /** The actor has stopped. */
  clearAll(live: Live): void {
    for (const timer of live.timers) this.clear(live, timer);
    live.timers = noTimers;
  }

  private clear(live: Live, timer: Timer): void {
    this.count -= 1;
    this.outbox.ask({ type: 'clearTimer', ...idOf(live), timer: timer.name });
  }
}
