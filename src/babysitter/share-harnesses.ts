/** Harnesses that several hosts of one OS process use: their bounds hold for all together, and they are closed once, at the end. */
import type { Attempt, Harness, Harnesses, Outcome } from '../harness/port.ts';
import { cancelledBy } from '../harness/outcome.ts';

/** Shared harnesses, and how to close them. */
export interface SharedHarnesses {
  readonly harnesses: Harnesses;
  close(): Promise<void>;
}

/** The same harnesses for many hosts. `concurrency` is kept over all of them; `ratePerMinute` by each host. */
export function shareHarnesses(own: Harnesses): SharedHarnesses {
  return {
    harnesses: Object.fromEntries(Object.entries(own).map(([name, harness]) => [name, shared(harness)])),
    async close() {
      await Promise.allSettled(Object.values(own).map(async (harness) => harness.close?.()));
    },
  };
}

function shared(harness: Harness): Harness {
  const { concurrency = Number.POSITIVE_INFINITY } = harness;
  let running = 0;
  const queue: (() => void)[] = [];
  const permit = async (signal: AbortSignal): Promise<boolean> => {
    if (running < concurrency) {
      running += 1;
      return true;
    }
    return await new Promise<boolean>((resolve) => {
      const onAbort = () => {
        queue.splice(queue.indexOf(take), 1);
        resolve(false);
      };
      const take = () => {
        signal.removeEventListener('abort', onAbort);
        resolve(true);
      };
      queue.push(take);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  };
  const giveBack = () => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  const perform = async (attempt: Attempt): Promise<Outcome> => {
    if (attempt.signal.aborted || !(await permit(attempt.signal))) return cancelledBy(attempt.signal);
    try {
      return await harness.perform(attempt);
    } finally {
      giveBack();
    }
  };
  // Not a copy: what is a class of the author's keeps its methods.
  return Object.assign(Object.create(harness) as Harness, { perform, close: undefined });
}
