/** Following a run of the stage from outside, by its journal. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isTroupeError, type Entry } from '../../../src/index.ts';
import { fileStore } from '../../../src/journal/index.ts';
import { objectOf, type JsonObject } from '../model/question.ts';
import type { Stage } from './stage.ts';

/** A run that is looked at. */
export interface FollowedRun {
  /** All entries so far, in journal order; none while there is no such run. */
  all(): Promise<readonly Entry[]>;
  /** Data of the entries of this type so far, oldest first. */
  entries(type: string): Promise<readonly JsonObject[]>;
  /** Waits for the first entry of this type that fits, 30 s at most. */
  until(type: string, fits?: (data: JsonObject) => boolean): Promise<JsonObject>;
}

/** Where the stage's runs are kept. */
export const dataOf = (stage: Stage) => join(stage.folder, 'data');

/** Follows it; `about` is said when it does not come to what is waited for. */
export function followRun(stage: Stage, run: string, about: () => string = () => ''): FollowedRun {
  const store = fileStore({ dir: dataOf(stage) });

  const all = async (): Promise<readonly Entry[]> => {
    try {
      const journal = await store.open(run);
      const entries: Entry[] = [];
      try {
        for await (const batch of journal.read()) entries.push(...batch);
      } finally {
        await journal.close();
      }
      return entries;
    } catch (error) {
      if (isTroupeError(error, 'RUN_UNKNOWN')) return [];
      throw error;
    }
  };
  const entries: FollowedRun['entries'] = async (type) =>
    (await all()).flatMap((entry) => (entry.type === type ? [objectOf(entry.data)] : []));

  return {
    all,
    entries,
    async until(type, fits = () => true) {
      for (const untilMs = performance.now() + 30_000; performance.now() < untilMs; await delay(20)) {
        const found = (await entries(type)).find(fits);
        if (found !== undefined) return found;
      }
      const lines = (await all()).map((entry) => `${entry.type} ${JSON.stringify(entry.data).slice(0, 200)}`);
      throw new Error(`no entry ${type} that fits within 30 s; ${about()}\n${lines.join('\n')}`);
    },
  };
}
