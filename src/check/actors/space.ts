/**
 * The space of a model: a vector is one local state for each actor, the content of the network, and where they are asked for the
 * history and what is left of the budgets.
 */
import type { JsonValue } from '../../json.ts';
import { PairMap } from '../engine/pair-map.ts';
import type { Sequences } from '../engine/sequences.ts';
import { actionKind, type Emit, type Space } from '../engine/space.ts';
import type { Actor, EventTable } from './actor.ts';
import type { Network } from './network.ts';
import type { ModelOptions } from './options.ts';

/** Envelopes by number. */
export interface Envelopes {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly event: readonly number[];
}

/** Histories by number; absent where none is kept. */
export interface Records {
  readonly initial: number;
  sent(record: number, envelope: number): number;
  delivered(record: number, envelope: number): number;
}

/** What a space is made of. */
export interface Parts {
  readonly options: ModelOptions;
  readonly actors: readonly Actor[];
  /** Inputs of each beginning, by actor. */
  readonly beginnings: readonly (readonly JsonValue[])[];
  readonly events: EventTable;
  readonly envelopes: Envelopes;
  readonly lists: Sequences;
  readonly network: Network;
  readonly records: Records | undefined;
  readonly isInside: (() => boolean) | undefined;
  readonly isEnd: () => boolean;
}

/** Kinds of actions, in the low bits of their numbers. */
export const kinds = { deliver: 0, keep: 1, drop: 2, own: 3 } as const;

/** Makes the space. */
export class ActorSpace implements Space {
  readonly name: string;
  readonly width: number;
  readonly countsOutside: boolean;
  readonly current: Int32Array;
  readonly next: Int32Array;
  readonly networkAt: number;
  readonly recordAt: number;
  readonly dropsAt: number;
  readonly duplicatesAt: number;
  /** (actor, event) of own actions, in order of their numbers. */
  readonly own: (readonly [actor: number, event: number])[] = [];
  /** Set by the model where actors may change places. */
  canonical?: (key: Int32Array) => void;
  private readonly ownIds = new PairMap();
  private readonly parts: Parts;
  private emit: Emit = () => {};

  constructor(parts: Parts) {
    const { options, actors, records } = parts;
    this.parts = parts;
    this.name = options.name ?? 'model';
    this.countsOutside = options.countsOutside === true;
    let width = actors.length;
    this.networkAt = width++;
    this.recordAt = records === undefined ? -1 : width++;
    this.dropsAt = options.drops === undefined ? -1 : width++;
    this.duplicatesAt = (options.duplicates ?? 0) === 0 ? -1 : width++;
    this.width = width;
    this.current = new Int32Array(width);
    this.next = new Int32Array(width);
  }

  initial(emit: Emit): void {
    const { actors, beginnings, network, records, options } = this.parts;
    for (const [number, inputs] of beginnings.entries()) {
      const { next } = this;
      next[this.networkAt] = network.empty;
      if (records !== undefined) next[this.recordAt] = records.initial;
      if (this.dropsAt >= 0) next[this.dropsAt] = options.drops as number;
      if (this.duplicatesAt >= 0) next[this.duplicatesAt] = options.duplicates as number;
      for (const actor of actors) {
        const { local, sent } = actor.begin(inputs[actor.index] as JsonValue);
        next[actor.index] = local;
        this.send(sent);
      }
      if (this.parts.isInside?.() === false) continue;
      emit(-1 - number);
    }
  }

  expand(emit: Emit): void {
    this.emit = emit;
    const { current, next } = this;
    for (let index = 0; index < this.width; index += 1) next[index] = current[index] as number;
    this.deliveries();
    this.ownActions();
  }

  private deliveries(): void {
    const { current, next, networkAt } = this;
    const { network, options, envelopes, actors } = this.parts;
    const prunes = options.pruneNoOps ?? true;
    const isOrdered = network.kind === 'ordered';
    const isSet = network.kind === 'set';
    const content = current[networkAt] as number;
    const { pool } = network.contents;
    const start = network.contents.startOf(content);
    const end = network.contents.endOf(content);
    for (let at = start; at < end; at += 1) {
      const place = at - start;
      const envelope = pool[at] as number;
      const isDeliverable = network.isDeliverable(pool, start, at);
      if (options.lossy !== undefined && options.lossy !== false && (isDeliverable || options.lossy === 'anywhere'))
        this.drop(content, place, envelope);
      if (!isDeliverable) continue;
      const to = envelopes.to[envelope] as number;
      const actor = actors[to] as Actor;
      const local = current[to] as number;
      const result = actor.result(local, envelopes.event[envelope] as number);
      const flags = actor.flagsOf[result] as number;
      if (!isOrdered && (flags & (prunes ? 2 : 1)) === 0) continue;
      const sent = actor.sentOf[result] as number;
      next[to] = actor.nextOf[result] as number;
      // The first of all lists is the empty one.
      next[networkAt] = isSet && sent === 0 ? content : network.after(content, place, sent);
      this.recordDelivery(envelope, sent);
      this.take((envelope << 2) | kinds.deliver);
      if (this.duplicatesAt >= 0 && (current[this.duplicatesAt] as number) > 0) {
        next[networkAt] = network.after(content, -1, sent);
        next[this.duplicatesAt] = (current[this.duplicatesAt] as number) - 1;
        this.take((envelope << 2) | kinds.keep);
        next[this.duplicatesAt] = current[this.duplicatesAt] as number;
      }
      next[to] = local;
      next[networkAt] = content;
      if (this.recordAt >= 0) next[this.recordAt] = current[this.recordAt] as number;
    }
  }

