/** An outside orchestrator of a test: passes over one run in memory. */
import { iterate, type Iteration, type Outcome, type Process, type RunOptions } from 'troupe';
import { memoryStore } from './dying-store.ts';
import { handClock } from './hand-clock.ts';

/** A run that is driven by passes; a settlement is group, member, outcome. */
export function orchestrator(process: Process<never, unknown>) {
  const store = memoryStore();
  const clock = handClock();
  const options: RunOptions = { store, process, run: 'run', harnesses: {}, clock };
  const pass = (settlements: readonly (readonly [string, string, Outcome])[] = []) =>
    iterate({ ...options, settlements: settlements.map(([group, member, outcome]) => ({ group, member, outcome })) });
  return { store, clock, options, pass };
}

/** What a pass says the run waits for, a text each; its end when it has ended. */
export const waits = (result: Iteration) =>
  result.status === 'waiting'
    ? result.pending.map((one) =>
        [
          one.type,
          ...('member' in one
            ? [one.group, one.member]
            : 'group' in one
              ? [one.group]
              : 'until' in one
                ? [one.until]
                : 'gate' in one
                  ? [one.gate]
                  : [one.dueAt]),
        ].join(' '),
      )
    : result;
