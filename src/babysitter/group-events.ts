/**
 * A group's control events in its run's journal: enough to go on when the group's own journal is gone, and nothing that would slow
 * babysitter down (each event costs it 0.3 ms in every later iteration). Ids are of our own: a repair of the journal renumbers everything else.
 */
import { isTelling } from '../group/askers.ts';
import type { GroupEvents } from '../group/entries.ts';
import type { Entry } from '../journal/port.ts';
import type { JsonValue } from '../json.ts';
import { inputHashOf } from './run/hash.ts';
import type { EventData } from './run/event-text.ts';
import type { RunEvent } from './run/read-run.ts';
import type { NewEvent } from './run/write-events.ts';

/** Types of events. Babysitter passes over what it does not know. */
export const groupEventTypes = [
  'GROUP_CREATED',
  'GROUP_MEMBER_SETTLED',
  'GROUP_CHECKPOINT',
  'GROUP_MESSAGE',
  'GROUP_ENDED',
] as const;

/** Messages of one group that are recorded there; further ones stand in its own journal only. */
export const messagesMax = 200;

/** Largest body of a message, and data of a checkpoint, that is recorded there, bytes of JSON. Others are left out, and that is said. */
export const bodyBytesMax = 4_096;

/** A group's event, read back. */
export interface GroupEvent {
  readonly type: (typeof groupEventTypes)[number];
  /** Its place among the group's events, 1 for the first. */
  readonly groupSeq: number;
  /** What it is: the same event has the same id, however often it is written. */
  readonly eventId: string;
  readonly data: EventData;
}

/** The events of one group, in the order of the group, each once. */
export function groupEventsIn(events: readonly RunEvent[], groupId: string): readonly GroupEvent[] {
  const found = new Map<string, GroupEvent>();
  for (const { type, data } of events) {
    const { groupSeq, eventId } = data;
    if (data['groupId'] !== groupId || typeof groupSeq !== 'number' || typeof eventId !== 'string') continue;
    if (!(groupEventTypes as readonly string[]).includes(type) || found.has(eventId)) continue;
    found.set(eventId, { type: type as GroupEvent['type'], groupSeq, eventId, data });
  }
  return [...found.values()].toSorted((a, b) => a.groupSeq - b.groupSeq);
}

/** What is to be recorded of an entry of the group's own journal; undefined for what is not. Answers at one gate have one id. */
export function groupEventOf(entry: Entry): { readonly eventId: string; readonly event: NewEvent } | undefined {
  const at = { entry: entry.seq };
  switch (entry.type) {
    case 'group.created': {
      const { machine, concurrency } = dataOf<'group.created'>(entry);
      return event('GROUP_CREATED', 'created', { ...at, machine, concurrency });
    }
    case 'member.settled': {
      const { member, incarnation, attempt, outcome } = dataOf<'member.settled'>(entry);
      const id = `settled:${member}#${incarnation}`;
      return event('GROUP_MEMBER_SETTLED', id, { ...at, member, incarnation, attempt, outcome: json(outcome) });
    }
    case 'checkpoint': {
      const { effect: _, data, ...mark } = dataOf<'checkpoint'>(entry);
      const { reason = null } = mark;
      // Marks of one name and count are told apart by what they say.
      const about = reason === null && data === undefined ? '' : `:${inputHashOf({ reason, data: data ?? null })}`;
      return event(
        'GROUP_CHECKPOINT',
        `checkpoint:${mark.by ?? ''}:${mark.name}:${mark.settled}/${mark.total}${about}`,
        {
          ...at,
          ...mark,
          ...(data === undefined ? {} : bounded('data', data)),
        },
      );
    }
    case 'message': {
      const { id, to, body, ...letter } = dataOf<'message'>(entry);
      return event('GROUP_MESSAGE', `message:${id}:${to}`, {
        ...at,
        messageId: id,
        to,
        ...letter,
        ...bounded('body', body),
      });
    }
    case 'signal': {
      const { id, from, event: body } = dataOf<'signal'>(entry);
      // Told again, the answer itself has whoever asked hear it; its effect has another id in a journal made again.
      if (isTelling({ id, event: body })) return undefined;
      const heard = { ...at, messageId: id, from, to: 'coordinator', type: body.type };
      return event('GROUP_MESSAGE', `signal:${id}`, { ...heard, ...bounded('body', body as unknown as JsonValue) });
    }
    case 'gate.answered': {
      const { name, approved, note, by } = dataOf<'gate.answered'>(entry);
      const answer = {
        ...at,
        messageId: `gate:${name}`,
        from: by,
        to: 'coordinator',
        type: 'gate.answered',
        gate: name,
      };
      return event('GROUP_MESSAGE', `gate:${name}`, { ...answer, approved, ...bounded('body', note) });
    }
    case 'group.ended':
      return event('GROUP_ENDED', 'ended', { ...at, end: entry.data });
    default:
      return undefined;
  }
}

// What stands in the group's stream is written by us alone.
const dataOf = <Type extends keyof GroupEvents>(entry: Entry) => entry.data as unknown as GroupEvents[Type];
const json = (value: unknown) => value as JsonValue;

function event(type: GroupEvent['type'], eventId: string, data: object) {
  // Absent is absent: babysitter's JSON has no undefined.
  const fields = Object.entries(data).filter(([, value]) => value !== undefined);
  return { eventId, event: { type, data: Object.fromEntries(fields) as EventData } };
}

function bounded(field: string, value: JsonValue): EventData {
  return Buffer.byteLength(JSON.stringify(value)) <= bodyBytesMax
    ? { [field]: value }
    : { [`${field}IsLeftOut`]: true };
}
