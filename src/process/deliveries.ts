/**
 * What the process function gets to see, one thing at a time and in journal order: live as in every later
 * iteration, so that branches that race are resumed in the same order (G6). Nothing is matched by position: a
 * delivery finds its waiter by name (G8), whether the waiter came before it or comes after.
 */
import type { Entry } from '../journal/port.ts';
import { drained } from './drained.ts';

/** Deliveries of one pass. */
export interface Deliveries {
  /** Takes a durable entry; it is delivered when the process has taken in everything before it. */
  offer(entry: Entry): void;
  /** Resolves with the entry of this key when it has been delivered. */
  wait(key: string): Promise<Entry>;
  /** The delivered entry of this key, if any. */
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
/** Key of a signal to a group. */
export const signalKey = (group: string, id: string) => JSON.stringify(['signal', group, id]);
/** Key of the answer at a gate of this stream. */
export const gateKey = (stream: string, name: string) => JSON.stringify(['gate', stream, name]);
/** Key of a sleep. */
export const sleepKey = (until: number) => JSON.stringify(['sleep', until]);

/** Deliveries with nothing delivered yet. `ready` holds back what concerns a group until that group is open. */
export function deliveries(ready: (group: string) => Promise<unknown> | undefined): Deliveries {
  const waits = new Map<string, ((entry: Entry) => void)[]>();
  const byKey = new Map<string, Entry>();
  const checkpointsOf = new Map<string, Entry[]>();
  const settledOf = new Map<string, Entry[]>();
  const movers = new Map<string, (() => void)[]>();
  /** Streams of which something was delivered, and taken in, while their group was open. */
  const opened = new Set<string>();
  let quietWaiters: (() => void)[] = [];
  let queue: Entry[] = [];
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
   * A settlement, which resumes nobody and can only be looked at, or a checkpoint that nobody waits for, of a group that
   * the process has had open: it has nothing to take in.
   */
  const isOnlyNoted = ({ type, stream }: Entry) =>
    type === 'member.settled' ||
    (type === 'checkpoint' && !movers.has(stream.slice(groupPrefix.length)) && opened.has(stream));

  const run = async () => {
    await drained();
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      for (const entry of batch) {
        const opening = entry.stream.startsWith(groupPrefix)
          ? ready(entry.stream.slice(groupPrefix.length))
          : undefined;
        await opening;
        const isQuick = isOnlyNoted(entry);
        deliver(entry);
        if (isQuick) continue;
        if (opening !== undefined) opened.add(entry.stream);
        await drained();
      }
    }
    running = false;
    const waiters = quietWaiters;
    quietWaiters = [];
    for (const resolve of waiters) resolve();
  };

  return {
    offer(entry) {
      queue.push(entry);
      if (running) return;
      running = true;
      void run();
    },
    wait(key) {
      const entry = byKey.get(key);
      if (entry !== undefined) return Promise.resolve(entry);
      return new Promise((resolve) => {
        const list = waits.get(key);
        if (list === undefined) waits.set(key, [resolve]);
        else list.push(resolve);
      });
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
