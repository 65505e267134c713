/**
 * Vectors of a group's world: the actor system as one local state, the open gates, what is left of the budgets, and one record for
 * each member that was ever asked for; and how a transition is made of an entry's turn and changes of records.
 */
import { TroupeError } from '../../error.ts';
import type { JsonValue } from '../../json.ts';
import { PairMap } from '../engine/pair-map.ts';
import { Sequences } from '../engine/sequences.ts';
import { Finding, Widen, type Emit } from '../engine/space.ts';
import type { Behaviours, Settling } from './behaviours.ts';
import { actionsOf, type Actions, type Deed } from './deeds.ts';
import type { Faults, ProtocolMessage, ProtocolOptions } from './options.ts';
import type { Slots } from './slots.ts';
import type { Turn, Turns } from './turns.ts';
import type { NamedChange, World } from './world.ts';

/** Kinds of changes that a number beside them decides, for their memo. */
export const changeKinds = { ended: 0, taken: 1, kept: 2, retried: 3, lost: 4, crashed: 5, sent: 6, over: 7 } as const;
type ChangeKind = (typeof changeKinds)[keyof typeof changeKinds];

const faultNames = [
  'hostCrash',
  'memberCrash',
  'duplicate',
  'drop',
  'late',
] as const satisfies readonly (keyof Faults)[];

/** What a space is made of. */
export interface GroupParts {
  readonly options: Pick<
    ProtocolOptions<JsonValue, unknown, unknown>,
    'cancel' | 'executionsAtMost' | 'faults' | 'input' | 'messages' | 'name' | 'network' | 'timers'
  >;
  readonly behaviours: Behaviours;
  readonly world: World;
  readonly slots: Slots;
  readonly addresses: string[];
  readonly hasTurns: () => Turns;
}

/** Layout, and how transitions are put together. What can happen is in `space.ts`. */
export abstract class GroupVectors {
  readonly name: string;
  width: number;
  current: Int32Array;
  next: Int32Array;
  readonly gateSets: Sequences = new Sequences();
  /** Results on their way: incarnation, attempt and outcome by number. */
  readonly results: Sequences = new Sequences();
  /** Place of each budget that there is. */
  readonly budgetAt: { readonly [Fault in keyof Faults]?: number };
  readonly slotsAt: number;
  readonly messages: readonly ProtocolMessage[];
  /** Place of what is left of each message; -1: it has no bound. */
  readonly messageAt: readonly number[];
  canonical?: (key: Int32Array) => void;
  protected readonly parts: GroupParts;
  protected readonly slotOfAddress = new Map<string, number>();
  private readonly changeIds = new PairMap();
  private readonly settlements = new PairMap();
  private readonly wanted = new PairMap();
  readonly actions: Actions = actionsOf((entry) => this.turns.timerOf(entry));
  protected turns: Turns;
  /** Place of the budget that the transition being made uses up; -1: none. */
  protected spent = -1;
  protected emit: Emit = () => {};

  constructor(parts: GroupParts) {
    this.parts = parts;
    this.turns = parts.hasTurns();
    const { options } = parts;
    this.name = options.name ?? 'protocol';
    let width = 2;
    const budgetAt: { -readonly [Fault in keyof Faults]?: number } = {};
    for (const fault of faultNames) if ((options.faults?.[fault] ?? 0) > 0) budgetAt[fault] = width++;
    this.budgetAt = budgetAt;
    this.messages = options.messages ?? [];
    this.messageAt = this.messages.map(({ times }) => (times === undefined ? -1 : width++));
    this.slotsAt = width;
    this.width = width;
    this.current = new Int32Array(width);
    this.next = new Int32Array(width);
    this.gateSets.idOf([]);
    for (const address of parts.addresses) this.slotOf(address);
    this.grow();
  }

  initial(emit: Emit): void {
    this.turns = this.parts.hasTurns();
    const { options } = this.parts;
    const result = this.turns.begin(options.input);
    this.refuseFailed(result);
    if (this.grow()) throw new Widen(this.width);
    const { next } = this;
    next.fill(0);
    for (const fault of faultNames) {
      const at = this.budgetAt[fault];
      if (at !== undefined) next[at] = options.faults?.[fault] as number;
    }
    for (const [index, { times }] of this.messages.entries())
      if (times !== undefined) next[this.messageAt[index] as number] = times;
    this.apply(result);
    emit(this.actions.of('begin', 0, 0));
  }

  /** Of a group that fails before anybody could do anything, whatever is asked would be verified. Code: BAD_INPUT. */
  private refuseFailed(result: number): void {
    const { steps, nextOf } = this.turns;
    const { end } = steps.locals.systemOf(nextOf[result] as number);
    if (end?.status === 'failed')
      throw new TroupeError(
        'BAD_INPUT',
        `protocol \`${this.name}\`: expected a group that goes on after its first turn, and it fails there: ${end.error.message}. Mend its \`input\`, or its machine.`,
      );
  }

  /** The slot of a member, made when it is first asked for. */
  slotOf(address: string): number {
    const known = this.slotOfAddress.get(address);
    if (known !== undefined) return known;
    const slot = this.slotOfAddress.size;
    this.slotOfAddress.set(address, slot);
    if (this.parts.addresses[slot] !== address) this.parts.addresses.push(address);
    return slot;
  }

  /** Where the record of a member stands. Throws {@link Widen} for one that was not asked for before. */
  placeOf(address: string): number {
    const slot = this.slotOf(address);
    if (this.grow()) throw new Widen(this.width);
    return this.slotsAt + slot;
  }

