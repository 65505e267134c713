/**
 * Why each entry is there: happens-before, read off the journal as it goes by. Needs no machine; with the effects of the
 * kernel it also knows which turn asked for what. Nothing of this is stored: causality is in the entries.
 */
import type { Effect } from '../group/effect.ts';
import type { GroupEvents } from '../group/entries.ts';
import type { Entry } from '../journal/port.ts';
import type { Cause } from './model.ts';

/** Follows a run entry by entry. */
export interface CauseTracker {
  /** Causes of the entry at `position`; to be called once for each, in order, with the effects of its turn. */
  next(position: number, entry: Entry, effects: readonly Effect[]): readonly Cause[];
}

/** Most causes of one entry; the reading of many messages has many. */
const causesMax = 40;

interface Followed {
  /** Position of each seq of the stream that asked for something. */
  readonly asked: Map<number, number>;
  /** Positions of invoke and cancel effects by `member#incarnation`. */
  readonly invoked: Map<string, number>;
  readonly cancelled: Map<string, number>;
  /** Last start, and last end before it, by `member#incarnation`. */
  readonly started: Map<string, number>;
  readonly queued: Map<string, number>;
  readonly ended: Map<string, number>;
  readonly read: Map<string, number>;
  readonly messages: Map<string, number>;
  readonly gates: Map<string, number>;
  /** Position of the answer, by the effect that opened the gate; and that effect by the gate's name. */
  readonly answers: Map<string, number>;
  readonly gateEffects: Map<string, string>;
  /** Newest `member#incarnation` that was started at an address. */
  readonly newest: Map<string, string>;
  readonly timers: Map<string, number>;
  created: number | undefined;
  lastTurn: number | undefined;
}

const follow = (): Followed => ({
  asked: new Map(),
  invoked: new Map(),
  cancelled: new Map(),
  started: new Map(),
  queued: new Map(),
  ended: new Map(),
  read: new Map(),
  messages: new Map(),
  gates: new Map(),
  answers: new Map(),
  gateEffects: new Map(),
  newest: new Map(),
  timers: new Map(),
  created: undefined,
  lastTurn: undefined,
});

const folded = new Set(['group.cancelled', 'group.created', 'member.settled', 'message', 'signal', 'timer.fired']);

/** A tracker at a run's beginning. */
export function causeTracker(): CauseTracker {
  const groups = new Map<string, Followed>();
  let created: number | undefined;
  let takenOver: number | undefined;
  /** What the process heard last: it opens groups because of it. */
  let processHeard: number | undefined;
  const ended: number[] = [];
  const runGates = new Map<string, number>();

  const ofRun = (position: number, { type, data }: Entry): readonly Cause[] => {
    switch (type) {
      case 'run.created':
        created = position;
        processHeard = position;
        return [];
      case 'epoch.taken': {
        const causes = takenOver === undefined ? [] : because('host before', takenOver);
        takenOver = position;
        return causes;
      }
      case 'gate.opened':
        runGates.set(nameOf(data), position);
        return because('process', processHeard);
      case 'gate.answered':
        processHeard = position;
        return because('gate', runGates.get(nameOf(data)));
      case 'run.ended':
        return ended.length > 0
          ? ended.slice(-causesMax).map((one) => ({ position: one, why: 'group ended' }))
          : because('process', processHeard);
      default:
        return because('process', processHeard ?? created);
    }
  };

  return {
    next(position, entry, effects) {
      if (!entry.stream.startsWith('group:')) return ofRun(position, entry);
      let group = groups.get(entry.stream);
      if (group === undefined) groups.set(entry.stream, (group = follow()));
      const causes = entry.type === 'group.created' ? because('process', processHeard) : ofGroup(group, entry);
      note(group, position, entry, effects);
      if (['checkpoint', 'group.ended', 'member.settled'].includes(entry.type)) processHeard = position;
      if (entry.type === 'group.ended') ended.push(position);
      return causes;
    },
  };
}

/** One message to several has one id. */
const letterKey = (id: string, to: string) => `${to} ${id}`;
const nameOf = (data: unknown) => String((data as { readonly name?: unknown } | null)?.name);
const because = (why: string, ...positions: readonly (number | undefined)[]): Cause[] =>
  positions.flatMap((position) => (position === undefined ? [] : [{ position, why }]));

interface Attempted {
  readonly member: string;
  readonly incarnation: number;
  readonly attempt: number;
}
const keyOf = ({ member, incarnation }: Pick<Attempted, 'incarnation' | 'member'>) => `${member}#${incarnation}`;
const turnOf = (group: Followed, effect: string) => group.asked.get(Number(effect.slice(0, effect.indexOf(':'))));

