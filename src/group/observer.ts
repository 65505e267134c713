/** Who watches a host: the terminal, tests, the inspector. Watching changes nothing; what a watcher throws is dropped. */
import { plainEntry } from '../journal/lazy.ts';
import type { Entry, JournalNotice } from '../journal/port.ts';
import type { Progress } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import type { Address } from './effect.ts';

/** All members are optional. */
export interface Observer {
  /** An entry is durable and folded. */
  entry?(entry: Entry): void;
  /** A recorded entry was folded again (replay). */
  replayed?(entry: Entry): void;
  /** A member told something; more often than it is recorded. */
  progress?(group: string, member: Address, progress: Progress): void;
  /** A machine's `log` action. */
  log?(group: string, address: Address, label: string | undefined, value: JsonValue): void;
  /** The journal found and mended, or set aside, something. */
  notice?(notice: JournalNotice): void;
}

/** An observer whose calls never throw. */
export function guarded(observer: Observer | undefined): Required<Observer> {
  const replayed = observer?.replayed?.bind(observer);
  const guard =
    <Args extends readonly unknown[]>(call: ((...args: Args) => unknown) | undefined) =>
    (...args: Args): void => {
      if (call === undefined) return;
      // A watcher's trouble is its own, that of an async one too.
      try {
        const told = call(...args);
        if (told instanceof Promise) told.catch(() => {});
      } catch {}
    };
  return {
    entry: guard(observer?.entry?.bind(observer)),
    replayed: replayed === undefined ? () => {} : guard((entry: Entry) => replayed(plainEntry(entry))),
    progress: guard(observer?.progress?.bind(observer)),
    log: guard(observer?.log?.bind(observer)),
    notice: guard(observer?.notice?.bind(observer)),
  };
}
