/**
 * The space of a protocol: everything that can happen in a state. An entry of the journal is one transition, and so is everything that
 * the world does between entries: a host may die between any two.
 */
import { coordinatorName, rootAddress } from '../../group/address.ts';
import { tellingOf } from '../../group/askers.ts';
import { wants } from '../../group/step.ts';
import type { Emit, Space } from '../engine/space.ts';
import type { TakenApart } from './deeds.ts';
import type { Turn } from './turns.ts';
import { changeKinds, GroupVectors } from './vectors.ts';

/** Makes the space. */
export class GroupSpace extends GroupVectors implements Space {
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
    const isInOrder = this.parts.options.network !== 'bag';
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
      // In order: a member has said what it had to say before its end is told.
      if (isInOrder && record.outbox.length > 0 && flying[0] === record.incarnation) continue;
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
      if (isInOrder) break;
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
    const isKnown = to === '*' || to === coordinatorName || this.slotOfAddress.has(to);
    this.turns.lookAtSent(local, { from, to, type, isKnown }, this.actions.of('sent', slot, message));
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
      this.step(this.turns.eventOf(turn), this.actions.of('sent', slot, message));
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
        this.step(event, this.actions.of('told late', slot, result));
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
      this.step(this.turns.eventOf(turn), this.actions.of('message', 0, index));
      this.take('message', 0, index);
    }
  }

  private answer(): void {
    const gates = this.gateSets.read(this.current[1] as number);
    for (let place = 0; place < gates.length; place += 1) {
      const gate = gates[place] as number;
      const asked = this.turns.gateAt(gate);
      for (const approved of [true, false]) {
        this.reset();
        this.next[1] = this.gateSets.idOf(Array.from(gates).filter((other) => other !== gate));
        const data = tellingOf(asked, { approved, note: '', by: 'outside' }) as unknown as Turn['data'];
        const detail = gate * 2 + (approved ? 1 : 0);
        this.step(this.turns.eventOf({ type: 'signal', data }), this.actions.of('gate', 0, detail));
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

  // — As the engine asks —

  takeApart(action: number): TakenApart {
    return this.actions.takeApart(action);
  }

  kindOf(action: number): number {
    return this.actions.kindOf(action);
  }

  classOf(action: number): number {
    return this.actions.classOf(action);
  }

  isEnd(): boolean {
    return this.turns.hasEnded(this.current[0] as number);
  }
}
