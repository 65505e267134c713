/**
 * What the process function gets to see, one thing at a time and in journal order: live as in every later
 * iteration, so that branches that race are resumed in the same order (G6). Nothing is matched by position: a
 * delivery finds its waiter by name (G8), whether the waiter came before it or comes after.
 */
import { isOthers, type Stretch } from '../group/outline.ts';
import type { Entry } from '../journal/port.ts';
import { drained } from './drained.ts';

/** Deliveries of one pass. */
export interface Deliveries {
  /** Takes a durable entry, or entries that are not at hand; delivered when the process has taken in everything before. */
  offer(next: Entry | Stretch): void;
  /** Resolves with the entry of this key when it has been delivered. */
  wait(key: string): Promise<Entry>;
  /** The delivered entry of this key, if any; of a signal's key only if it was the process's own, or waited for. */
  delivered(key: string): Entry | undefined;
  /** Checkpoints of a group delivered so far. */
  checkpoints(group: string): readonly Entry[];
  /** Settlements of a group's members delivered so far. */
  settled(group: string): readonly Entry[];
  /** Resolves at the next delivery that concerns the group's checkpoints or end. */
  groupMoved(group: string): Promise<void>;
  /** Time of the last delivered entry. */
  now(): number;
  /** True when everything offered has been delivered and taken in. */
  isQuiet(): boolean;
  /** Resolves when {@link isQuiet}. */
  quiet(): Promise<void>;
}

const groupPrefix = 'group:';

/** Key under which an entry is waited for; undefined when nobody waits for its kind by name. */
export function deliveryKey({ stream, type, data }: Entry): string | undefined {
  const fields = data as { readonly id?: string; readonly until?: number };
  if (type === 'group.ended') return endKey(stream.slice(groupPrefix.length));
  if (type === 'signal') return signalKey(stream.slice(groupPrefix.length), fields.id ?? '');
  if (type === 'message') return signalKey(stream.slice(groupPrefix.length), fields.id ?? '');
  if (type === 'gate.answered') return gateKey(stream, (data as { readonly name: string }).name);
  if (type === 'sleep.ended') return sleepKey(fields.until ?? 0);
  if (type === 'run.created') return 'run.created';
  return undefined;
}

/** Key of a group's end. */
export const endKey = (group: string) => JSON.stringify(['end', group]);
const signalStart = '["signal",';
/** Key of a signal to a group. */
export const signalKey = (group: string, id: string) => `${signalStart}${JSON.stringify(group)},${JSON.stringify(id)}]`;
/** Key of the answer at a gate of this stream. */
export const gateKey = (stream: string, name: string) => JSON.stringify(['gate', stream, name]);
/** Key of a sleep. */
export const sleepKey = (until: number) => JSON.stringify(['sleep', until]);

/**
 * Deliveries with nothing delivered yet. `ready` holds back what concerns a group until that group is open; `fail` is told when entries
 * that are not at hand cannot be read.
 */
