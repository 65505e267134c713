/**
 * Attempts that this process performs now. Keys of two stores may be equal, and one process may drive runs of both: an attempt ends what
 * it started itself, and a sweep what nobody performs any more.
 */
import { hostMark } from './list-processes.ts';

let count = 0;
const live = new Set<string>();

/** One attempt's time in this process. */
export interface Stint {
  /** For the environment of its programs: the host's mark and a number, `<pid>-<start>.<number>`. */
  readonly mark: string;
  end(): void;
}

/** Begins one. It is over with `end`, or when `signal` is aborted: its run has left it, and is ending it. */
export function beginStint(signal?: AbortSignal): Stint {
  count += 1;
  const mark = `${hostMark()}.${count}`;
  const end = () => {
    live.delete(mark);
    signal?.removeEventListener('abort', end);
  };
  live.add(mark);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted === true) end();
  return { mark, end };
}

/** The host of a mark, with or without a stint's number. */
export const hostOf = (mark: string): string => mark.replace(/\.\d+$/, '');

/** Whether somebody may be at it still: another host that is alive, or this one in a stint that is not over. */
export const isPerformed = (mark: string, hosts: ReadonlySet<string>): boolean =>
  hostOf(mark) === hostMark() ? live.has(mark) : hosts.has(hostOf(mark));
