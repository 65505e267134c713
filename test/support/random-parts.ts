/** What a random play is made of: groups, their members, and what each does. */
import type { Invocation, JsonValue } from 'troupe';
import type { Random } from '../../src/check/simulation/random.ts';

/** What a member does: its `input`. */
export interface Part {
  readonly does: 'die' | 'fail' | 'late' | 'ok' | 'stall';
  readonly ms: number;
  /** Recipients of what it says, in order. */
  readonly says: readonly string[];
  /** How long it listens after that, ms. */
  readonly listensMs: number;
}

/** Whom a play may be about; not all of them live. */
export const names = ['a', 'b', 'c', 'd', 'e'];

function partOf(random: Random, isTalkative: boolean): Part {
  const does = random.pick<Part['does']>(['ok', 'ok', 'ok', 'fail', 'die', 'late', 'stall']);
  const says = Array.from({ length: isTalkative ? random.below(4) : 0 }, () =>
    random.pick([...names, 'coordinator', 'coordinator', '*']),
  );
  return { does, ms: random.below(60), says, listensMs: random.below(3) * 20 };
}

/** What a member is asked to do. */
export function invocationOf(random: Random): Invocation {
  const part = partOf(random, random.below(3) > 0);
  const retry = random.below(3) === 0 ? { retry: { attempts: 1 + random.below(3), minMs: 5, jitter: 0 } } : {};
  // Most of those that stall are given up; the others wait for ever.
  const timeout = part.does === 'stall' && random.below(4) > 0 ? { timeoutMs: 40 } : {};
  const restart = random.below(5) === 0 ? { restartable: false } : {};
  const aside = random.below(6) === 0 ? { background: true } : {};
  return { harness: 'part', input: part as unknown as JsonValue, ...retry, ...timeout, ...restart, ...aside };
}

/** The groups of a play. */
export const groupsOf = (random: Random) =>
  Array.from({ length: 1 + random.below(2) }, (_, index) => ({
    name: `g${index}`,
    concurrency: 1 + random.below(4),
    input: {
      members: names.slice(0, 1 + random.below(4)).map((id) => ({ id, ...invocationOf(random) })),
      asks: random.below(3) === 0,
    },
  }));
