/**
 * Runs a step twice, in two worlds that differ in everything a replay may find different: the time, chance, and whether its inputs
 * can be changed in place. What comes out the same both times reads none of them (G6).
 */

/** A world that a step may (wrongly) ask. */
interface World {
  readonly now: number;
  readonly random: number;
}

const worlds: readonly World[] = [
  { now: 1_000_000_000_000, random: 0.25 },
  { now: 1_900_000_000_000, random: 0.75 },
];

const realDate = Date;
const realRandom = Math.random;
const realPerformanceNow = performance.now.bind(performance);
const realUuid = crypto.randomUUID.bind(crypto);
const realValues = crypto.getRandomValues.bind(crypto);

/** Makes `Date`, `Math.random`, `performance.now` and `crypto` those of one of two worlds while `work` runs. Not for asynchronous work. */
export function inWorld<Value>(which: 0 | 1, work: () => Value): Value {
  const world = worlds[which] as World;
  let { now } = world;
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
  globalThis.Date = OtherDate as DateConstructor;
  Math.random = () => world.random;
  performance.now = tick;
  crypto.randomUUID = () => `00000000-0000-4000-8000-00000000000${which}`;
  crypto.getRandomValues = (array) => {
    (array as unknown as Uint8Array).fill(which + 1);
    return array;
  };
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
