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

/** The last event's file, and what else is there: cheaper than all names in order. */
export function lastEventFile(runDir: string): {
  readonly last: string | undefined;
  readonly others: readonly string[];
} {
  const others: string[] = [];
  let last: string | undefined;
  for (const name of namesIn(join(runDir, 'journal'))) {
    // Nearly all names are of this form, and need no closer look.
    const isEvent =
      (name.length === 38 && name[6] === '.' && name[0] !== '.' && name.endsWith('.json')) ||
      parseEventFile(name) !== undefined;
    if (!isEvent) others.push(name);
    else if (last === undefined || name > last) last = name;
  }
  return { last, others };
}
