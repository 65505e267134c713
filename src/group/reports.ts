/** What one member reports while it works, recorded now and then: the last of each interval. */
import type { Progress, Usage } from '../harness/port.ts';
import { checkedProgress } from './checked-outcome.ts';
import type { GroupContext } from './group-context.ts';

/** The reports of one member. */
export interface Reports {
  /** An attempt starts: what ends within one interval is told by its settlement alone. */
  begin(): void;
  tell(progress: Progress): void;
  /** The attempt is over; what waits is not recorded any more. Returns what it has told of its spending, recorded or not. */
  end(): Usage | undefined;
}

/** Calls `record` at most once in `progressEveryMs`, with everything told since, later over earlier. */
export function reportsOf(
  { clock, timers, progressEveryMs }: Pick<GroupContext, 'clock' | 'progressEveryMs' | 'timers'>,
  record: (progress: Progress) => void,
): Reports {
  let lastAt = 0;
  let waiting: Progress = {};
  let callOff: (() => void) | undefined;
  let usage: Usage | undefined;
  const flush = () => {
    callOff = undefined;
    lastAt = clock.now();
    const told = waiting;
    waiting = {};
    record(told);
  };
  return {
    begin() {
      lastAt = clock.now();
      usage = undefined;
    },
    tell(progress) {
      if (progress.usage !== undefined) ({ usage } = checkedProgress({ usage: progress.usage }, 0));
      waiting = { ...waiting, ...progress };
      callOff ??= timers.set(lastAt + progressEveryMs, flush);
    },
    end() {
      callOff?.();
      callOff = undefined;
      waiting = {};
      return usage;
    },
  };
}
