/**
 * What the process function gets to see, one thing at a time and in journal order: live as in every later
 * iteration, so that branches that race are resumed in the same order (G6). Nothing is matched by position: a
 * delivery finds its waiter by name (G8), whether the waiter came before it or comes after.
 */
import { isOthers, type Stretch } from '../group/outline.ts';
import type { Entry } from '../journal/port.ts';
import { drained } from './drained.ts';
import { Heard } from './heard.ts';

/** Deliveries of one pass. */
export interface Deliveries {
  /** Takes a durable entry, or entries that are not at hand; delivered when the process has taken in everything before. */
  offer(next: Entry | Stretch): void;
  /** Resolves with the entry of this key when it has been delivered. */
  wait(key: string): Promise<Entry>;
  /** Resolves when this signal or message to a group has been delivered. */
  heard(group: string, id: string): Promise<void>;
  /** The delivered entry of this key, if any. */
  delivered(key: string): Entry | undefined;
  /** How many answers at a gate of this stream have been offered, delivered or not. */
  answers(stream: string, gate: string): number;
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
const isSignal = ({ type }: Entry) => type === 'signal' || type === 'message';

/** Key under which an entry, no answer at a gate, is waited for; undefined when nobody waits for its kind by name. */
function deliveryKey({ stream, type, data }: Entry): string | undefined {
  const fields = data as {
    readonly id?: string;
    readonly name?: string;
    readonly until?: number;
    readonly by?: string;
  };
  if (type === 'checkpoint' && fields.by === 'process') return markKey(stream, fields.name ?? '');
  if (type === 'group.ended') return endKey(stream.slice(groupPrefix.length));
  if (type === 'sleep.ended') return sleepKey(fields.until ?? 0);
  // What the process itself logs nobody waits for.
  if (type === 'log' && fields.id?.startsWith(refusedPrefix) === true) return logKey(fields.id);
  if (type === 'run.created') return 'run.created';
  return undefined;
}

/** Key of a group's end. */
export const endKey = (group: string) => JSON.stringify(['end', group]);
/** Key of an answer at a gate of this stream: the first is that of `round` 1. */
export const gateKey = (stream: string, name: string, round = 1) => JSON.stringify(['gate', stream, name, round]);
/** Key of the process's own checkpoint in this stream. */
export const markKey = (stream: string, name: string) => JSON.stringify(['mark', stream, name]);
/** How the id of a noted refusal begins, see `refusals.ts`. */
export const refusedPrefix = '["refused",';
/** Key of what is noted under this id. */
export const logKey = (id: string) => JSON.stringify(['log', id]);
/** Key of a sleep. */
export const sleepKey = (until: number) => JSON.stringify(['sleep', until]);

/** How often each gate has been answered. */
class Answers {
  private readonly counts = new Map<string, number>();

  at(stream: string, gate: string): number {
    return this.counts.get(gateKey(stream, gate)) ?? 0;
  }

  /** Counts one more; the result is its key. */
  add({ stream, data }: Entry): string {
    const { name } = data as { readonly name: string };
    const round = this.at(stream, name) + 1;
    this.counts.set(gateKey(stream, name), round);
    return gateKey(stream, name, round);
  }
}

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
  const signals = new Heard();
  const offeredAnswers = new Answers();
  const deliveredAnswers = new Answers();
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

  /** Puts an entry in its place, and resumes who waits for it. */
  const arrive = (key: string, entry: Entry) => {
    if (byKey.has(key)) return;
    byKey.set(key, entry);
    const resumed = waits.get(key) ?? [];
    waits.delete(key);
    for (const resolve of resumed) resolve(entry);
  };

  const deliver = (entry: Entry) => {
    now = Math.max(now, entry.at);
    const { type, stream } = entry;
    const group = stream.slice(groupPrefix.length);
    if (type === 'checkpoint' || type === 'member.settled') {
      const lists = type === 'checkpoint' ? checkpointsOf : settledOf;
      const list = lists.get(group);
      if (list === undefined) lists.set(group, [entry]);
      else list.push(entry);
    }
    if (isSignal(entry)) signals.deliver(entry);
    const key = type === 'gate.answered' ? deliveredAnswers.add(entry) : deliveryKey(entry);
    if (key !== undefined) arrive(key, entry);
    if (type === 'checkpoint' || type === 'group.ended') {
      const moved = movers.get(group) ?? [];
      movers.delete(group);
      for (const resolve of moved) resolve();
    }
  };

  /**
   * Delivers, without giving the process time to take it in, what it has nothing to take in of. True when it has. That is a settlement,
   * which resumes nobody and can only be looked at; or a checkpoint, or a signal of somebody else's, that nobody waits for. (Its own the
   * process may yet be about to wait for.) Of a group, in each case, that the process has had open.
   */
  const deliversAtOnce = (entry: Entry): boolean => {
    const { type, stream } = entry;
    if (!opened.has(stream)) return false;
    if (isOthers(entry) && !signals.isWanted(entry)) {
      now = Math.max(now, entry.at);
      signals.note(entry);
      return true;
    }
    const hasNothing =
      type === 'member.settled' ||
      (type === 'checkpoint' && !movers.has(stream.slice(groupPrefix.length)) && deliveryKey(entry) === undefined);
    if (hasNothing) deliver(entry);
    return hasNothing;
  };

  const next = async (entry: Entry) => {
    const { stream } = entry;
    const opening = stream.startsWith(groupPrefix) ? ready(stream.slice(groupPrefix.length)) : undefined;
    await opening;
    deliver(entry);
    if (entry.type === 'member.settled') return;
    if (opening !== undefined) opened.add(stream);
    await drained();
  };

  const nextStretch = async (stretch: Stretch) => {
    if (stretch.streams.every((stream) => opened.has(stream)) && !signals.isWaitedFor) {
      now = Math.max(now, stretch.at);
      unread.push(stretch);
      return;
    }
    for (const entry of await stretch.entries()) if (!deliversAtOnce(entry)) await next(entry);
  };
  /** The process waits for a signal that may have been delivered unread. Nothing else is delivered meanwhile. */
  const readUnread = async () => {
    const stretches = unread;
    unread = [];
    for (const stretch of stretches)
      for (const entry of await stretch.entries()) if (isSignal(entry)) signals.deliver(entry);
    await drained();
  };

  const run = async () => {
    await drained();
    while (queue.length > 0 || reading !== undefined) {
      await reading;
      const batch = queue;
      queue = [];
      for (const one of batch) {
        if (reading !== undefined) await reading;
        if ('entries' in one) await nextStretch(one);
        else if (!deliversAtOnce(one)) await next(one);
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
      if (!('entries' in one) && one.type === 'gate.answered') offeredAnswers.add(one);
      queue.push(one);
      begin();
    },
    wait(key) {
      const entry = byKey.get(key);
      if (entry !== undefined) return Promise.resolve(entry);
      return new Promise<Entry>((resolve) => {
        const list = waits.get(key);
        if (list === undefined) waits.set(key, [resolve]);
        else list.push(resolve);
      });
    },
    heard(group, id) {
      const stream = groupPrefix + group;
      if (signals.has(stream, id)) return Promise.resolve();
      const delivered = signals.wait(stream, id);
      if (unread.length > 0) {
        reading = readUnread()
          .catch(fail)
          .finally(() => (reading = undefined));
        begin();
      }
      return delivered;
    },
    delivered: (key) => byKey.get(key),
    answers: (stream, gate) => offeredAnswers.at(stream, gate),
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
