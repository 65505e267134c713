/**
 * A coordinator driven through the kernel by choices: at each step one of the wanted members is settled, one of the
 * pending timers fires, or a message of the test's own comes in. What the kernel asked for is written down in order.
 */
import { expect } from 'vitest';
import {
  define,
  persist,
  restore,
  start,
  step,
  timers,
  wants,
  type Definition,
  type PendingTimer,
  type System,
  type Want,
} from '../../src/group/step.ts';
import { defaultBounds } from '../../src/group/bounds.ts';
import type { Effect, GroupEnd } from '../../src/group/effect.ts';
import type { Coordinator, Invocation, JsonValue, Outcome } from '../../src/index.ts';
import { fail, ok } from '../../src/harness/index.ts';

/** An entry for the coordinator. */
export type Letter = {
  readonly type: string;
  readonly from?: string;
  readonly body?: JsonValue;
  readonly [name: string]: JsonValue | undefined;
};

/** What happened, in order. `asked` and `cancelled` are the kernel's effects, the others the test's doing. */
export type Happening =
  | { readonly what: 'asked'; readonly member: string; readonly incarnation: number; readonly invocation: Invocation }
  | { readonly what: 'cancelled' | 'ok' | 'error'; readonly member: string; readonly incarnation: number }
  | { readonly what: 'emitted'; readonly event: { readonly type: string; readonly [name: string]: JsonValue } }
  | {
      readonly what: 'told';
      readonly member: string;
      readonly event: { readonly type: string; readonly [name: string]: JsonValue };
    }
  | { readonly what: 'timer'; readonly timer: string }
  | { readonly what: 'letter'; readonly letter: Letter };

/** A group under simulation. */
export interface Simulation<Output = unknown> {
  readonly happenings: readonly Happening[];
  readonly system: System;
  /** Undefined while it is active. */
  readonly end: GroupEnd | undefined;
  /** The output of a group that completed; fails the test when it has not. */
  output(): Output;
  /** The message of the error that it failed with; fails the test when it has not. */
  failure(): string;
  wants(): readonly Want[];
  /** The member that has been wanted longest; undefined when there is none. */
  oldest(): string | undefined;
  /** Addresses of the wanted members, sorted. */
  open(): readonly string[];
  timers(): readonly PendingTimer[];
  settle(member: string, outcome: Outcome | JsonValue): void;
  break(member: string, message?: string): void;
  fire(timer?: string): void;
  send(letter: Letter): void;
  /** Writes the system to JSON and takes it up again, as after a restart. */
  restart(): void;
}

function isOutcome(value: unknown): value is Outcome {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    (value.status === 'ok' || value.status === 'error')
  );
}

/** Starts a group of this coordinator. */
export function simulate<Input, Output>(machine: Coordinator<Input, Output>, input: Input): Simulation<Output> {
  const definition: Definition = define(machine);
  const happenings: Happening[] = [];
  let seq = 1;
  let now = 1_000_000;
  let letters = 0;

  /** Incarnations that are asked for and neither settled nor cancelled. */
  const living = new Map<string, number>();

  const note = (effects: readonly Effect[]) => {
    for (const effect of effects) {
      if (effect.type === 'invoke') living.set(effect.address, effect.incarnation);
      if (effect.type === 'cancel' && living.get(effect.address) === effect.incarnation) living.delete(effect.address);
      if (effect.type === 'invoke')
        happenings.push({
          what: 'asked',
          member: effect.address,
          incarnation: effect.incarnation,
          invocation: effect.input,
        });
      else if (effect.type === 'cancel')
        happenings.push({ what: 'cancelled', member: effect.address, incarnation: effect.incarnation });
      else if (effect.type === 'deliver')
        happenings.push({ what: 'told', member: effect.address, event: effect.event });
      else if (effect.type === 'emit') happenings.push({ what: 'emitted', event: effect.event });
    }
  };
  const first = start(definition, {
    seq,
    at: now,
    input: JSON.parse(JSON.stringify(input ?? null)) as JsonValue,
    bounds: defaultBounds,
  });
  let { system } = first;
  note(first.effects);

  const fold = (type: string, data: unknown) => {
    seq += 1;
    now += 1;
    const next = step(system, { seq, at: now, type, data: data as JsonValue });
    system = next.system;
    note(next.effects);
  };

  const settle = (member: string, outcome: Outcome | JsonValue) => {
    const incarnation = living.get(member);
    if (incarnation === undefined)
      throw new Error(`\`${member}\` is not wanted; wanted: ${[...living.keys()].join(', ')}`);
    living.delete(member);
    const settled = isOutcome(outcome) ? outcome : ok(outcome as JsonValue);
    happenings.push({ what: settled.status === 'ok' ? 'ok' : 'error', member, incarnation });
    fold('member.settled', { member, incarnation, attempt: 1, outcome: settled });
  };

  return {
    happenings,
    get system() {
      return system;
    },
    get end() {
      return system.end;
    },
    output() {
      expect(system.end).toMatchObject({ status: 'completed' });
      return (system.end as unknown as { readonly output: Output }).output;
    },
    failure() {
      expect(system.end).toMatchObject({ status: 'failed' });
      return (system.end as { readonly error: { readonly message: string } }).error.message;
    },
    wants: () => wants(system),
    oldest: () => living.keys().next().value,
    open: () =>
      wants(system)
        .map(({ address }) => address)
        .sort(),
    timers: () => timers(system),
    settle,
    break: (member, message = `${member} broke`) => settle(member, fail('failed', { name: 'Error', message })),
    fire(name) {
      const timer = timers(system).find((one) => name === undefined || one.timer === name);
      if (timer === undefined)
        throw new Error(
          `no timer \`${name ?? ''}\` is pending; pending: ${timers(system)
            .map((one) => one.timer)
            .join(', ')}`,
        );
      now = Math.max(now, timer.dueAt);
      happenings.push({ what: 'timer', timer: timer.timer });
      fold('timer.fired', timer);
    },
    send(letter) {
      letters += 1;
      happenings.push({ what: 'letter', letter });
      const { type, from, body } = letter;
      if (from === undefined) fold('signal', { id: `letter-${letters}`, from: 'outside', event: letter });
      else fold('message', { id: `letter-${letters}`, from, to: '', type, body: body ?? null });
    },
    restart() {
      system = restore(definition, JSON.parse(JSON.stringify(persist(system))) as JsonValue);
    },
  };
}

