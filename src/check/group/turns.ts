/** Turns of the coordinator: what an entry makes of the group, and what its effects change in the world, each worked out once. */
import { canonical, type JsonValue } from '../../json.ts';
import { parentAddress, rootAddress } from '../../group/address.ts';
import { openedBy, ownGateName, type Asked } from '../../group/askers.ts';
import type { Effect } from '../../group/effect.ts';
import { isReserved } from '../../group/reserved.ts';
import { timers, wants } from '../../group/step.ts';
import { cellAt, isLiving } from '../../group/system.ts';
import { PairMap } from '../engine/pair-map.ts';
import { Sequences } from '../engine/sequences.ts';
import { Finding } from '../engine/space.ts';
import type { Steps } from '../kernel/steps.ts';
import { textsOf } from '../kernel/texts.ts';
import { isHeard } from './hears.ts';
import type { Change } from './slots.ts';

/** An entry that may be folded. */
export interface Turn {
  readonly type: 'group.cancelled' | 'member.settled' | 'message' | 'signal' | 'timer.fired';
  readonly data: JsonValue & { readonly [name: string]: JsonValue };
  /** Sent by a member that is explored: that nothing hears it is a mistake. */
  readonly isExplored?: boolean;
}

/** What effects change outside the coordinator. */
export interface WorldChanges {
  /** The member that this effect is about, by slot, and how its record changes. */
  changeOf(effect: Effect): { readonly address: string; readonly name: JsonValue; readonly change: Change } | undefined;
  slotOf(address: string): number;
  changeId(name: JsonValue, change: Change): number;
}

/** Which of the checks of turns are on. */
export interface TurnChecks {
  readonly noUnhandled: boolean;
  readonly noStaleTimer: boolean;
}

/** Turns by number: state and entry. */
export class Turns {
  readonly steps: Steps;
  /** By result: next local state. */
  readonly nextOf: number[] = [];
  /** By result: pairs of slot and change, in {@link Turns.plans}. */
  readonly planOf: number[] = [];
  /** By result: numbers of the gates opened, in {@link Turns.gateLists}. */
  readonly gatesOf: number[] = [];
  readonly plans: Sequences = new Sequences();
  readonly gateLists: Sequences = new Sequences();
  /** Gates by number: the asker's name for it, and who that is, as JSON. */
  readonly gateTexts = textsOf();
  /** True when a machine below the coordinator has asked anywhere. */
  hasNestedGates = false;
  private readonly gates: Asked[] = [];
  private readonly results = new PairMap();
  private readonly events = textsOf();
  private readonly entries: Turn[] = [];
  private readonly world: WorldChanges;
  private readonly checks: TurnChecks;
  private readonly isDue: boolean;
  private readonly timerIds: (Int32Array | undefined)[] = [];
  private readonly timerNames = textsOf();
  private readonly wantedOf: (ReadonlySet<string> | undefined)[] = [];
  private readonly ended: Uint8Array[] = [];

  constructor(steps: Steps, world: WorldChanges, checks: TurnChecks, isDue: boolean) {
    this.steps = steps;
    this.world = world;
    this.checks = checks;
    this.isDue = isDue;
    this.plans.idOf([]);
    this.gateLists.idOf([]);
  }

  eventOf(turn: Turn): number {
    const id = this.events.idOf(canonical([turn.type, turn.data, turn.isExplored === true]));
    if (id === this.entries.length) this.entries.push(turn);
    return id;
  }

  turnOf(event: number): Turn {
    return this.entries[event] as Turn;
  }

  /** The first turn. */
  begin(input: JsonValue): number {
    const { local, effects } = this.steps.begin(input);
    return this.add(local, effects);
  }

  /** The number of what an entry comes to. Throws a Finding. */
  result(local: number, event: number): number {
    const known = this.results.get(local, event);
    if (known >= 0) return known;
    const turn = this.entries[event] as Turn;
    this.look(local, turn);
    const { locals } = this.steps;
    const at = turn.type === 'timer.fired' && this.isDue ? (turn.data['dueAt'] as number) : locals.nowOf(local);
    const stepped = this.steps.step(local, turn.type, turn.data, at);
    if (turn.type === 'member.settled' && stepped.local !== local && !this.isWanted(local, turn.data))
      throw new Finding(
        'settledAtMostOnce',
        `a result of member \`${turn.data['member'] as string}\` that nobody waits for changes the group`,
      );
    const result = this.add(stepped.local, stepped.effects);
    this.results.set(local, event, result);
    return result;
  }

  /** Has the group ended in this state? */
  hasEnded(local: number): boolean {
    const place = local >>> 12;
    while (this.ended.length <= place) this.ended.push(new Uint8Array(1 << 12));
    const marks = this.ended[place] as Uint8Array;
    let mark = marks[local & 0xfff] as number;
    if (mark === 0) {
      mark = this.steps.locals.systemOf(local).end === undefined ? 1 : 2;
      marks[local & 0xfff] = mark;
    }
    return mark === 2;
  }

  /** A gate by number. */
  gateAt(gate: number): Asked {
    return this.gates[gate] as Asked;
  }

  /** Does whoever opened this gate still wait in this state? */
  isAsking(local: number, gate: number): boolean {
    const { by: address, incarnation } = this.gateAt(gate);
    if (address === undefined || incarnation === undefined) return true;
    return isLiving(this.steps.locals.systemOf(local), { address, incarnation });
  }

