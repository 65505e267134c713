/** What the parts of the conformance suite are made of. */
import { isTroupeError, type Code } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { Entry, Journal, JournalEvent, JournalStore } from './port.ts';

/** What the suite needs of a journal. */
export interface ConformanceAdapter {
  readonly name: string;
  /** Makes an empty place for runs. Called once per test. */
  open(): Promise<ConformancePlace>;
}

/** One place for runs, for one test. */
export interface ConformancePlace {
  readonly store: JournalStore;
  /** The same place as another process sees it. Default: the same store. */
  reopen?(): Promise<JournalStore>;
  /** Makes the holder of a run look dead or gone for good, though its journal object still works. Without it two promises are not checked. */
  abandon?(run: string): void;
  dispose?(): Promise<void>;
}

/** The test runner's functions. */
export interface TestApi {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
  readonly expect: (actual: unknown) => { toEqual(expected: unknown): unknown };
}

/** A part of the suite's tools. */
export interface ConformanceKit {
  readonly expect: TestApi['expect'];
  /** Declares a test with a place of its own. */
  readonly promise: (name: string, body: (place: ConformancePlace) => Promise<void>) => void;
}

/** A new run, leased. */
export async function begin(place: ConformancePlace): Promise<{ readonly journal: Journal; readonly epoch: number }> {
  const journal = await place.store.open(run, { create: true });
  const { epoch } = await journal.lease();
  return { journal, epoch };
}

/** The same run as another process sees it. */
export async function again(place: ConformancePlace): Promise<Journal> {
  return ((await place.reopen?.()) ?? place.store).open(run);
}

/** The run of every test. */
export const run = 'r1';

/** An event of this type. */
export function event(type: string, data: JsonValue = null, at = 1_790_000_000_000): JournalEvent {
  return { type, at, data };
}

/** All that is read, in one piece. */
export async function readAll(journal: Journal, stream?: string, fromSeq?: number): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of journal.read(stream, fromSeq)) for (const entry of batch) entries.push(entry);
  return entries;
}

/** The code that `work` ends with. */
export async function codeOf(work: Promise<unknown>): Promise<Code | 'no error' | 'another error'> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return isTroupeError(error) ? error.code : 'another error';
  }
}

/** The details of the error that `work` ends with. */
export async function detailsOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return isTroupeError(error) ? error.details : error;
  }
}
