/**
 * The space of a protocol. A vector is the group's actor system as one local state, the open gates, what is left of the budgets,
 * and one record for each member that was ever asked for. An entry of the journal is one transition, and so is everything that the
 * world does between entries.
 */
import type { JsonValue } from '../../json.ts';
import { coordinatorName, rootAddress } from '../../group/address.ts';
import { wants } from '../../group/step.ts';
import { PairMap } from '../engine/pair-map.ts';
import { Sequences } from '../engine/sequences.ts';
import { actionKind, Finding, Widen, type Emit, type Space } from '../engine/space.ts';
import type { Behaviours, Settling } from './behaviours.ts';
import type { Faults, ProtocolMessage, ProtocolOptions } from './options.ts';
import type { Slots } from './slots.ts';
import type { Turn, Turns } from './turns.ts';
import type { NamedChange, World } from './world.ts';

/** What can happen, in the low bits of an action. */
export const deeds = [
  'begin',
  'ended',
  'crashed',
  'settled',
  'settled again',
  'retried',
  'dropped',
  'told late',
  'read',
  'moved',
  'member timer',
  'sent',
  'timer',
  'message',
  'gate',
  'cancelled',
  'host crashed',
] as const;

/** A kind of deed. */
export type Deed = (typeof deeds)[number];

/** Kinds of changes, for their memo. */
const changeKinds = { ended: 0, taken: 1, kept: 2, retried: 3, lost: 4, told: 5, crashed: 6, sent: 7 } as const;
type ChangeKind = (typeof changeKinds)[keyof typeof changeKinds];

const deedBits = 5;
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

/** One action, taken apart. */
export interface TakenApart {
  readonly deed: Deed;
  /** Slot, for what a member does; else 0. */
  readonly slot: number;
  readonly detail: number;
}

/** Makes the space. */
export class GroupSpace implements Space {
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
  private readonly messageAt: readonly number[];
  canonical?: (key: Int32Array) => void;
  private readonly parts: GroupParts;
  private readonly slotOfAddress = new Map<string, number>();
  private readonly actionIds = new PairMap();
  private readonly changeIds = new PairMap();
  private readonly settlements = new PairMap();
  private readonly wanted = new PairMap();
  private readonly actions: { readonly slot: number; readonly detail: number }[] = [];
  private turns: Turns;
  /** Place of the budget that the transition being made uses up; -1: none. */
  private spent = -1;
  private emit: Emit = () => {};

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

  /** The slot of a member, made when it is first asked for. */
  slotOf(address: string): number {
    const known = this.slotOfAddress.get(address);
    if (known !== undefined) return known;
    const slot = this.slotOfAddress.size;
    this.slotOfAddress.set(address, slot);
    if (this.parts.addresses[slot] !== address) this.parts.addresses.push(address);
    return slot;
  }

  /** Makes the vectors as long as there are slots; true when they were not. */
  private grow(): boolean {
    const width = this.slotsAt + this.slotOfAddress.size;
    if (width <= this.width) return false;
    this.width = width;
    this.current = new Int32Array(width);
    this.next = new Int32Array(width);
    return true;
  }

  initial(emit: Emit): void {
    this.turns = this.parts.hasTurns();
    const { options } = this.parts;
    const result = this.turns.begin(options.input);
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
    emit(this.action('begin', 0, 0));
  }

  expand(emit: Emit): void {
    this.emit = emit;
    this.spent = -1;
    const { current, next, width, slotsAt } = this;
    const local = current[0] as number;
    if (this.turns.hasEnded(local)) return;
    for (let index = 0; index < width; index += 1) next[index] = current[index] as number;
    for (let at = slotsAt; at < width; at += 1) if (current[at] !== 0) this.member(at - slotsAt, local);
    if (this.parts.options.timers !== 'none') {
      const timers = this.turns.timers(local);
      for (let index = 0; index < timers.length; index += 1)
        this.turn('timer', 0, timers[index] as number, timers[index] as number);
    }
    if (this.messages.length > 0) this.say();
    if (current[1] !== 0) this.answer();
    if (this.parts.options.cancel === true)
      this.turn('cancelled', 0, 0, this.turns.eventOf({ type: 'group.cancelled', data: { reason: 'cancelled' } }));
    this.crash();
  }

  // — Members —

