import { TroupeError, type Code } from '../error.ts';
import type { Bounds } from './bounds.ts';

/**
 * What ends a turn, and the whole group with it: a bound (G7), or something that no replay could repeat. XState catches what is
 * thrown inside its transitions, so whoever comes out of one asks {@link Limits.assertUnbroken}.
 */
export class Limits {
  /** The first thing that went over; undefined while all is well. */
  broken: TroupeError | undefined;
  private readonly bounds: Bounds;

  constructor(bounds: Bounds) {
    this.bounds = bounds;
  }

  /** Breaks with LIMIT when `value` is over the bound. */
  within(bound: keyof Bounds, value: number, what: string): void {
    const most = this.bounds[bound];
    if (value > most) this.break('LIMIT', `${what}: ${value} is over the bound \`${bound}\` of ${most}`, { bound });
  }

  break(code: Code, message: string, details: Record<string, unknown> = {}): never {
    this.broken ??= new TroupeError(code, message, details);
    throw this.broken;
  }

  assertUnbroken(): void {
    if (this.broken !== undefined) throw this.broken;
  }
}
