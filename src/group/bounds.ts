import { TroupeError } from '../error.ts';

/** Bounds of one group (G7). Recorded when it is created, so that every replay meets the same ones. Over a bound is `LIMIT`. */
export interface Bounds {
  /** Living and settled members together. Default 100,000. */
  readonly membersMax: number;
  /** Actor-to-actor deliveries in one turn. Default 100,000. */
  readonly deliveriesPerTurnMax: number;
  /** Deliveries inside one another: each actor sends before its own turn is over. Default 500. */
  readonly deliveryDepthMax: number;
  /** Micro-steps (always, raise) of one actor in one macrostep. Default 1,000. */
  readonly microstepsMax: number;
  /** Nested groups. Default 8. */
  readonly depthMax: number;
  /** Pending timers. Default 10,000. */
  readonly timersMax: number;
  /** Incarnations of one address. Default 10,000. */
  readonly incarnationsMax: number;
  /** Bytes of the group's output as JSON: a group with more fails. Default 7 MiB, which fits into an entry; groups of older versions have no such bound. */
  readonly outputBytesMax: number;
}

/** Bounds of a group that names none. */
export const defaultBounds: Bounds = {
  membersMax: 100_000,
  deliveriesPerTurnMax: 100_000,
  deliveryDepthMax: 500,
  microstepsMax: 1_000,
  depthMax: 8,
  timersMax: 10_000,
  incarnationsMax: 10_000,
  outputBytesMax: 7 * 1024 * 1024,
};

/**
 * The bounds of `group`: those given, which are numbers that can be recorded (a replay meets `Infinity` as null), and the others' defaults.
 * Codes: BAD_INPUT.
 */
export function boundsOf(group: string, given: Partial<Bounds> = {}): Bounds {
  const bounds: Record<string, number> = { ...defaultBounds };
  for (const [name, max] of Object.entries(given)) {
    if (max === undefined) continue;
    if (!Number.isFinite(max) || max < 0) {
      throw new TroupeError(
        'BAD_INPUT',
        `group \`${group}\`: expected \`bounds.${name}\` to be a finite number >= 0, got \`${max}\`.`,
      );
    }
    bounds[name] = max;
  }
  return bounds as unknown as Bounds;
}
