/**
 * Runs a step twice, in two worlds that differ in everything a replay may find different: the time, chance, and whether its inputs
 * can be changed in place. What comes out the same both times reads none of them (G6).
 */

const realDate = Date;
const realRandom = Math.random;
const realPerformanceNow = performance.now.bind(performance);
const realUuid = crypto.randomUUID.bind(crypto);
const realValues = crypto.getRandomValues.bind(crypto);

/** A world that a step may (wrongly) ask. */
interface World {
  /** Begins again at the same time for each step. */
  reset(): void;
  readonly Date: DateConstructor;
  readonly random: () => number;
  readonly now: () => number;
  readonly uuid: typeof crypto.randomUUID;
  readonly values: typeof crypto.getRandomValues;
}

function worldOf(start: number, chance: number, digit: number): World {
  let now = start;
  const tick = () => (now += 1);
  class OtherDate extends realDate {
    constructor(...given: [] | [number | string]) {
      if (given.length === 0) super(tick());
      else super(...(given as [number]));
    }
    static override now(): number {
      return tick();
    }
  }
  return {
    reset() {
      now = start;
    },
    Date: OtherDate as DateConstructor,
    random: () => chance,
    now: tick,
    uuid: () => `00000000-0000-4000-8000-00000000000${digit}`,
    values(array) {
      (array as unknown as Uint8Array).fill(digit + 1);
      return array;
    },
  };
}

const worlds: readonly World[] = [worldOf(1_000_000_000_000, 0.25, 0), worldOf(1_900_000_000_000, 0.75, 1)];

/** Makes `Date`, `Math.random`, `performance.now` and `crypto` those of one of two worlds while `work` runs. Not for asynchronous work. */
export function inWorld<Value>(which: 0 | 1, work: () => Value): Value {
  const world = worlds[which] as World;
  world.reset();
  globalThis.Date = world.Date;
  Math.random = world.random;
  performance.now = world.now;
  crypto.randomUUID = world.uuid;
  crypto.getRandomValues = world.values;
  try {
    return work();
  } finally {
    globalThis.Date = realDate;
    Math.random = realRandom;
    performance.now = realPerformanceNow;
    crypto.randomUUID = realUuid;
    crypto.getRandomValues = realValues;
  }
}
