/** When a failed attempt is made again: exponential backoff with jitter drawn from the attempt's own key (G6, G8). */
import type { FailureClass, RetryPolicy } from '../harness/port.ts';

const retriedByDefault: readonly FailureClass[] = ['crashed', 'failed', 'overloaded', 'rate-limited', 'timeout'];

/** A number from 0 to 1 (exclusive) that depends on `key` alone: FNV-1a, finished by murmur3's mixer. */
export function drawFrom(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** How long to wait after failure number `failures` (1 for the first), ms; undefined when it is not to be tried again. */
export function retryDelayMs(
  policy: RetryPolicy | undefined,
  failures: number,
  failureClass: FailureClass,
  key: string,
): number | undefined {
  const attempts = policy?.attempts ?? 1;
  if (failures >= attempts || !(policy?.on ?? retriedByDefault).includes(failureClass)) return undefined;
  const { minMs = 1_000, factor = 2, maxMs = 60_000, jitter = 0.2 } = policy ?? {};
  const waitMs = Math.min(maxMs, minMs * factor ** (failures - 1));
  return Math.round(waitMs * (1 - jitter * drawFrom(key)));
}
