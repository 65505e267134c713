/**
 * Circuit breakers, one per harness (Nygard, "Release It!"): after `trips` failures in a row that are the harness's own
 * (not the work's), nothing new goes to it for a while; then it may be asked again, and the next outcome decides: a success
 * closes the circuit, a failure opens it for twice as long. A fold over the outcomes in journal order.
 */
import type { FailureClass } from '../harness/port.ts';
import type { Entry } from '../journal/port.ts';
import { interruptedCode } from './interruption.ts';
import type { GroupEvents } from './entries.ts';

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
      // What was under way when it opened says nothing new.
      if (at < state.openUntil) return;
      state.failures += 1;
      if (state.failures < trips) return;
      state.openUntil = at + Math.min(openMsMax, openMs * 2 ** state.openings);
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

/** What was learned, whatever the policy: what is under way, and each harness's failures since its last success, oldest first. */
export interface Learned {
  readonly underWay: readonly (readonly [attempt: string, harness: string])[];
  readonly failures: readonly (readonly [harness: string, failure: FailureClass, at: number])[];
}

/** Breakers' way to learn. */
export interface Learning {
  /** Takes an entry, a recorded one or a new one, in journal order. */
  take(entry: Entry): void;
  /** Takes what an earlier host had learned. */
  restore(learned: Learned): void;
  /** What is learned so far; undefined when that is too much to keep. */
  learned(): Learned | undefined;
}

/** More failures in a row, of all harnesses together, are learned from the journal only. */
const failuresMax = 1_000;

/**
 * Lets breakers learn from a run's entries. An attempt that its host took down with it says nothing about its harness.
 * `isCounted`: false for harnesses that have no circuit.
 */
export function learning(circuits: Breakers, isCounted: (harness: string) => boolean): Learning {
  /** Harness of the attempt under way, by stream and member. */
  const harnesses = new Map<string, string>();
  let failures: Learned['failures'][number][] = [];
  let isForgetful = false;

  const note = (harness: string, failure: FailureClass | undefined, at: number) => {
    if (failure === undefined) {
      if (failures.length > 0) failures = failures.filter(([name]) => name !== harness);
    } else if (harnessesOwn.has(failure)) {
      isForgetful ||= failures.length >= failuresMax;
      if (!isForgetful) failures.push([harness, failure, at]);
    }
    if (isCounted(harness)) circuits.note(harness, failure, at);
  };
  const take = (entry: Entry) => {
    const { type } = entry;
    if (type !== 'attempt.started' && type !== 'attempt.failed' && type !== 'member.settled') return;
    const { stream, data, at } = entry;
    const { member, incarnation } = data as unknown as GroupEvents['attempt.started'];
    const key = `${stream}\n${member}#${incarnation}`;
    if (type === 'attempt.started') {
      harnesses.set(key, (data as unknown as GroupEvents['attempt.started']).harness);
      return;
    }
    const harness = harnesses.get(key);
    harnesses.delete(key);
    if (harness === undefined) return;
    const {
      outcome,
      class: failed,
      error,
    } = data as unknown as Partial<GroupEvents['member.settled'] & GroupEvents['attempt.failed']>;
    if (outcome?.status === 'ok') note(harness, undefined, at);
    else if ((outcome?.error ?? error)?.code !== interruptedCode) note(harness, outcome?.class ?? failed, at);
  };
  return {
    take,
    restore({ underWay, failures: noted }) {
      for (const [attempt, harness] of underWay) harnesses.set(attempt, harness);
      for (const [harness, failure, at] of noted) note(harness, failure, at);
    },
    learned: () => (isForgetful ? undefined : { underWay: [...harnesses], failures }),
  };
}
