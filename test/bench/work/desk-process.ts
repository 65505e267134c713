/** A process with one group, a desk whose members wait; for resuming. */
import type { Attempt, Harness, Outcome } from '../../../src/harness/port.ts';
import { defineProcess } from '../../../src/process/define-process.ts';
import { desk } from './desk.ts';

/** The process. */
export const deskProcess = defineProcess('desk', async (ctx) => {
  await ctx.group('desk', desk, { members: 8, harness: 'waiting' }).output;
  return null;
});

/** A harness whose attempts wait until they are ended, and can be taken up again. */
export function waitingHarness(begun: (attempt: Attempt) => void): Harness {
  const perform = (attempt: Attempt): Promise<Outcome> => {
    begun(attempt);
    return new Promise((resolve) => {
      attempt.signal.addEventListener('abort', () => resolve({ status: 'cancelled', reason: 'ended' }), { once: true });
    });
  };
  return { perform, reattach: perform };
}
