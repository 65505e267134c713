/** A process: an author's async function that composes groups and tasks. */
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { Context } from './context.ts';

const mark = Symbol.for('troupe.process');

/** A named process. The function may run again from the top at any time and finds every recorded result. */
export interface Process<Input = never, Output = unknown> {
  /** Identity of the process in journals: a run is resumed only by a process of the same name. */
  readonly name: string;
  readonly run: (ctx: Context, input: Input) => Output | Promise<Output>;
}

/**
 * Names a process function. Input and output are plain JSON. Inside, take time from `ctx.now()` and do work
 * through groups and tasks: whatever else it reads must be the same in each iteration.
 * Codes: BAD_INPUT (empty name, no function).
 */
export function defineProcess<Input = JsonValue, Output = unknown>(
  name: string,
  run: (ctx: Context, input: Input) => Output | Promise<Output>,
): Process<Input, Output> {
  if (typeof name !== 'string' || name === '' || typeof run !== 'function') {
    throw new TroupeError(
      'BAD_INPUT',
      'expected defineProcess(name, async (ctx, input) => output) with a non-empty name.',
    );
  }
  return Object.freeze({ name, run, [mark]: true });
}

/** True for what {@link defineProcess} returns, by whichever copy of the library. */
export function isProcess(value: unknown): value is Process {
  return typeof value === 'object' && value !== null && mark in value;
}
