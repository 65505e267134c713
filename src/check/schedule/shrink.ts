/** Making schedules smaller: events are left out together with all that they caused. */
import type { Model } from '../checkable.ts';
import { inOrder } from './schedule.ts';
import { walkerOf, type Walk } from './walker.ts';

/**
 * Every way that is left when a piece of a schedule is taken out of it, and with it what it caused: large pieces first, the last ones
 * first, for they have caused the least. Each is a way of the model.
 */
export function* smaller(model: Model<never>, events: readonly string[]): Generator<Walk> {
  const walker = walkerOf(model);
  // The beginning stays.
  for (let size = events.length - 1; size >= 1; size = Math.floor(size / 2)) {
    for (let end = events.length; end > 1; end -= size) {
      const left = [...events.slice(0, Math.max(1, end - size)), ...events.slice(end)];
      const walk = walker.walk(inOrder(left), left.length);
      if (walk.events.length < events.length) yield walk;
    }
  }
}

/** The smallest way found on which the same is wrong: nothing more can be left out of it. */
export function shrunk(model: Model<never>, walk: Walk): Walk {
  let best = walk;
  for (;;) {
    let next: Walk | undefined;
    for (const one of smaller(model, best.events)) {
      if (one.wrong?.property !== walk.wrong?.property) continue;
      next = one;
      break;
    }
    if (next === undefined) return best;
    best = next;
  }
}