export function deliveries(
  ready: (group: string) => Promise<unknown> | undefined,
  fail: (error: unknown) => void,
): Deliveries {
  const waits = new Map<string, ((entry: Entry) => void)[]>();
  const byKey = new Map<string, Entry>();
  const checkpointsOf = new Map<string, Entry[]>();
  const settledOf = new Map<string, Entry[]>();
  const movers = new Map<string, (() => void)[]>();
  /** Streams of which something was delivered, and taken in, while their group was open. */
  const opened = new Set<string>();
  let quietWaiters: (() => void)[] = [];
  let queue: (Entry | Stretch)[] = [];
  /** Delivered, and not at hand: nobody has waited for any of them. */
  let unread: Stretch[] = [];
  let reading: Promise<void> | undefined;
  let running = false;
  let now = 0;

  const deliver = (entry: Entry) => {
    now = Math.max(now, entry.at);
    const key = deliveryKey(entry);
    const group = entry.stream.slice(groupPrefix.length);
    if (entry.type === 'checkpoint' || entry.type === 'member.settled') {
      const lists = entry.type === 'checkpoint' ? checkpointsOf : settledOf;
      const list = lists.get(group);
      if (list === undefined) lists.set(group, [entry]);
      else list.push(entry);
    }
    if (key !== undefined && !byKey.has(key)) {
      byKey.set(key, entry);
      for (const resolve of waits.get(key) ?? []) resolve(entry);
      waits.delete(key);
    }
    if (entry.type === 'checkpoint' || entry.type === 'group.ended') {
      const moved = movers.get(group) ?? [];
      movers.delete(group);
      for (const resolve of moved) resolve();
    }
  };

  /**
   * A settlement, which resumes nobody and can only be looked at; or a checkpoint, or a signal of somebody else's, that nobody waits for,
   * of a group that the process has had open: it has nothing to take in. (Its own signal it may yet be about to wait for.)
   */
  const isOnlyNoted = (entry: Entry) => {
    const { type, stream } = entry;
    if (type === 'member.settled') return true;
    if (!opened.has(stream)) return false;
    if (type === 'checkpoint') return !movers.has(stream.slice(groupPrefix.length));
    return isOthers(entry) && !waits.has(deliveryKey(entry) ?? '');
  };

  const next = async (entry: Entry) => {
    const opening = entry.stream.startsWith(groupPrefix) ? ready(entry.stream.slice(groupPrefix.length)) : undefined;
    await opening;
    const isQuick = isOnlyNoted(entry);
    deliver(entry);
    if (isQuick) return;
    if (opening !== undefined) opened.add(entry.stream);
    await drained();
  };

  const isWaitedFor = () => [...waits.keys()].some((key) => key.startsWith(signalStart));
  const nextStretch = async (stretch: Stretch) => {
    if (stretch.streams.every((stream) => opened.has(stream)) && !isWaitedFor()) {
      now = Math.max(now, stretch.at);
      unread.push(stretch);
      return;
    }
    for (const entry of await stretch.entries()) await next(entry);
  };
  /** The process waits for a signal that may have been delivered unread. Nothing else is delivered meanwhile. */
  const readUnread = async () => {
    const stretches = unread;
    unread = [];
    for (const stretch of stretches) {
      for (const entry of await stretch.entries()) {
        const key = deliveryKey(entry);
        if (key === undefined || byKey.has(key)) continue;
        byKey.set(key, entry);
        for (const resolve of waits.get(key) ?? []) resolve(entry);
        waits.delete(key);
      }
    }
    await drained();
  };

  const run = async () => {
    await drained();
    while (queue.length > 0 || reading !== undefined) {
      await reading;
      const batch = queue;
      queue = [];
      for (const one of batch) {
        await reading;
        await ('entries' in one ? nextStretch(one) : next(one));
      }
    }
    running = false;
    const waiters = quietWaiters;
    quietWaiters = [];
    for (const resolve of waiters) resolve();
  };

  const begin = () => {
    if (running) return;
    running = true;
    run().catch(fail);
  };

  return {
    offer(one) {
      queue.push(one);
      begin();
    },
    wait(key) {
      const entry = byKey.get(key);
      if (entry !== undefined) return Promise.resolve(entry);
      const entryOfKey = new Promise<Entry>((resolve) => {
        const list = waits.get(key);
        if (list === undefined) waits.set(key, [resolve]);
        else list.push(resolve);
      });
      if (unread.length > 0 && key.startsWith(signalStart)) {
        reading = readUnread()
          .catch(fail)
          .finally(() => (reading = undefined));
        begin();
      }
      return entryOfKey;
    },
    delivered: (key) => byKey.get(key),
    checkpoints: (group) => checkpointsOf.get(group) ?? [],
    settled: (group) => settledOf.get(group) ?? [],
    groupMoved: (group) =>
      new Promise((resolve) => {
        const list = movers.get(group);
        if (list === undefined) movers.set(group, [resolve]);
        else list.push(resolve);
      }),
    now: () => now,
    isQuiet: () => !running,
    quiet: () => (running ? new Promise((resolve) => quietWaiters.push(resolve)) : Promise.resolve()),
  };
}
