/** Waiting no longer than is worth it, by a clock. */
import type { Clock } from '../../../clock.ts';

/** Resolves to what `promise` does, or to undefined when `waitMs` have passed first. */
export async function within<T>(clock: Clock, waitMs: number, promise: Promise<T>): Promise<T | undefined> {
  let callOff = () => {};
  const waited = new Promise<undefined>((resolve) => {
    callOff = clock.wakeAt(clock.now() + waitMs, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, waited]);
  } finally {
    callOff();
  }
}

/** Resolves after `waitMs`, or when `early` does. */
export async function pause(clock: Clock, waitMs: number, early: Promise<unknown>): Promise<void> {
  if (waitMs > 0) await within(clock, waitMs, early);
}

/** Resolves to undefined when the signal is aborted; without one, never. */
export function aborted(signal: AbortSignal | undefined): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve(undefined);
    else signal?.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