function ofGroup(group: Followed, { type, data }: Entry): Cause[] {
  switch (type as keyof GroupEvents) {
    case 'signal': {
      const { id } = data as unknown as GroupEvents['signal'];
      const gate = /^gate (.*)$/.exec(id)?.[1];
      const answer = gate === undefined ? undefined : group.answers.get(gate);
      return [...because('gate answered', answer), ...because('state', group.lastTurn)];
    }
    case 'message': {
      const { from, inReplyTo } = data as unknown as GroupEvents['message'];
      const sender = group.newest.get(from);
      return [
        ...because('reply to', inReplyTo === undefined ? undefined : group.messages.get(letterKey(inReplyTo, from))),
        ...because('had read', sender === undefined ? undefined : group.read.get(sender)),
        ...because('sent by attempt', sender === undefined ? undefined : group.started.get(sender)),
      ];
    }
    case 'message.read': {
      const read = data as unknown as GroupEvents['message.read'];
      const messages = read.ids
        .slice(0, causesMax)
        .map((id) => group.messages.get(letterKey(id, read.member)) ?? turnOf(group, id));
      return [...because('message', ...messages), ...because('attempt', group.started.get(keyOf(read)))];
    }
    case 'attempt.queued':
    case 'attempt.started': {
      const key = keyOf(data as unknown as Attempted);
      return [
        ...because('attempt before', group.ended.get(key)),
        ...because('asked by', group.invoked.get(key)),
        ...because('queued', type === 'attempt.started' ? group.queued.get(key) : undefined),
      ];
    }
    case 'attempt.cancelled':
    case 'attempt.failed':
    case 'member.progress':
    case 'member.settled': {
      const key = keyOf(data as unknown as Attempted);
      return [
        ...because('asked by', type === 'attempt.cancelled' ? group.cancelled.get(key) : undefined),
        ...because('attempt', group.started.get(key) ?? group.invoked.get(key)),
        ...because('had read', type === 'member.settled' ? group.read.get(key) : undefined),
      ];
    }
    case 'timer.fired': {
      const { address, incarnation, timer } = data as unknown as GroupEvents['timer.fired'];
      return because('timer set', group.timers.get(`${address}#${incarnation} ${timer}`));
    }
    case 'gate.answered':
      return because('gate', group.gates.get(nameOf(data)));
    case 'gate.withdrawn':
      return [...because('gate', group.gates.get(nameOf(data))), ...because('state', group.lastTurn)];
    case 'group.ended':
    case 'group.cancelled':
      return because('state', group.lastTurn);
    default: {
      const { effect, by } = (data ?? {}) as { readonly effect?: string; readonly by?: string };
      if (effect !== undefined) return because('asked by', turnOf(group, effect));
      const member = by === undefined ? undefined : group.newest.get(by);
      return because('attempt', member === undefined ? undefined : group.started.get(member));
    }
  }
}

function note(group: Followed, position: number, { type, seq, data }: Entry, effects: readonly Effect[]): void {
  if (effects.length > 0) group.asked.set(seq, position);
  for (const effect of effects) {
    if (effect.type === 'invoke') group.invoked.set(`${effect.address}#${effect.incarnation}`, position);
    if (effect.type === 'cancel') group.cancelled.set(`${effect.address}#${effect.incarnation}`, position);
    if (effect.type === 'setTimer')
      group.timers.set(`${effect.address}#${effect.incarnation} ${effect.timer}`, position);
  }
  if (folded.has(type)) group.lastTurn = position;
  switch (type as keyof GroupEvents) {
    case 'attempt.queued':
      group.queued.set(keyOf(data as unknown as Attempted), position);
      return;
    case 'attempt.started':
      group.started.set(keyOf(data as unknown as Attempted), position);
      group.newest.set((data as unknown as Attempted).member, keyOf(data as unknown as Attempted));
      return;
    case 'attempt.cancelled':
    case 'attempt.failed':
      group.ended.set(keyOf(data as unknown as Attempted), position);
      return;
    case 'message.read':
      group.read.set(keyOf(data as unknown as Attempted), position);
      return;
    case 'message': {
      const { id, to } = data as unknown as GroupEvents['message'];
      group.messages.set(letterKey(id, to === '' ? 'coordinator' : to), position);
      return;
    }
    case 'gate.opened': {
      const { name, effect } = data as unknown as GroupEvents['gate.opened'];
      group.gates.set(name, position);
      if (effect !== undefined) group.gateEffects.set(name, effect);
      return;
    }
    case 'gate.answered':
      group.answers.set(group.gateEffects.get(nameOf(data)) ?? '', position);
      return;
    default:
  }
}

/** All positions that `position` follows from, itself included, ascending; at most `max`, nearest first when there are more. */
export function backSlice(
  position: number,
  causesOf: (position: number) => readonly Cause[] | undefined,
  max = 2_000,
): readonly number[] {
  const found = new Set([position]);
  const queue = [position];
  for (let next = queue.shift(); next !== undefined && found.size < max; next = queue.shift()) {
    for (const cause of causesOf(next) ?? []) {
      if (found.has(cause.position)) continue;
      found.add(cause.position);
      queue.push(cause.position);
    }
  }
  return [...found].sort((a, b) => a - b);
}
