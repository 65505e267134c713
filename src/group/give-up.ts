/** How long a harness is waited for that was told to end something. */
import type { Clock } from '../clock.ts';

/** A harness that has not ended an attempt, swept or closed this long after it was told to is given up, ms. */
export const giveUpMs = 30_000;

/** What `work` comes to; rejects, saying `what`, when that takes longer than {@link giveUpMs}. */
export async function unlessGivenUp<T>(clock: Clock, work: Promise<T>, what: string): Promise<T> {
  let callOff: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    callOff = clock.wakeAt(clock.now() + giveUpMs, () => reject(new Error(`${what} within ${giveUpMs} ms`)));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    callOff?.();
  }
}
