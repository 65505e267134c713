/**
 * A counterexample as a run: what a host would have written, had the world behaved like that. `troupe verify`, `troupe log`, the
 * visualizer and the host itself take it for any other run. What no journal holds stands in it as entries of the check kit's own,
 * which every fold skips:
 *
 *     check.fault       { fault, text, member? }              what went wrong in the world here
 *     check.properties  { states: [{ property, kind, state }] }  what properties come to from here on; those that change, at first all
 *     check.loop        { property, steps }                   from here on the so many last steps repeat for ever
 *     check.violated    { property, kind, message }           the end: what does not hold from here on
 */
import type { JournalStore } from '../journal/port.ts';
import { propertyChanges } from './property-lane.ts';
import type { Protocol } from './protocol.ts';
import type { Violation } from './result.ts';
import { RunWriter } from './run-writer.ts';

/** Where to write it. */
export interface CounterexampleOptions {
  readonly store: JournalStore;
  /** Id of the new run. */
  readonly run: string;
  /** The file whose default export is the protocol, as `troupe verify` is to find it. */
  readonly file?: string;
}

/** What was written. */
export interface Counterexample {
  readonly run: string;
  readonly entries: number;
}

/**
 * Writes a violation's trace as a run. Codes: RUN_EXISTS, and what the store throws; NONDETERMINISM where the machine does not do
 * again what it did in the check.
 */
export async function writeCounterexample<Context, Output>(
  protocol: Protocol<Context, Output>,
  violation: Violation,
  { store, run, file }: CounterexampleOptions,
): Promise<Counterexample> {
  const { property, kind, message, trace = { steps: [] } } = violation;
  const { steps, loopsFrom } = trace;
  const changes = propertyChanges(protocol, violation, stepChecks(protocol as unknown as Protocol));
  const writer = new RunWriter(protocol as unknown as Protocol, store, run);
  await writer.open(file);
  try {
    for (const [index, step] of steps.entries()) {
      if (index === loopsFrom) await writer.write('check.loop', { property, steps: steps.length - index });
      await writer.take(step);
      const states = changes[index] ?? [];
      if (states.length > 0) await writer.write('check.properties', { states: states.map((one) => ({ ...one })) });
    }
    await writer.write('check.violated', { property, kind, message });
    return { run, entries: writer.entries };
  } finally {
    await writer.close();
  }
}

/** The checks that look at each step by itself, and are on. */
function stepChecks({ options: { checks = {}, executionsAtMost } }: Protocol): readonly string[] {
  return [
    'settledAtMostOnce',
    ...((checks.noUnhandled ?? true) ? ['noUnhandled'] : []),
    ...((checks.noStaleTimer ?? true) ? ['noStaleTimer'] : []),
    ...((checks.replayDeterminism ?? true) ? ['replayDeterminism'] : []),
    ...(executionsAtMost === undefined ? [] : ['executionsAtMost']),
  ];
}
