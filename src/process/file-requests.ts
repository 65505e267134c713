/**
 * Letters to a host as files: `<folder>/<id>.json`. A letter is written beside its place and renamed into it, so that it is whole
 * when it is seen. Each host looks at the letters of its own run only.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError } from '../error.ts';
import type { DeliveryMode } from '../harness/port.ts';
import { assertJson, type JsonValue } from '../json.ts';
import type { Request, Requests } from './requests.ts';

/** A letter before it has an id. */
export type Letter = Request extends infer One ? (One extends Request ? Omit<One, 'id'> : never) : never;

/** Letters of one run, and how to write one. */
export interface FileRequests extends Requests {
  /** Leaves a letter for whoever drives the run; returns its id. Codes: JOURNAL_IO, RUN_UNKNOWN when the folder above is gone. */
  post(letter: Letter): Promise<string>;
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

const suffix = '.json';
/** What is begun and not yet whole; older hosts' leftovers are removed with the run's folder. */
const draftSuffix = '.draft';
/** Time in the last id of this process. */
let lastMs = 0;

/**
 * Letters in `folder`, which is created with the first one. Ids begin with the time, so that their order is the order in
 * which a process posted them. What is no letter is removed. A folder that is missing or cannot be read holds no letters.
 */
export function fileRequests(folder: string): FileRequests {
  const remove = (id: string) => rm(join(folder, id + suffix), { force: true });

  const read = async (name: string): Promise<Request | undefined> => {
    const id = name.slice(0, -suffix.length);
    let text: string;
    try {
      text = await readFile(join(folder, name), 'utf8');
    } catch {
      // Taken back meanwhile.
      return undefined;
    }
    const request = parse(id, text);
    if (request === undefined) await remove(id);
    return request;
  };

  return {
    async list() {
      const names = await readdir(folder).catch(() => []);
      const requests: Request[] = [];
      for (const name of names.filter((one) => one.endsWith(suffix)).toSorted()) {
        const request = await read(name);
        if (request !== undefined) requests.push(request);
      }
      return requests;
    },
    remove,
    async post(letter) {
      // Two of one millisecond, or of a clock that was set back, keep their order all the same.
      lastMs = Math.max(Date.now(), lastMs + 1);
      const id = `${String(lastMs).padStart(15, '0')}-${randomBytes(6).toString('hex')}`;
      const draft = join(folder, id + draftSuffix);
      try {
        // Not those above: a run that was removed would be there by half, and the next one of its name would read this.
        await mkdir(folder).catch((error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw error;
        });
        await writeFile(draft, `${JSON.stringify(letter)}\n`, { flush: true });
        await rename(draft, join(folder, id + suffix));
      } catch (error) {
        if (codeOf(error) === 'ENOENT')
          throw new TroupeError(
            'RUN_UNKNOWN',
            `cannot leave a letter in ${folder}: its run is gone.`,
            { folder },
            error,
          );
        throw new TroupeError(
          'JOURNAL_IO',
          `cannot leave a letter in ${folder}: ${(error as Error).message}`,
          { folder },
          error,
        );
      }
      return id;
    },
  };
}

/** A letter, or undefined for anything else. */
function parse(id: string, text: string): Request | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, reason, group, event, to, body, mode, gate, approved, note, opening } = value as Readonly<
    Record<string, unknown>
  >;
  if (type === 'cancel' && typeof reason === 'string') return { id, type, reason };
  if (type === 'signal' && typeof group === 'string' && isEvent(event)) return { id, type, group, event };
  if (type === 'message' && typeof group === 'string' && typeof to === 'string') {
    const { message, messageId } = value as { readonly message?: unknown; readonly messageId?: unknown };
    const named = typeof messageId === 'string' ? { messageId } : {};
    const said: unknown = body ?? null;
    if (typeof message !== 'string' || !isJson(said)) return undefined;
    const how: { readonly mode?: DeliveryMode } = mode === 'steer' || mode === 'interrupt' ? { mode } : {};
    return { id, type, group, to, message, body: said, ...how, ...named };
  }
  if (type === 'answer' && typeof gate === 'string' && typeof approved === 'boolean') {
    const where = typeof group === 'string' ? { group } : {};
    const which = typeof opening === 'string' ? { opening } : {};
    return { id, type, ...where, gate, ...which, approved, note: typeof note === 'string' ? note : '' };
  }
  return undefined;
}

/** Not of what JSON can say and a journal cannot: data that is too deep. */
function isJson(value: unknown): value is JsonValue {
  try {
    assertJson(value, 'request');
    return true;
  } catch {
    return false;
  }
}

function isEvent(value: unknown): value is Extract<Request, { type: 'signal' }>['event'] {
  return typeof value === 'object' && value !== null && typeof (value as { readonly type?: unknown }).type === 'string';
}
