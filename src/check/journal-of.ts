/** Schedules as journals. */
import type { Entry } from '../journal/port.ts';
import { memoryStore } from '../journal/memory.ts';
import { writeCounterexample } from './counterexample.ts';
import type { Protocol } from './protocol.ts';
import { replay, type Schedule } from './schedule/schedule.ts';

const run = 'schedule';

/** What a host would have written, had it all happened so: the entries of all streams, in journal order. Codes: as `replay` and `writeCounterexample`. */
export async function journalOf<Context, Output>(
  protocol: Protocol<Context, Output>,
  schedule: Schedule | string,
): Promise<readonly Entry[]> {
  const { trace } = replay(protocol, schedule);
  const store = memoryStore();
  const violation = { property: 'none', kind: 'always', message: '', trace } as const;
  await writeCounterexample(protocol, violation, { store, run });
  const journal = await store.open(run);
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  await journal.close();
  // The last says what does not hold: nothing, here.
  return entries.slice(0, -1);
}
