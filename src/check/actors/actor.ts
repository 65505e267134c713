/** One actor of a network: its local states, and what each event makes of them, asked of the kernel once. */
import type { JsonValue } from '../../json.ts';
import type { Effect } from '../../group/effect.ts';
import { timers } from '../../group/step.ts';
import { PairMap } from '../engine/pair-map.ts';
import type { Sequences } from '../engine/sequences.ts';
import { Finding } from '../engine/space.ts';
import { rootOf } from '../kernel/locals.ts';
import type { Steps } from '../kernel/steps.ts';
import { eventText } from '../event-text.ts';
import type { TellEvent } from '../tell.ts';

/** Events by number: what an actor can be told, and its timers. */
export interface EventTable {
  idOf(kind: 'event' | 'timer', data: JsonValue): number;
  kindOf(id: number): 'event' | 'timer';
  dataOf(id: number): JsonValue & { readonly [name: string]: JsonValue };
}

/** What an actor is made of. */
export interface ActorParts {
  readonly id: string;
  readonly index: number;
  readonly steps: Steps;
  /** Events that it may meet of itself. */
  readonly moves: readonly number[];
}

const nothing: Int32Array = new Int32Array(0);

/** What an event comes to, by the number of the result. */
export class Actor {
  readonly id: string;
  readonly index: number;
  readonly steps: Steps;
  /** Envelope numbers sent, in order, by result: a sequence of {@link lists}. */
  readonly sentOf: number[] = [];
  readonly nextOf: number[] = [];
  /** Bit 1: the machine has a transition for it. Bit 2: it changed or sent something. */
  readonly flagsOf: number[] = [];
  readonly lists: Sequences;
  private readonly results = new PairMap();
  private readonly events: EventTable;
  private readonly envelopeOf: (from: number, to: string, event: JsonValue, sender: string) => number;
  private readonly ownOf: (Int32Array | undefined)[] = [];
  private readonly moves: readonly number[];

  constructor(
    { id, index, steps, moves }: ActorParts,
    events: EventTable,
    lists: Sequences,
    envelopeOf: Actor['envelopeOf'],
  ) {
    this.id = id;
    this.index = index;
    this.steps = steps;
    this.moves = moves;
    this.events = events;
    this.lists = lists;
    this.envelopeOf = envelopeOf;
  }

  /** The first state for this input, and what it sends. */
  begin(input: JsonValue): { readonly local: number; readonly sent: number } {
    const { local, effects } = this.steps.begin(input);
    this.refuseFailure(local, 'begin');
    return { local, sent: this.sent(effects) };
  }

  /** The number of the result of an event in a state. */
  result(local: number, event: number): number {
    const known = this.results.get(local, event);
    return known >= 0 ? known : this.work(local, event);
  }

  /** What the actor can do of itself in a state, as pairs of event and result: those of its `moves` that it has a transition for, and its timers. */
  own(local: number): Int32Array {
    const known = this.ownOf[local];
    if (known !== undefined) return known;
    const pairs: number[] = [];
    for (const event of this.moves) {
      const result = this.result(local, event);
      if (((this.flagsOf[result] as number) & 1) === 1) pairs.push(event, result);
    }
    for (const timer of timers(this.steps.locals.systemOf(local))) {
      const event = this.events.idOf('timer', timer as unknown as JsonValue);
      pairs.push(event, this.result(local, event));
    }
    const own = pairs.length === 0 ? nothing : Int32Array.from(pairs);
    this.ownOf[local] = own;
    return own;
  }

  bytes(): number {
    return this.results.bytes() + this.nextOf.length * 24;
  }

  private work(local: number, event: number): number {
    const { steps, events } = this;
    const data = events.dataOf(event);
    const isTimer = events.kindOf(event) === 'timer';
    const system = steps.locals.systemOf(local);
    const isActive = system.end === undefined;
    const isHandled = isActive && (isTimer || rootOf(system).can(data as unknown as { readonly type: string }));
    let next = local;
    let sent = this.lists.idOf([]);
    if (isActive) {
      const stepped = isTimer
        ? steps.step(local, 'timer.fired', data, 0)
        : steps.step(local, 'signal', { id: 'event', from: 'actor', event: data }, 0);
      this.refuseFailure(stepped.local, eventText(data));
      next = stepped.local;
      sent = this.sent(stepped.effects);
    }
    const hasDone = next !== local || this.lists.lengthOf(sent) > 0;
    const result = this.nextOf.length;
    this.nextOf.push(next);
    this.sentOf.push(sent);
    this.flagsOf.push((isHandled ? 1 : 0) | (hasDone ? 2 : 0));
    this.results.set(local, event, result);
    return result;
  }

  private sent(effects: readonly Effect[]): number {
    const envelopes: number[] = [];
    for (const effect of effects) {
      if (effect.type !== 'emit' || effect.event.type !== 'troupe.tell') continue;
      const { to, event } = effect.event as unknown as TellEvent;
      envelopes.push(this.envelopeOf(this.index, to, event, this.id));
    }
    return this.lists.idOf(envelopes);
  }

  /** An actor of a model that fails is a bug in its machine. */
  private refuseFailure(local: number, what: string): void {
    const { end } = this.steps.locals.systemOf(local);
    if (end?.status === 'failed')
      throw new Finding('noFailure', `actor \`${this.id}\` failed at ${what}: ${end.error.message}`);
  }
}