  /** Events of the timers that may fire in a state. */
  timers(local: number): Int32Array {
    const known = this.timerIds[local];
    if (known !== undefined) return known;
    const pending = timers(this.steps.locals.systemOf(local));
    const first = pending[0]?.dueAt;
    const may = this.isDue ? pending.filter(({ dueAt }) => dueAt === first) : pending;
    const ids = Int32Array.from(may, (timer) =>
      this.eventOf({ type: 'timer.fired', data: timer as unknown as Turn['data'] }),
    );
    this.timerIds[local] = ids;
    return ids;
  }

  /** The number of the timer that this entry is of: the same one may be due at another time where its state was first met earlier. */
  timerOf(event: number): number {
    const { address, incarnation, timer } = this.turnOf(event).data;
    return this.timerNames.idOf(canonical([address, incarnation, timer] as JsonValue));
  }

  /** Does the group wait for a result of this incarnation? */
  isWanted(local: number, { member, incarnation }: Turn['data']): boolean {
    this.wantedOf[local] ??= new Set(
      wants(this.steps.locals.systemOf(local)).map((want) => `${want.incarnation} ${want.address}`),
    );
    return (this.wantedOf[local] as ReadonlySet<string>).has(`${String(incarnation as number)} ${member as string}`);
  }

  /** What a host would not take of a member that is explored; `isKnown`: the recipient was asked for. Throws a Finding. */
  lookAtSent(
    local: number,
    {
      from,
      to,
      type,
      isKnown,
    }: { readonly from: string; readonly to: string; readonly type: string; readonly isKnown: boolean },
    action: number,
  ): void {
    if (!this.checks.noUnhandled) return;
    const isThere = isKnown || cellAt(this.steps.locals.systemOf(local), to) !== undefined;
    if (isThere && !isReserved(type)) return;
    const why = isThere ? 'types that begin so are the engine’s own' : `there is no \`${to}\``;
    throw new Finding('noUnhandled', `a host refuses message \`${type}\` of member \`${from}\`: ${why}.`, action);
  }

  bytes(): number {
    return this.results.bytes() + this.plans.bytes() + this.nextOf.length * 24;
  }

  private add(local: number, effects: readonly Effect[]): number {
    const plan: number[] = [];
    const gates: number[] = [];
    for (const effect of effects) {
      if (effect.type === 'emit' && effect.event.type === 'troupe.gate') gates.push(this.gateOf(openedBy(effect)));
      const change = this.world.changeOf(effect);
      if (change !== undefined)
        plan.push(this.world.slotOf(change.address), this.world.changeId(change.name, change.change));
    }
    const result = this.nextOf.length;
    this.nextOf.push(local);
    this.planOf.push(this.plans.idOf(plan));
    this.gatesOf.push(this.gateLists.idOf(gates));
    return result;
  }

  /** The number of a gate. Which turn opened it is no part of it. */
  private gateOf({ name, by, incarnation }: Omit<Asked, 'effect'>): number {
    const asker = by ?? rootAddress;
    // What a function of the author's makes may have no name at all.
    const id = this.gateTexts.idOf(canonical([String(ownGateName(asker, name)), asker, incarnation ?? 1]));
    if (id === this.gates.length) {
      const whose = by === undefined || incarnation === undefined ? {} : { by, incarnation };
      this.gates.push({ name, effect: '', ...whose });
    }
    this.hasNestedGates ||= by !== undefined;
    return id;
  }

  /** The checks that need no step: does anything hear this? */
  private look(local: number, { type, data, isExplored }: Turn): void {
    const system = this.steps.locals.systemOf(local);
    if (system.end !== undefined) return;
    if (type === 'member.settled' && this.checks.noUnhandled && this.isWanted(local, data)) {
      const member = data['member'] as string;
      const parent = parentAddress(member) ?? rootAddress;
      const isOk = (data['outcome'] as { readonly status: string }).status === 'ok';
      const id = member.slice(parent === rootAddress ? 0 : parent.length + 2);
      const event = `xstate.${isOk ? 'done' : 'error'}.actor.${id}`;
      if (!isHeard(system, parent, event))
        throw new Finding(
          'noUnhandled',
          `nothing hears \`${event}\`: the ${isOk ? 'result' : 'failure'} of member \`${member}\` is lost. Add a transition in the state the machine is in then.`,
        );
    }
    if (type === 'message' && this.checks.noUnhandled && isExplored === true) {
      const to = data['to'] as string;
      if (!isHeard(system, to, data['type'] as string))
        throw new Finding(
          'noUnhandled',
          `nothing hears message \`${data['type'] as string}\` from \`${data['from'] as string}\`.`,
        );
    }
    if (type === 'timer.fired' && this.checks.noStaleTimer) {
      const { address, timer } = data as unknown as { readonly address: string; readonly timer: string };
      const pending = this.steps.locals.systemOf(local);
      const told = timerEvent(pending, address, timer);
      if (told !== undefined && !isHeard(system, told.to, told.type))
        throw new Finding(
          'noStaleTimer',
          `timer \`${timer}\` fires where nothing hears \`${told.type}\`: cancel it when the state that set it is left.`,
        );
    }
  }
}

function timerEvent(
  system: Parameters<typeof wants>[0],
  address: string,
  name: string,
): { readonly to: string; readonly type: string } | undefined {
  const cell = cellAt(system, address);
  const timer = cell?.actor?.timers.find((one) => one.name === name);
  return timer?.to === undefined ? undefined : { to: timer.to.place.address, type: timer.event.type };
}
