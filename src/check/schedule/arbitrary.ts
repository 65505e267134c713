/** Schedules as an arbitrary of fast-check. */
import type * as FastCheck from 'fast-check';
import type { Model } from '../checkable.ts';
import { scheduleOf, type Schedule } from './schedule.ts';
import { smaller } from './shrink.ts';
import { walkerOf } from './walker.ts';

/** An arbitrary of schedules; made so, for fast-check is the user's. */
export function scheduleArbitrary(
  fc: typeof FastCheck,
  model: Model<never>,
  eventsMax: number,
): FastCheck.Arbitrary<Schedule> {
  class Schedules extends fc.Arbitrary<Schedule> {
    override generate(random: FastCheck.Random): FastCheck.Value<Schedule> {
      const { events } = walkerOf(model).walk(
        (enabled) => (enabled.length === 0 ? undefined : enabled[random.nextInt(0, enabled.length - 1)]),
        eventsMax,
        false,
      );
      return new fc.Value(scheduleOf(model, events), undefined);
    }

    override canShrinkWithoutContext(value: unknown): value is Schedule {
      return typeof value === 'object' && value !== null && 'events' in value && 'token' in value;
    }

    override shrink({ events }: Schedule): FastCheck.Stream<FastCheck.Value<Schedule>> {
      const all = smaller(model, events);
      return fc.stream(
        (function* () {
          for (const walk of all) yield new fc.Value(scheduleOf(model, walk.events), undefined);
        })(),
      );
    }
  }
  return new Schedules();
}