  private member(slot: number, local: number): void {
    const { slots, behaviours, world } = this.parts;
    const id = this.current[this.slotsAt + slot] as number;
    const record = slots.recordOf(id);
    const address = this.addressOf(slot);
    const { budgetAt } = this;
    if (record.isRunning) {
      for (const outcome of behaviours.of(address).outcomes)
        this.change(
          'ended',
          slot,
          outcome,
          this.changeOf(changeKinds.ended, outcome, () => world.ended(outcome)),
        );
      if (behaviours.of(address).steps !== undefined) this.think(slot, address);
      this.spend(budgetAt.memberCrash, () =>
        this.change('crashed', slot, 0, this.named(world.ended(behaviours.crashed))),
      );
    }
    for (let place = 0; place < record.flying.length; place += 1) {
      const flying = record.flying[place] as readonly [number, number, number];
      const before = record.flying[place - 1];
      if (before !== undefined && before.every((part, index) => part === flying[index])) continue;
      const result = this.results.idOf(flying);
      const isCurrent = flying[0] === record.incarnation && flying[1] === record.attempt;
      if (isCurrent && world.isRetried(record, flying[2])) {
        const key = (slot << 10) | place;
        const change = this.changeOf(changeKinds.retried, key, () => world.retried(place, address));
        this.change('retried', slot, result, change);
      } else {
        const event = this.settlementOf(slot, result);
        const isSettled = this.isWanted(local, event);
        const key = (place << 1) | (isSettled ? 1 : 0);
        const taken = this.changeOf(changeKinds.taken, key, () => world.taken(place, isSettled));
        this.turn('settled', slot, result, event, taken);
        if (budgetAt.duplicate !== undefined) {
          const kept = this.changeOf(changeKinds.kept, key & 1, () => world.kept(isSettled));
          this.spend(budgetAt.duplicate, () => this.turn('settled again', slot, result, event, kept));
        }
      }
      if (budgetAt.drop !== undefined) {
        const lost = this.changeOf(changeKinds.lost, place, () => world.lost(place));
        this.spend(budgetAt.drop, () => this.change('dropped', slot, result, lost));
      }
    }
    for (let place = 0; place < record.outbox.length; place += 1) {
      this.send(slot, place, record.outbox[place] as number, local);
      if (this.parts.options.network !== 'bag') break;
    }
    for (let place = 0; place < record.givenUp.length; place += 1) this.tellLate(slot, place, address, local);
  }

  /** A member's own machine reads, moves, or has a timer fire. */
  private think(slot: number, address: string): void {
    const { slots, behaviours, world } = this.parts;
    const behaviour = behaviours.of(address);
    const record = slots.recordOf(this.current[this.slotsAt + slot] as number);
    const letter = record.mail[record.read];
    if (letter !== undefined)
      this.change(
        'read',
        slot,
        letter,
        this.named(world.minded(behaviours.hear(behaviour, record.mind, world.letterOf(letter)), true)),
      );
    for (const [index, move] of behaviour.moves.entries()) {
      const step = behaviours.hear(behaviour, record.mind, move);
      if (step.mind !== record.mind || step.sent.length > 0)
        this.change('moved', slot, index, this.named(world.minded(step, false)));
    }
    for (const [index, timer] of behaviours.timersOf(behaviour, record.mind).entries())
      this.change(
        'member timer',
        slot,
        index,
        this.named(world.minded(behaviours.fire(behaviour, record.mind, timer), false)),
      );
  }

  /** A member's message becomes an entry, for each of its recipients. */
  private send(slot: number, place: number, message: number, local: number): void {
    const { behaviours, world } = this.parts;
    const from = this.addressOf(slot);
    const { to, type, body } = behaviours.messageOf(message);
    const system = this.turns.steps.locals.systemOf(local);
    const recipients =
      to === '*'
        ? wants(system)
            .map(({ address }) => address)
            .filter((address) => address !== from)
        : [to === coordinatorName ? rootAddress : to];
    this.reset();
    this.changeSlot(
      slot,
      this.changeOf(changeKinds.sent, place, () => world.sent(place)),
    );
    for (const recipient of recipients) {
      const turn: Turn = {
        type: 'message',
        data: { id: 'message', from, to: recipient, type, body },
        isExplored: true,
      };
      this.step(this.turns.eventOf(turn), this.action('sent', slot, message));
    }
    this.take('sent', slot, message);
  }