  /** Makes the vectors as long as there are slots; true when they were not. */
  protected grow(): boolean {
    const width = this.slotsAt + this.slotOfAddress.size;
    if (width <= this.width) return false;
    this.width = width;
    this.current = new Int32Array(width);
    this.next = new Int32Array(width);
    return true;
  }

  /** Does it where the budget is not used up yet; without a budget, never. */
  protected spend(at: number | undefined, work: () => void): void {
    if (at === undefined || (this.current[at] as number) === 0) return;
    this.spent = at;
    work();
    this.spent = -1;
  }

  protected reset(): void {
    const { current, next, width } = this;
    for (let index = 0; index < width; index += 1) next[index] = current[index] as number;
    if (this.spent >= 0) next[this.spent] = (current[this.spent] as number) - 1;
  }

  protected changeSlot(slot: number, change: number): void {
    const at = this.slotsAt + slot;
    this.next[at] = this.parts.slots.apply(this.next[at] as number, change);
  }

  /** The number of a change that `kind` and `key` alone decide; made once. */
  protected changeOf(kind: ChangeKind, key: number, make: () => NamedChange): number {
    const known = this.changeIds.get(kind, key);
    if (known >= 0) return known;
    const id = this.named(make());
    this.changeIds.set(kind, key, id);
    return id;
  }

  protected named({ name, change }: NamedChange): number {
    return this.parts.slots.changeOf(name, change);
  }

  /** The entry of a result on its way. */
  protected settlementOf(slot: number, result: number): number {
    const known = this.settlements.get(slot, result);
    if (known >= 0) return known;
    const [incarnation = 0, , outcome = 0] = this.results.read(result);
    const event = this.turns.eventOf(
      settlement(this.addressOf(slot), incarnation, this.parts.behaviours.outcomeOf(outcome)),
    );
    this.settlements.set(slot, result, event);
    return event;
  }

  protected isWanted(local: number, event: number): boolean {
    const known = this.wanted.get(local, event);
    if (known >= 0) return known === 1;
    const is = this.turns.isWanted(local, this.turns.turnOf(event).data);
    this.wanted.set(local, event, is ? 1 : 0);
    return is;
  }

  /** Something in the world alone. */
  protected change(deed: Deed, slot: number, detail: number, change: number): void {
    this.reset();
    this.changeSlot(slot, change);
    this.take(deed, slot, detail);
  }

  /** An entry is folded, after a change in the world if there is one. */
  protected turn(deed: Deed, slot: number, detail: number, event: number, change = -1): void {
    this.reset();
    if (change >= 0) this.changeSlot(slot, change);
    this.step(event, this.actions.of(deed, slot, detail));
    this.take(deed, slot, detail);
  }

  protected step(event: number, action: number): void {
    if (this.turns.hasEnded(this.next[0] as number)) return;
    let result: number;
    try {
      result = this.turns.result(this.next[0] as number, event);
    } catch (error) {
      if (error instanceof Finding) throw new Finding(error.property, error.message, action);
      throw error;
    }
    if (this.grow()) throw new Widen(this.width);
    this.apply(result);
  }

  protected apply(result: number): void {
    const { next, turns, slotsAt, width } = this;
    const { slots, world } = this.parts;
    const local = turns.nextOf[result] as number;
    next[0] = local;
    if (turns.hasEnded(local)) {
      next[1] = 0;
      const over = this.changeOf(changeKinds.over, 0, () => world.over());
      for (let at = slotsAt; at < width; at += 1) if (next[at] !== 0) next[at] = slots.apply(next[at] as number, over);
      return;
    }
    const { plans, gateLists } = turns;
    const plan = turns.planOf[result] as number;
    for (let at = plans.startOf(plan); at < plans.endOf(plan); at += 2) {
      const slot = slotsAt + (plans.pool[at] as number);
      next[slot] = slots.apply(next[slot] as number, plans.pool[at + 1] as number);
    }
    const opened = turns.gatesOf[result] as number;
    if (gateLists.lengthOf(opened) === 0 && (next[1] === 0 || !turns.hasNestedGates)) return;
    const gates = new Set([...this.gateSets.read(next[1] as number), ...gateLists.read(opened)]);
    // A machine that is gone waits for no answer.
    const asking = [...gates].filter((gate) => turns.isAsking(local, gate));
    next[1] = this.gateSets.idOf(asking.sort((a, b) => a - b));
  }

  protected take(deed: Deed, slot: number, detail: number): void {
    const { executionsAtMost } = this.parts.options;
    if (executionsAtMost !== undefined) this.count(executionsAtMost, this.actions.of(deed, slot, detail));
    this.emit(this.actions.of(deed, slot, detail));
  }

  protected count(most: number, action: number): void {
    for (let at = this.slotsAt; at < this.width; at += 1) {
      const { executions } = this.parts.slots.recordOf(this.next[at] as number);
      if (executions > most)
        throw new Finding(
          'executionsAtMost',
          `attempts of member \`${this.addressOf(at - this.slotsAt)}\` are begun ${executions} times, at most ${most} are allowed`,
          action,
        );
    }
  }

  addressOf(slot: number): string {
    return this.parts.addresses[slot] as string;
  }
}

/** The entry of a result. Which attempt it was of is nothing to the actors. */
function settlement(member: string, incarnation: number, outcome: Settling): Turn {
  return {
    type: 'member.settled',
    data: { member, incarnation, attempt: 1, outcome: outcome as unknown as JsonValue },
  };
}