/** How {@link drive} decides. */
export interface Driver {
  /** Numbers that choose what happens next; they are gone through again and again. */
  readonly choices: readonly number[];
  /** How a wanted member comes out; by default it succeeds. */
  readonly outcome?: (want: Want, choice: number) => Outcome | JsonValue;
  /** Letters that may come in now. */
  readonly letters?: (simulation: Simulation) => readonly Letter[];
  /** Timers may fire although members are still at work. Default true. */
  readonly isTimed?: boolean;
  /** The group is written and read again after this many steps. */
  readonly restartAfter?: number;
  /** More steps than this fail the test. */
  readonly stepsMax: number;
}

/** Drives a group to its end, whatever the choices say, and checks what holds for every group. */
export function drive<Output>(simulation: Simulation<Output>, driver: Driver): Simulation<Output> {
  const { choices, outcome = () => null, letters = () => [], isTimed = true, restartAfter = -1, stepsMax } = driver;
  let steps = 0;
  for (; simulation.end === undefined; steps += 1) {
    if (steps > stepsMax) throw new Error(`the group has not ended after ${stepsMax} steps`);
    if (steps === restartAfter) simulation.restart();
    const choice = choices.length === 0 ? 0 : (choices[steps % choices.length] as number);
    const wanted = simulation.wants();
    const due = isTimed || wanted.length === 0 ? simulation.timers().slice(0, 1) : [];
    const mail = letters(simulation);
    const at = choice % Math.max(1, wanted.length + due.length + mail.length);
    const want = wanted[at];
    const letter = mail[at - wanted.length - due.length];
    if (want !== undefined) simulation.settle(want.address, outcome(want, choice));
    else if (at - wanted.length < due.length) simulation.fire();
    else if (letter !== undefined) simulation.send(letter);
    else throw new Error('the group waits for nothing');
  }
  checkTrace(simulation);
  return simulation;
}

/** Each incarnation is asked for once, then settled or cancelled, never both and never twice; at the end nothing is left over. */
export function checkTrace({ happenings, end }: Simulation): void {
  const living = new Map<string, string>();
  for (const one of happenings) {
    if (one.what !== 'asked' && one.what !== 'cancelled' && one.what !== 'ok' && one.what !== 'error') continue;
    const key = `${one.member}#${one.incarnation}`;
    const before = living.get(key);
    expect(before, `${key} was ${one.what}`).toBe(one.what === 'asked' ? undefined : 'asked');
    living.set(key, one.what);
  }
  if (end !== undefined) expect([...living].filter(([, state]) => state === 'asked')).toEqual([]);
}

/** The members in one kind of happening, in order. */
export function who({ happenings }: Simulation, what: 'asked' | 'cancelled' | 'ok' | 'error'): readonly string[] {
  return happenings.flatMap((one) => (one.what === what ? [one.member] : []));
}

/** The invocation that a member was asked for last. */
export function asked({ happenings }: Simulation, member: string): Invocation {
  const found = happenings.findLast((one) => one.what === 'asked' && one.member === member);
  if (found?.what !== 'asked') throw new Error(`\`${member}\` was never asked for`);
  return found.invocation;
}

/** What was emitted, of one type. */
export function emitted(
  { happenings }: Simulation,
  type = 'troupe.checkpoint',
): readonly { readonly [name: string]: JsonValue }[] {
  return happenings.flatMap((one) => (one.what === 'emitted' && one.event.type === type ? [one.event] : []));
}

/** Checkpoints as `name: reason`. */
export function checkpoints(simulation: Simulation): readonly string[] {
  // Built by the action creator `checkpoint`, which types them.
  return (emitted(simulation) as unknown as readonly { readonly name: string; readonly reason?: string }[]).map(
    ({ name, reason }) => `${name}: ${reason ?? ''}`,
  );
}

/** The most members that were at work at once. */
export function mostAtOnce({ happenings }: Simulation): number {
  let now = 0;
  let most = 0;
  for (const { what } of happenings) {
    if (what === 'asked') most = Math.max(most, (now += 1));
    else if (what === 'cancelled' || what === 'ok' || what === 'error') now -= 1;
  }
  return most;
}