  private drop(content: number, place: number, envelope: number): void {
    const { current, next, networkAt, dropsAt } = this;
    const { network } = this.parts;
    if (dropsAt >= 0) {
      if ((current[dropsAt] as number) === 0) return;
      next[dropsAt] = (current[dropsAt] as number) - 1;
    }
    next[networkAt] = network.without(content, place);
    this.take((envelope << 2) | kinds.drop);
    next[networkAt] = content;
    if (dropsAt >= 0) next[dropsAt] = current[dropsAt] as number;
  }

  private ownActions(): void {
    const { current } = this;
    const { actors } = this.parts;
    for (let index = 0; index < actors.length; index += 1) {
      const actor = actors[index] as Actor;
      const own = actor.own(current[index] as number);
      for (let at = 0; at < own.length; at += 2) this.ownAction(actor, own[at] as number, own[at + 1] as number);
    }
  }

  private ownAction(actor: Actor, event: number, result: number): void {
    const { current, next, networkAt } = this;
    const content = current[networkAt] as number;
    const sent = actor.sentOf[result] as number;
    next[actor.index] = actor.nextOf[result] as number;
    if (sent !== 0) next[networkAt] = this.parts.network.after(content, -1, sent);
    this.recordSent(sent);
    this.take((this.ownId(actor.index, event) << 2) | kinds.own);
    next[actor.index] = current[actor.index] as number;
    next[networkAt] = content;
    if (this.recordAt >= 0) next[this.recordAt] = current[this.recordAt] as number;
  }

  private take(action: number): void {
    const { isInside } = this.parts;
    this.emit(action, isInside !== undefined && !isInside());
  }

  private ownId(actor: number, event: number): number {
    const known = this.ownIds.get(actor, event);
    if (known >= 0) return known;
    this.own.push([actor, event]);
    this.ownIds.set(actor, event, this.own.length - 1);
    return this.own.length - 1;
  }

  private send(sent: number): void {
    const { next, networkAt } = this;
    next[networkAt] = this.parts.network.after(next[networkAt] as number, -1, sent);
    this.recordSent(sent);
  }

  private recordDelivery(envelope: number, sent: number): void {
    const { records } = this.parts;
    if (records === undefined) return;
    this.next[this.recordAt] = records.delivered(this.next[this.recordAt] as number, envelope);
    this.recordSent(sent);
  }

  private recordSent(sent: number): void {
    const { records, lists } = this.parts;
    if (records === undefined) return;
    for (const envelope of lists.read(sent))
      this.next[this.recordAt] = records.sent(this.next[this.recordAt] as number, envelope);
  }

  kindOf(action: number): number {
    if (action < 0) return 0;
    const kind = action & 3;
    if (kind === kinds.keep || kind === kinds.drop) return actionKind.fault;
    return kind === kinds.own && this.isTimer(action >>> 2) ? actionKind.timer : 0;
  }

  /** Deliveries are fair: per message, on an ordered network per channel; moves of fair actors, and timers, each for itself. */
  classOf(action: number): number {
    if (action < 0) return 0;
    const { envelopes, network, actors, options, events } = this.parts;
    const number = action >>> 2;
    switch (action & 3) {
      case kinds.deliver: {
        if (network.kind !== 'ordered') return 1 + number * 2;
        const channel = (envelopes.from[number] as number) * actors.length + (envelopes.to[number] as number);
        return 1 + channel * 2;
      }
      case kinds.own: {
        const [index] = this.own[number] as readonly [number, number];
        const actor = options.actors[(actors[index] as Actor).id];
        const isFair = actor !== undefined && 'machine' in actor && 'isFair' in actor && actor.isFair === true;
        return isFair || events.kindOf((this.own[number] as readonly [number, number])[1]) === 'timer'
          ? 2 + number * 2
          : 0;
      }
      default:
        return 0;
    }
  }

  isEnd(): boolean {
    return this.parts.isEnd();
  }

  private isTimer(own: number): boolean {
    return this.parts.events.kindOf((this.own[own] as readonly [number, number])[1]) === 'timer';
  }
}
