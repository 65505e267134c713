/** Keeps a group's control events in its run's journal: those recorded already are known by their ids, what comes is appended in batches. */
import type { Entry } from '../journal/port.ts';
import type { JsonValue } from '../json.ts';
import { groupEventOf, groupEventsIn, messagesMax } from './group-events.ts';
import type { EventData } from './run/event-text.ts';
import type { RunFolder } from './run/run-folder.ts';
import type { NewEvent } from './run/write-events.ts';

/** Events of one group on their way into its run's journal. */
export interface Mirror {
  /** Takes an entry of the group's stream; the same one may come again. */
  take(entry: Entry): void;
  /** Resolves when everything taken is durable there. Codes: those of the folder's `append`. */
  flushed(): Promise<void>;
}

/** What is recorded with each event, whose it is. */
export interface MirrorOptions {
  readonly folder: RunFolder;
  readonly name: string;
  readonly groupId: string;
  /** Further facts, for the first event. */
  readonly created: EventData;
  /** Puts what is too large for an event into a file; what it returns stands in its place. */
  spill(value: JsonValue): JsonValue;
}

/** The mirror of one group. */
export function mirrorOf({ folder, name, groupId, created, spill }: MirrorOptions): Mirror {
  const recorded = groupEventsIn(folder.events(), groupId);
  const known = new Set(recorded.map(({ eventId }) => eventId));
  let groupSeq = recorded.at(-1)?.groupSeq ?? 0;
  let messages = recorded.filter(({ type }) => type === 'GROUP_MESSAGE').length;
  let messagesLeftOut = 0;
  /** Of the group's own stream, which is taken from its first entry on. */
  let entrySeq = 0;
  const answers = new Map<string, number>();
  let waiting: NewEvent[] = [];
  let writing: Promise<void> | undefined;

  /** A gate that is asked again has a second answer, which is the second however often the stream is taken. */
  const counted = (gate: string): string => {
    const time = (answers.get(gate) ?? 0) + 1;
    answers.set(gate, time);
    return time === 1 ? gate : `${time}:${gate}`;
  };

  const write = async () => {
    while (waiting.length > 0) {
      const batch = [...waiting];
      await folder.append(batch);
      waiting = waiting.slice(batch.length);
    }
  };
  const begin = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  };

  return {
    take(entry) {
      if (entry.seq <= entrySeq) return;
      entrySeq = entry.seq;
      const found = groupEventOf(entry);
      if (found === undefined) return;
      const eventId = entry.type === 'gate.answered' ? counted(found.eventId) : found.eventId;
      if (known.has(eventId)) return;
      known.add(eventId);
      const { type, data } = found.event;
      if (type === 'GROUP_MESSAGE' && messages >= messagesMax) {
        messagesLeftOut += 1;
        return;
      }
      if (type === 'GROUP_MESSAGE') messages += 1;
      groupSeq += 1;
      const own: EventData = { groupId, groupSeq, eventId, group: name };
      const more: EventData =
        type === 'GROUP_CREATED' ? created : type === 'GROUP_ENDED' && messagesLeftOut > 0 ? { messagesLeftOut } : {};
      const outcome = data['outcome'] === undefined ? {} : { outcome: spill(data['outcome']) };
      const end = data['end'] === undefined ? {} : { end: spill(data['end']) };
      waiting.push({ type, data: { ...own, ...data, ...outcome, ...end, ...more } });
      // What cannot be written now is written with the next, or when it is waited for.
      begin().catch(() => {});
    },
    async flushed() {
      while (waiting.length > 0 || writing !== undefined) await begin();
    },
  };
}
