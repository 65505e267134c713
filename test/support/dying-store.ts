/** A store whose hosts can be killed at any append: nothing is acknowledged from then on, as after kill -9. */
import { memoryStore, type MemoryStore } from 'troupe/journal';
import type { Entry, Journal, JournalEvent, JournalStore } from 'troupe';

export interface DyingStore extends JournalStore {
  /** Appends that were asked for under the current host. */
  readonly appends: number;
  /** Resolves when the host has died. */
  readonly died: Promise<void>;
}

/** When a host dies: at this append (1 for the first), which reaches the disk or not. */
export interface Death {
  readonly atAppend: number;
  readonly isWritten: boolean;
}

const never = <Value>() => new Promise<Value>(() => {});

/** One host's view of `store`; without a death it lives. */
export function dyingStore(store: JournalStore, death?: Death): DyingStore {
  let appends = 0;
  let isDead = false;
  let die: () => void = () => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const dying = (journal: Journal): Journal => ({
    ...journal,
    async append(stream: string, expectedSeq: number, epoch: number, events: readonly JournalEvent[]) {
      if (isDead) return never<readonly Entry[]>();
      appends += 1;
      if (appends !== death?.atAppend) return journal.append(stream, expectedSeq, epoch, events);
      isDead = true;
      if (death.isWritten) await journal.append(stream, expectedSeq, epoch, events);
      die();
      return never<readonly Entry[]>();
    },
    saveSnapshot: (snapshot) => (isDead ? never() : journal.saveSnapshot(snapshot)),
  });
  return {
    open: async (run, options) => dying(await store.open(run, options)),
    list: () => store.list(),
    died,
    get appends() {
      return appends;
    },
  };
}

/** A store in which an append fails: from the `atAppend`-th on (1 for the first) all of them do, with `error`. */
export function failingStore(
  store: JournalStore,
  failure: { readonly atAppend: number; readonly error: () => Error },
): JournalStore {
  let appends = 0;
  const failing = (journal: Journal): Journal => ({
    ...journal,
    async append(stream, expectedSeq, epoch, events) {
      appends += 1;
      if (appends >= failure.atAppend) throw failure.error();
      return journal.append(stream, expectedSeq, epoch, events);
    },
  });
  return { open: async (run, options) => failing(await store.open(run, options)), list: () => store.list() };
}

/** All entries of a run, in journal order. */
export async function entriesOf(store: JournalStore, run = 'run'): Promise<readonly Entry[]> {
  const journal = await store.open(run);
  const entries: Entry[] = [];
  for await (const batch of journal.read()) entries.push(...batch);
  await journal.close();
  return entries;
}

export { memoryStore, type MemoryStore };
