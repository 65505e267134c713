/** Letters to the living host of a run: left, waited for, and done without it when it dies meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { isTroupeError, remedies, TroupeError, type Code } from '../error.ts';
import { runStream } from '../group/host.ts';
import type { PlainError } from '../harness/port.ts';
import { fileRequests, type Letter } from '../process/file-requests.ts';
import type { DataFolder } from './data-folder.ts';

/** How long to wait for a living host, and between two looks, ms. */
const patienceMs = 15_000;
const lookEveryMs = 50;

/** How it came out: `alone` when nobody drives the run, `host` when its host did it, `waiting` when the host has not answered in time. */
export type Asked = { readonly by: 'alone' | 'host' | 'waiting'; readonly holder: string };

/**
 * Does something to a run: by `alone` when nobody drives it, else by a letter to its host. Throws what the host refused it with.
 * Doing it twice must be doing it once: a host may die between the deed and the removal of its letter.
 */
export async function askHost(
  data: DataFolder,
  run: string,
  letter: Letter,
  alone: () => Promise<unknown>,
): Promise<Asked> {
  const tryAlone = async (): Promise<string | undefined> => {
    try {
      await alone();
      return undefined;
    } catch (error) {
      if (!isTroupeError(error, 'RUN_BUSY')) throw error;
      const { pid, host } = error.details as { readonly pid?: number; readonly host?: string };
      return pid === undefined ? 'its host' : `process ${pid} on ${host}`;
    }
  };
  const holder = await tryAlone();
  if (holder === undefined) return { by: 'alone', holder: '' };
  const requests = fileRequests(data.requests(run));
  const id = await requests.post(letter);
  const until = performance.now() + patienceMs;
  for (let look = 1; performance.now() < until; look += 1) {
    await delay(lookEveryMs);
    const isWaiting = (await requests.list()).some((request) => request.id === id);
    if (!isWaiting) {
      await throwRefusal(data, run, id);
      return { by: 'host', holder };
    }
    if (look % 20 !== 0) continue;
    try {
      if ((await tryAlone()) !== undefined) continue;
    } catch (error) {
      await requests.remove(id);
      throw error;
    }
    await requests.remove(id);
    return { by: 'alone', holder: '' };
  }
  return { by: 'waiting', holder };
}

/** Throws why the host refused this letter, if it did. */
async function throwRefusal(data: DataFolder, run: string, id: string): Promise<void> {
  const journal = await data.store.open(run);
  try {
    for await (const entries of journal.read(runStream)) {
      for (const entry of entries) {
        if (entry.type !== 'request.refused') continue;
        const { request, error } = entry.data as unknown as { readonly request: string; readonly error: PlainError };
        if (request !== id) continue;
        const code = Object.hasOwn(remedies, error.code ?? '') ? (error.code as Code) : 'BAD_INPUT';
        throw new TroupeError(
          code,
          error.message.startsWith(`${code}: `) ? error.message.slice(code.length + 2) : error.message,
        );
      }
    }
  } finally {
    await journal.close();
  }
}
