/** Schedules as journals. */
import type { Entry } from '../journal/port.ts';
import { memoryStore } from '../journal/memory.ts';
import type { Protocol } from './protocol.ts';
import { RunWriter } from './run-writer.ts';
import { replay, type Schedule } from './schedule/schedule.ts';

const run = 'schedule';

/** What a host would have written, had it all happened so: the entries of all streams, in journal order. Codes: as `replay`; NONDETERMINISM. */
export async function journalOf<Context, Output>(
  protocol: Protocol<Context, Output>,
  schedule: Schedule | string,
): Promise<readonly Entry[]> {
  const { trace } = replay(protocol, schedule);
  const store = memoryStore();
  const writer = new RunWriter(protocol as unknown as Protocol, store, run);
  await writer.open(undefined);
  for (const step of trace.steps) await writer.take(step);
  await writer.close();
  const journal = await store.open(run);
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  await journal.close();
  return entries;
}
