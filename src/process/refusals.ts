/**
 * Refusals that depend on how far a group has come. The host of a later iteration has folded all that is recorded, and would take what the
 * first one refused: so each is noted in the run's stream before the process hears it, and heard at that place again (G6).
 */
import { isTroupeError, TroupeError, type Code } from '../error.ts';
import { canonical, type JsonValue } from '../json.ts';
import { logKey, refusedPrefix, type Deliveries } from './deliveries.ts';

/** What refusals need of their pass. */
export interface RefusalsOptions {
  readonly inbox: Deliveries;
  /** Ids of log entries that are recorded. */
  readonly recordedLogs: ReadonlySet<string>;
  /** Makes an entry of type `log`. */
  note(data: { readonly id: string; readonly message: string; readonly data: JsonValue }): Promise<unknown>;
}

/** Does what may be refused, or hears its refusal again; `what` says which thing is done, and to whom. */
export type Refusable = <Value>(what: readonly string[], act: () => Promise<Value>) => Promise<Value>;

const passing: ReadonlySet<Code> = new Set<Code>(['LIMIT', 'UNKNOWN_GATE', 'UNKNOWN_MEMBER']);

/** The refusals of one pass: the same thing may be refused several times. */
export function refusals({ inbox, recordedLogs, note }: RefusalsOptions): Refusable {
  const counts = new Map<string, number>();
  return async (what, act) => {
    const key = `${refusedPrefix}${canonical(what).slice(1)}`;
    const count = (counts.get(key) ?? 0) + 1;
    const id = `${key}#${count}`;
    if (recordedLogs.has(id)) {
      counts.set(key, count);
      const { message, data } = (await inbox.wait(logKey(id))).data as {
        readonly message: string;
        readonly data: { readonly code: Code };
      };
      throw new TroupeError(data.code, message);
    }
    try {
      return await act();
    } catch (error) {
      if (!isTroupeError(error) || !passing.has(error.code)) throw error;
      counts.set(key, count);
      const { code, message } = error;
      await note({ id, message: message.slice(`${code}: `.length), data: { code } });
      await inbox.wait(logKey(id));
      throw error;
    }
  };
}
