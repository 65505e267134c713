/** What is in the folder of a run's journal. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseEventFile } from './names.ts';

/** Names in a folder; none when it is missing. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Names of the events' files, in order, and of what else is there. A missing folder is empty. */
export function readEventFileNames(runDir: string): {
  readonly events: readonly string[];
  readonly others: readonly string[];
} {
  const events: string[] = [];
  const others: string[] = [];
  for (const name of namesIn(join(runDir, 'journal')))
    (parseEventFile(name) === undefined ? others : events).push(name);
  return { events: events.sort(), others };
}
