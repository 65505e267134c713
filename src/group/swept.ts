/** Ending what an attempt left running when its host died. */
import type { Clock } from '../clock.ts';
import type { Harness } from '../harness/port.ts';
import { giveUpMs } from './dispatcher.ts';

/** Resolves when nothing of the attempt runs any more; rejects when that cannot be had, or not within {@link giveUpMs}. */
export async function swept({
  name,
  harness,
  key,
  clock,
}: {
  readonly name: string;
  readonly harness: Harness | undefined;
  readonly key: string;
  readonly clock: Clock;
}): Promise<void> {
  if (harness?.sweep === undefined) return;
  let callOff: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    callOff = clock.wakeAt(clock.now() + giveUpMs, () =>
      reject(new Error(`harness \`${name}\` did not sweep within ${giveUpMs} ms`)),
    );
  });
  try {
    await Promise.race([harness.sweep(key), late]);
  } finally {
    callOff?.();
  }
}
