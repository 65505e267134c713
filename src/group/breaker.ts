/**
 * Circuit breakers, one per harness (Nygard, "Release It!"): after `trips` failures in a row that are the harness's own
 * (not the work's), nothing new goes to it for a while; then one trial decides. A fold over the outcomes in journal order.
 */
import type { FailureClass } from '../harness/port.ts';

/** When a circuit opens. */
export interface BreakerPolicy {
  /** Failures in a row that open it. Default 5. */
  readonly trips?: number;
  /** How long it stays open the first time, ms; each time it opens again without a success in between doubles that. Default 30,000. */
  readonly openMs?: number;
  /** The longest it stays open, ms. Default 600,000. */
  readonly openMsMax?: number;
}

/** Breakers of all harnesses of a run. */
export interface Breakers {
  /** Takes an outcome; `failure` is undefined for a success. */
  note(harness: string, failure: FailureClass | undefined, at: number): void;
  /** Until when nothing goes to this harness, ms since 1970; undefined when it may be asked. */
  openUntil(harness: string, now: number): number | undefined;
}

const harnessesOwn: ReadonlySet<FailureClass> = new Set(['auth', 'crashed', 'overloaded', 'rate-limited']);

interface State {
  failures: number;
  openings: number;
  openUntil: number;
}

/** Breakers with every circuit closed. */
export function breakers({ trips = 5, openMs = 30_000, openMsMax = 600_000 }: BreakerPolicy = {}): Breakers {
  const states = new Map<string, State>();
  return {
    note(harness, failure, at) {
      if (failure === undefined) {
        states.delete(harness);
        return;
      }
      if (!harnessesOwn.has(failure)) return;
      const state = states.get(harness) ?? { failures: 0, openings: 0, openUntil: 0 };
      states.set(harness, state);
      state.failures += 1;
      if (state.failures < trips) return;
      state.openUntil = Math.max(state.openUntil, at + Math.min(openMsMax, openMs * 2 ** state.openings));
      state.openings += 1;
      // The next failure, that of a trial, opens it again.
      state.failures = trips - 1;
    },
    openUntil(harness, now) {
      const until = states.get(harness)?.openUntil ?? 0;
      return until > now ? until : undefined;
    },
  };
}