  private tellLate(slot: number, place: number, address: string, local: number): void {
    const { slots, behaviours, world } = this.parts;
    const record = slots.recordOf(this.current[this.slotsAt + slot] as number);
    const [incarnation, attempt] = record.givenUp[place] as readonly [number, number];
    for (const outcome of behaviours.of(address).outcomes) {
      const result = this.results.idOf([incarnation, attempt, outcome]);
      const event = this.settlementOf(slot, result);
      const isSettled = this.isWanted(local, event);
      this.spend(this.budgetAt.late, () => {
        this.reset();
        this.changeSlot(slot, this.named(world.told(place)));
        if (isSettled) this.changeSlot(slot, this.named(world.kept(true)));
        this.step(event, this.action('told late', slot, result));
        this.take('told late', slot, result);
      });
    }
  }

  // — Everybody else —

  private say(): void {
    for (const [index, { from = 'outside', type, body, data, times }] of this.messages.entries()) {
      const at = this.messageAt[index] as number;
      if (times !== undefined && this.current[at] === 0) continue;
      let turn: Turn = { type: 'signal', data: { id: 'signal', from, event: { type, ...data } } };
      if (from !== 'outside') {
        const slot = this.slotOfAddress.get(from);
        if (slot === undefined || this.parts.slots.recordOf(this.current[this.slotsAt + slot] ?? 0).isRunning !== true)
          continue;
        turn = { type: 'message', data: { id: 'message', from, to: rootAddress, type, body: body ?? null } };
      }
      this.reset();
      if (times !== undefined) this.next[at] = (this.current[at] as number) - 1;
      this.step(this.turns.eventOf(turn), this.action('message', 0, index));
      this.take('message', 0, index);
    }
  }

  private answer(): void {
    const gates = this.gateSets.read(this.current[1] as number);
    for (let place = 0; place < gates.length; place += 1) {
      const gate = gates[place] as number;
      const name = this.turns.gateNames.textOf(gate);
      for (const type of ['approved', 'rejected']) {
        this.reset();
        this.next[1] = this.gateSets.idOf(Array.from(gates).filter((other) => other !== gate));
        const data = { id: 'gate', from: 'outside', event: { type, gate: name, note: '', by: 'outside' } };
        const detail = gate * 2 + (type === 'approved' ? 1 : 0);
        this.step(this.turns.eventOf({ type: 'signal', data }), this.action('gate', 0, detail));
        this.take('gate', 0, detail);
      }
    }
  }

  private crash(): void {
    const { world } = this.parts;
    this.spend(this.budgetAt.hostCrash, () => {
      this.reset();
      for (let at = this.slotsAt; at < this.width; at += 1) {
        if (this.current[at] === 0) continue;
        const slot = at - this.slotsAt;
        this.changeSlot(
          slot,
          this.changeOf(changeKinds.crashed, slot, () => world.hostCrashed(this.addressOf(slot))),
        );
      }
      this.take('host crashed', 0, 0);
    });
  }

  // — Taking transitions —

  /** Does it where the budget is not used up yet; without a budget, never. */
  private spend(at: number | undefined, work: () => void): void {
    if (at === undefined || (this.current[at] as number) === 0) return;
    this.spent = at;
    work();
    this.spent = -1;
  }

  private reset(): void {
    const { current, next, width } = this;
    for (let index = 0; index < width; index += 1) next[index] = current[index] as number;
    if (this.spent >= 0) next[this.spent] = (current[this.spent] as number) - 1;
  }

  private changeSlot(slot: number, change: number): void {
    const at = this.slotsAt + slot;
    this.next[at] = this.parts.slots.apply(this.next[at] as number, change);
  }

  /** The number of a change that `kind` and `key` alone decide; made once. */
  private changeOf(kind: ChangeKind, key: number, make: () => NamedChange): number {
    const known = this.changeIds.get(kind, key);
    if (known >= 0) return known;
    const id = this.named(make());
    this.changeIds.set(kind, key, id);
    return id;
  }

  private named({ name, change }: NamedChange): number {
    return this.parts.slots.changeOf(name, change);
  }

  /** The entry of a result on its way. */
  private settlementOf(slot: number, result: number): number {
    const known = this.settlements.get(slot, result);
    if (known >= 0) return known;
    const [incarnation = 0, , outcome = 0] = this.results.read(result);
    const event = this.turns.eventOf(
      settlement(this.addressOf(slot), incarnation, this.parts.behaviours.outcomeOf(outcome)),
    );
    this.settlements.set(slot, result, event);
    return event;
  }

