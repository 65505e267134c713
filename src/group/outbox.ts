import { canonical, quoted, toJson, type JsonValue } from '../json.ts';
import { rootAddress } from './address.ts';
import type { Key } from './cell.ts';
import { hashTexts, type Digest } from './digest.ts';
import type { Address, Delivery, Effect, EventObject } from './effect.ts';
import type { Limits } from './limits.ts';
import type { Heard } from './snapshot.ts';

/** An effect without its id. */
export type Asked =
  Exclude<Effect, { readonly type: 'deliver' }> extends infer E
    ? E extends { readonly id: string }
      ? Omit<E, 'id'>
      : never
    : never;

/** What a turn asks of the world and which deliveries it derives, in order; both go into the digest as they come. */
export class Outbox {
  readonly effects: Effect[] = [];
  readonly derived: Delivery[] = [];
  private readonly seq: number;
  private readonly lanes: Digest;
  private readonly limits: Limits;

  constructor(seq: number, lanes: Digest, limits: Limits) {
    this.seq = seq;
    this.lanes = lanes;
    this.limits = limits;
  }

  ask(effect: Asked): void {
    // Each caller spells out one kind; the union cannot be rebuilt by spreading.
    this.effects.push({ id: `${this.seq}:${this.effects.length}`, ...effect } as Effect);
    const { lanes } = this;
    lanes.text(effect.type);
    if ('address' in effect) lanes.text(effect.address);
    // Digests are older than what an emitted event says of its machine's incarnation.
    if ('incarnation' in effect && effect.type !== 'emit') lanes.number(effect.incarnation);
    if ('timer' in effect) lanes.text(effect.timer);
    if ('dueAt' in effect) lanes.number(effect.dueAt);
    // Inputs and ends were checked to be JSON; their own types do not say so.
    if (effect.type === 'invoke') lanes.json(effect.input as unknown as JsonValue);
    if (effect.type === 'emit' || effect.type === 'deadLetter') lanes.json(effect.event);
    if (effect.type === 'log') lanes.json(effect.value);
    if (effect.type === 'end') lanes.json(effect as unknown as JsonValue);
  }

  /** A member hears something: as {@link ask}, without its detours, for it comes with every message. */
  deliver({ place: { address }, incarnation }: Key, from: string, event: EventObject): void {
    this.effects.push({ id: `${this.seq}:${this.effects.length}`, type: 'deliver', address, incarnation, from, event });
    const { lanes } = this;
    lanes.text('deliver');
    lanes.text(address);
    lanes.number(incarnation);
    lanes.hash(hashTexts(textsOf(event)));
  }

  /** One actor sends to another; `from` is undefined for the start of the coordinator. */
  note(from: Key | undefined, to: Key, event: Heard): void {
    this.derived.push({ from: from?.place.address ?? rootAddress, to: to.place.address, event });
    this.limits.within('deliveriesPerTurnMax', this.derived.length, 'deliveries in one turn');
    if (from !== undefined) this.lanes.hash(from.place.hash);
    this.lanes.hash(to.place.hash);
    this.lanes.text(event.type);
  }

  /** Says that something could not be delivered. */
  deadLetter(from: string, to: Address, event: Heard, reason: string): void {
    let letter: EventObject;
    try {
      letter = letterOf(event, 'event');
    } catch {
      letter = { type: event.type };
    }
    this.ask({ type: 'deadLetter', from, to, event: letter, reason });
  }
}

/** The canonical text in pieces, told at once where it is a message with nothing but body, from, id and type. */
export function textsOf(event: EventObject): readonly string[] {
  const { body, from, id, type } = event;
  let fields = 0;
  for (const _ in event) fields += 1;
  if (fields !== 4 || body === undefined || typeof from !== 'string' || typeof id !== 'string')
    return [canonical(event)];
  const told = typeof body === 'string' && isBare(body) ? ['{"body":"', body, '"'] : ['{"body":', canonical(body)];
  if (isBare(id)) told.push(',"from":', quoted(from), ',"id":"', id, '","type":', quoted(type), '}');
  else told.push(',"from":', quoted(from), ',"id":', JSON.stringify(id), ',"type":', quoted(type), '}');
  return told;
}

/** True for a text that stands in JSON as it is. */
function isBare(text: string): boolean {
  return !marked.test(text);
}

/** What JSON escapes. */
const marked = /["\\\u0000-\u001f\ud800-\udfff]/;

/** An event that leaves the group: JSON, checked. Throws NOT_JSON. */
export function letterOf(event: unknown, label: string): EventObject {
  return toJson(event, label) as EventObject;
}
