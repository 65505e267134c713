/** Ids of runs that were given none. */
import { randomInt } from 'node:crypto';
import { isTroupeError } from '../error.ts';
import type { JournalStore } from '../journal/port.ts';

/** Without the letters that look like digits, or like each other. */
const letters = '0123456789abcdefghjkmnpqrstvwxyz';

/** Five characters, easy to read and to type. */
function draw(): string {
  return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
}

/** Makes an empty run under a new id and returns the id: two hosts that draw the same one do not share it. */
export async function reserveRun(store: JournalStore): Promise<string> {
  for (;;) {
    const run = draw();
    try {
      const journal = await store.open(run, { create: true });
      await journal.close();
      return run;
    } catch (error) {
      if (!isTroupeError(error, 'RUN_EXISTS')) throw error;
    }
  }
}
