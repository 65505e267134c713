/** Ending what an attempt left running when its host died. */
import type { Clock } from '../clock.ts';
import type { Harness } from '../harness/port.ts';
import { unlessGivenUp } from './give-up.ts';

/** Resolves when nothing of the attempt runs any more; rejects when that cannot be had, or not within `giveUpMs`. */
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
  await unlessGivenUp(clock, harness.sweep(key), `harness \`${name}\` did not sweep`);
}
