/** Progress on its way to the journal: at most one entry per member and interval, the newest of each field. */
import type { Progress } from '../harness/port.ts';
import { checkedProgress } from './checked-outcome.ts';
import type { GroupContext } from './group-context.ts';
import { attempted, type Living, type Push } from './living.ts';

/** The reports of one group. */
export interface ProgressReports {
  /** An attempt starts: what ends within the interval is told by its settlement alone. */
  begin(member: Living): void;
  report(member: Living, progress: Progress): void;
  /** The attempt has ended: what waits is dropped. */
  end(member: Living): void;
}

/** Makes the reports of a group. */
export function progressReports(options: {
  readonly context: GroupContext;
  readonly group: string;
  readonly push: Push;
  isLiving(member: Living): boolean;
}): ProgressReports {
  const { context, group, push, isLiving } = options;
  const { clock, timers, payloadBytesMax, progressEveryMs } = context;
  return {
    begin(member) {
      member.progress.last = clock.now();
    },
    report(member, progress) {
      if (typeof progress !== 'object' || progress === null) return;
      context.observer.progress(group, member.address, progress);
      const state = member.progress;
      if (!isLiving(member)) return;
      state.waiting = { ...state.waiting, ...progress };
      if (state.cancel !== undefined) return;
      const flush = () => {
        state.cancel = undefined;
        state.last = clock.now();
        const { waiting } = state;
        state.waiting = undefined;
        if (waiting !== undefined && isLiving(member)) {
          push('member.progress', { ...attempted(member), progress: checkedProgress(waiting, payloadBytesMax) });
        }
      };
      state.cancel = timers.set(state.last + progressEveryMs, flush);
    },
    end(member) {
      member.progress.cancel?.();
      member.progress = { last: 0, waiting: undefined, cancel: undefined };
    },
  };
}