  private isWanted(local: number, event: number): boolean {
    const known = this.wanted.get(local, event);
    if (known >= 0) return known === 1;
    const is = this.turns.isWanted(local, this.turns.turnOf(event).data);
    this.wanted.set(local, event, is ? 1 : 0);
    return is;
  }

  /** Something in the world alone. */
  private change(deed: Deed, slot: number, detail: number, change: number): void {
    this.reset();
    this.changeSlot(slot, change);
    this.take(deed, slot, detail);
  }

  /** An entry is folded, after a change in the world if there is one. */
  private turn(deed: Deed, slot: number, detail: number, event: number, change = -1): void {
    this.reset();
    if (change >= 0) this.changeSlot(slot, change);
    this.step(event, this.action(deed, slot, detail));
    this.take(deed, slot, detail);
  }

  private step(event: number, action: number): void {
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

  private apply(result: number): void {
    const { next, turns, slotsAt, width } = this;
    const { slots } = this.parts;
    next[0] = turns.nextOf[result] as number;
    if (turns.hasEnded(next[0])) {
      next.fill(0, slotsAt, width);
      next[1] = 0;
      return;
    }
    const { plans, gateLists } = turns;
    const plan = turns.planOf[result] as number;
    for (let at = plans.startOf(plan); at < plans.endOf(plan); at += 2) {
      const slot = slotsAt + (plans.pool[at] as number);
      next[slot] = slots.apply(next[slot] as number, plans.pool[at + 1] as number);
    }
    const opened = turns.gatesOf[result] as number;
    if (gateLists.lengthOf(opened) === 0) return;
    const gates = new Set([...this.gateSets.read(next[1] as number), ...gateLists.read(opened)]);
    next[1] = this.gateSets.idOf([...gates].sort((a, b) => a - b));
  }

  private take(deed: Deed, slot: number, detail: number): void {
    const { executionsAtMost } = this.parts.options;
    if (executionsAtMost !== undefined) this.count(executionsAtMost, this.action(deed, slot, detail));
    this.emit(this.action(deed, slot, detail));
  }

  private count(most: number, action: number): void {
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

  // — Actions —

  private action(deed: Deed, slot: number, detail: number): number {
    const kind = deeds.indexOf(deed);
    const known = this.actionIds.get((slot << deedBits) | kind, detail);
    if (known >= 0) return known;
    const action = (this.actions.length << deedBits) | kind;
    this.actions.push({ slot, detail });
    this.actionIds.set((slot << deedBits) | kind, detail, action);
    return action;
  }

  takeApart(action: number): TakenApart {
    const { slot, detail } = this.actions[action >>> deedBits] as { readonly slot: number; readonly detail: number };
    return { deed: deeds[action & 31] as Deed, slot, detail };
  }

  kindOf(action: number): number {
    return kinds[action & 31] as number;
  }

  /** A member ends, its results arrive, it reads and sends, a timer fires: each at some time, where it stays possible. */
  classOf(action: number): number {
    const { deed, slot, detail } = this.takeApart(action);
    switch (deed) {
      case 'ended':
      case 'settled':
      case 'retried':
      case 'read':
      case 'sent':
        return 1 + ((slot << deedBits) | deeds.indexOf(deed === 'retried' ? 'settled' : deed)) * 2;
      case 'member timer':
        return 1 + ((slot << deedBits) | deeds.indexOf(deed)) * 2;
      case 'timer':
        return 2 + detail * 2;
      default:
        return 0;
    }
  }

  isEnd(): boolean {
    return this.turns.hasEnded(this.current[0] as number);
  }

  addressOf(slot: number): string {
    return this.parts.addresses[slot] as string;
  }
}

const kinds: readonly number[] = deeds.map((deed) => {
  switch (deed) {
    case 'crashed':
    case 'settled again':
    case 'dropped':
    case 'told late':
    case 'host crashed':
      return actionKind.fault;
    case 'timer':
    case 'member timer':
      return actionKind.timer;
    case 'message':
    case 'gate':
      return actionKind.outside;
    case 'cancelled':
      return actionKind.cancel;
    default:
      return 0;
  }
});

/** The entry of a result. Which attempt it was of is nothing to the actors. */
function settlement(member: string, incarnation: number, outcome: Settling): Turn {
  return {
    type: 'member.settled',
    data: { member, incarnation, attempt: 1, outcome: outcome as unknown as JsonValue },
  };
}
