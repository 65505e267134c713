/** Reading vectors of a model: what properties are told, and what a trace says. */
import type { JsonValue } from '../../json.ts';
import type { Step } from '../checkable.ts';
import { eventText } from '../event-text.ts';
import { rootOf, type Facade } from '../kernel/locals.ts';
import type { Actor, EventTable } from './actor.ts';
import type { Envelope } from './history.ts';
import type { Network } from './network.ts';
import type { ModelState } from './options.ts';
import { kinds, type ActorSpace, type Envelopes } from './space.ts';

/** What numbers in a model's vectors stand for. */
export interface Tables {
  readonly ids: readonly string[];
  readonly actors: readonly Actor[];
  readonly events: EventTable;
  readonly envelopes: Envelopes;
  readonly network: Network;
}

/** The message of this number. */
export function envelopeAt({ ids, envelopes, events }: Tables, envelope: number): Envelope {
  return {
    from: ids[envelopes.from[envelope] as number] as string,
    to: ids[envelopes.to[envelope] as number] as string,
    event: events.dataOf(envelopes.event[envelope] as number) as unknown as Envelope['event'],
  };
}

/** A state that always tells of what `vector` holds at the moment. */
export function actorState<Record extends JsonValue>(
  tables: Tables,
  space: ActorSpace,
  vector: () => Int32Array,
  records: { recordOf(id: number): Record } | undefined,
): { readonly state: ModelState<Record> } {
  const actors: { [id: string]: Facade } = {};
  for (const actor of tables.actors) {
    const facades: Facade[] = [];
    Object.defineProperty(actors, actor.id, {
      enumerable: true,
      get() {
        const local = vector()[actor.index] as number;
        return (facades[local] ??= rootOf(actor.steps.locals.systemOf(local)));
      },
    });
  }
  return {
    state: {
      actors,
      get messages() {
        const content = tables.network.contents.read(vector()[space.networkAt] as number);
        return Array.from(content, (envelope) => envelopeAt(tables, envelope));
      },
      get history() {
        // Who reads a history has given one.
        return (space.recordAt < 0 ? null : records?.recordOf(vector()[space.recordAt] as number)) as Record;
      },
    },
  };
}

/** What an action did. */
export function describeAction(tables: Tables, space: ActorSpace, action: number): Step {
  if (action < 0)
    return { type: 'begin', at: tables.ids[0] as string, text: action === -1 ? 'begin' : `begin ${-action}` };
  const number = action >>> 2;
  const kind = action & 3;
  if (kind === kinds.own) {
    const [index, event] = space.own[number] as readonly [number, number];
    const at = tables.ids[index] as string;
    const data = tables.events.dataOf(event);
    if (tables.events.kindOf(event) === 'timer') return { type: 'timer', at, text: `${eventText(data)} fires`, data };
    return { type: 'move', at, text: eventText(data), data };
  }
  const { from, to, event } = envelopeAt(tables, number);
  const text = eventText(event);
  if (kind === kinds.drop) return { type: 'drop', at: to, from, text: `${text} is lost`, isFault: true, data: event };
  if (kind === kinds.keep)
    return { type: 'deliver', at: to, from, text: `${text}, and stays in flight`, isFault: true, data: event };
  return { type: 'deliver', at: to, from, text, data: event };
}
