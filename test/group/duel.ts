/**
 * One machine, two engines: live XState actors and the kernel, fed the same inputs and compared after every
 * turn. Where they differ on purpose, the live side is amended here and nowhere else:
 * an actor that fails because its transition threw stops its children (XState leaves them running, unheard) and frees the system ids of
 * those that never got to start, and timers of stopped actors never fire.
 */
import type { AnyActor, AnyStateMachine, EventObject } from 'xstate';
import { defaultBounds } from '../../src/group/bounds.ts';
import type { MemberLogic } from '../../src/group/member.ts';
import type * as KernelStep from '../../src/group/step.ts';
import { expectSame, names, view } from './agreement.ts';
import { addressOf, Live } from './live.ts';
import { eventTypes } from './random-actions.ts';
import { randomMachine } from './random-machine.ts';
import { Tape } from './tape.ts';

/** What is put to the test: the kernel, or a mutant of it. */
export type Kernel = Pick<
  typeof KernelStep,
  'define' | 'start' | 'step' | 'persist' | 'restore' | 'digest' | 'timers' | 'wants' | 'actors' | 'status'
> & {
  readonly member: MemberLogic;
};

export interface Outcome {
  readonly turns: number;
  /** What kinds of things happened, to show that the generator reaches them. */
  readonly reached: ReadonlySet<string>;
}

// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** Runs one tape; throws a {@link Difference} where the engines disagree. */
export function duel(kernel: Kernel, machineTape: readonly number[], inputTape: readonly number[]): Outcome {
  const machine = randomMachine(new Tape(machineTape), kernel.member);
  return new Duel(kernel, machine, new Tape(inputTape)).run();
}

class Duel {
  private readonly kernel: Kernel;
  private readonly tape: Tape;
  private readonly live: Live;
  private readonly definition: KernelStep.Definition;
  private last!: KernelStep.Step;
  private seq = 1;
  private now = 1_000;
  private readonly past: { before: KernelStep.System; entry: Loose; digest: string; effects: Loose; derived: Loose }[] =
    [];
  private readonly reached = new Set<string>();
  /** Is written and read again at every turn. */
  private readonly isRestless: boolean;
  private readonly entries: Loose[] = [];
  private readonly beginning = {
    seq: 1,
    at: 1_000,
    input: { n: 0 },
    bounds: { ...defaultBounds, microstepsMax: 5_000, depthMax: 8 },
  };

  constructor(kernel: Kernel, machine: AnyStateMachine, tape: Tape) {
    this.kernel = kernel;
    this.tape = tape;
    this.definition = kernel.define(machine);
    this.live = new Live(machine);
    this.isRestless = tape.chance(25);
  }

  run(): Outcome {
    const { kernel, live } = this;
    live.now = this.now;
    this.last = kernel.start(this.definition, this.beginning);
    live.begin({ n: 0 });
    let turns = 1;
    while (this.compare() && !this.tape.isOver) {
      this.turn();
      turns += 1;
    }
    this.replay();
    return { turns, reached: this.reached };
  }

  private turn(): void {
    const { tape, kernel, live } = this;
    this.seq += 1;
    this.now += tape.below(6);
    live.clear();
    this.detour();
    const { system } = this.last;
    const wants = kernel.wants(system);
    const timers = kernel.timers(system);
    const kind = tape.below(10);
    if (kind >= 7 && wants.length > 0) {
      const want = tape.pick(wants);
      const { address, incarnation } = want;
      const actor = live.at(address);
      if (tape.below(4) === 3) {
        this.fold('member.progress', {
          member: address,
          incarnation,
          attempt: 1,
          progress: { line: `at ${this.seq}` },
        });
        actor.send({ type: 'troupe.progress', progress: { line: `at ${this.seq}` } } as EventObject);
        return;
      }
      const outcome = tape.chance(30)
        ? { status: 'error', error: { name: 'Error', message: 'no' }, class: 'failed' }
        : { status: 'ok', output: this.seq };
      this.fold('member.settled', { member: address, incarnation, attempt: 1, outcome });
      actor.send({ type: 'troupe.settled', outcome } as EventObject);
      this.reached.add('settled');
    } else if (kind >= 5 && timers.length > 0) {
      const index = tape.below(Math.min(2, timers.length));
      const { address, incarnation, timer, dueAt } = timers[index] as KernelStep.PendingTimer;
      this.now = Math.max(this.now, dueAt);
      live.now = this.now;
      this.fold('timer.fired', { address, incarnation, timer, dueAt });
      live.fire(index);
      this.reached.add(timer.startsWith('xstate.after') ? 'after' : 'timer');
      return;
    } else if (kind === 4 && tape.below(3) === 2) {
      const others = kernel.actors(system).filter((one) => one.running);
      const { address } = tape.pick(others);
      const type = tape.pick(eventTypes);
      live.now = this.now;
      this.fold('message', { id: 'm', from: 'out', to: address, type, body: this.seq });
      live.at(address).send({ type, from: 'out', body: this.seq, id: 'm' } as EventObject);
      this.reached.add('message');
    } else {
      const event = { type: tape.pick(eventTypes), n: this.seq };
      live.now = this.now;
      this.fold('signal', { id: String(this.seq), from: 'out', event });
      live.root.send(event);
    }
  }

  /** A crash at the end, or anywhere: all entries folded again, and those behind a snapshot of any turn, come to the same. */
  private replay(): void {
    const { kernel, entries } = this;
    const written = JSON.stringify(kernel.persist(this.last.system));
    let { system } = kernel.start(this.definition, this.beginning);
    const from = this.tape.below(entries.length + 1);
    let tail = system;
    entries.forEach((entry, index) => {
      if (index === from) tail = kernel.restore(this.definition, JSON.parse(JSON.stringify(kernel.persist(system))));
      ({ system } = kernel.step(system, entry));
      if (index >= from) ({ system: tail } = kernel.step(tail, entry));
    });
    expectSame('replayed', JSON.stringify(kernel.persist(system)), written);
    if (from < entries.length) expectSame(`replayed behind ${from}`, JSON.stringify(kernel.persist(tail)), written);
  }

  /** Things that may not change anything: stale inputs, old systems stepped again, writing and reading. */
  private detour(): void {
    const { tape, kernel } = this;
    const { system } = this.last;
    const at = tape.below(12);
    switch (this.isRestless && at < 9 ? 9 : at) {
      case 9: {
        const text = JSON.stringify(kernel.persist(system));
        const restored = kernel.restore(this.definition, JSON.parse(text));
        expectSame('persisted again', JSON.stringify(kernel.persist(restored)), text);
        expectSame('restored digest', kernel.digest(restored), kernel.digest(system));
        expectSame('restored wants', kernel.wants(restored), kernel.wants(system));
        expectSame('restored timers', kernel.timers(restored), kernel.timers(system));
        this.last = { ...this.last, system: restored };
        this.reached.add('restored');
        return;
      }
      case 10: {
        const old = this.past[tape.below(this.past.length)];
        if (old === undefined) return;
        const again = kernel.step(old.before, old.entry);
        expectSame('old system stepped again: effects', JSON.stringify(again.effects), old.effects);
        expectSame('old system stepped again: deliveries', names(again.derived), old.derived);
        expectSame('old system stepped again: digest', kernel.digest(again.system), old.digest);
        kernel.step(old.before, {
          seq: old.entry.seq,
          at: old.entry.at,
          type: 'signal',
          data: { id: 'x', from: 'fork', event: { type: tape.pick(eventTypes) } },
        });
        this.reached.add('forked');
        return;
      }
      case 11: {
        const member = kernel.actors(system).find((one) => one.kind === 'member');
        if (member === undefined) return;
        const data = {
          member: member.address,
          incarnation: member.incarnation + (member.running ? 1 : 0),
          attempt: 1,
          outcome: { status: 'ok', output: 'stale' },
        };
        const entry = { seq: this.seq, at: this.now, type: 'member.settled', data };
        this.entries.push(entry);
        this.last = kernel.step(system, entry);
        expectSame(
          'stale settlement',
          this.last.effects.map((effect) => effect.type),
          ['deadLetter'],
        );
        expectSame('stale settlement derives', this.last.derived.length, 0);
        this.seq += 1;
        this.reached.add('stale');
        return;
      }
      default:
    }
  }

  private fold(type: string, data: Loose): void {
    this.live.now = this.now;
    const entry = { seq: this.seq, at: this.now, type, data };
    this.entries.push(entry);
    const before = this.last.system;
    this.last = this.kernel.step(before, entry);
    this.past.push({
      before,
      entry,
      digest: this.kernel.digest(this.last.system),
      effects: JSON.stringify(this.last.effects),
      derived: names(this.last.derived),
    });
  }

  /** False when there is nothing more to compare. */
  private compare(): boolean {
    const { system, effects, derived } = this.last;
    const { live } = this;
    const end = this.kernel.status(system);
    if (end.status === 'failed' && (end.error.code === 'DUPLICATE_NAME' || end.error.code === 'LIMIT')) {
      // Refused on purpose: live XState would run two actors under one id.
      this.reached.add(end.error.code);
      return false;
    }
    expectSame('deliveries', names(derived), live.deliveries);
    expectSame(
      'emitted',
      effects.flatMap((effect) => (effect.type === 'emit' ? [{ address: effect.address, event: effect.event }] : [])),
      live.emitted,
    );
    const cells = new Map(this.kernel.actors(system).map((actor) => [actor.address, actor]));
    const trees: [Loose, Loose] = [[], []];
    this.walk(live.root, '', cells, trees);
    expectSame('actors', trees[0], trees[1]);
    const isActive = end.status === 'active';
    expectSame('status', isActive ? 'active' : end.status, live.status());
    if (!isActive) {
      if (end.status === 'completed')
        expectSame('output', end.output, JSON.parse(JSON.stringify(live.root.getSnapshot().output ?? null)));
      expectSame('wants after the end', this.kernel.wants(system), []);
      this.reached.add(end.status);
      return false;
    }
    expectSame(
      'timers',
      this.kernel.timers(system).map(({ address, dueAt }) => [address, dueAt]),
      live.timers().map(({ source, dueAt }) => [addressOf(source), dueAt]),
    );
    expectSame(
      'wants',
      this.kernel
        .wants(system)
        .map(({ address, incarnation }) => `${address}#${incarnation}`)
        .sort(),
      live.wants(),
    );
    return true;
  }

  /** Lists what both engines know of an actor and those below it. */
  private walk(actor: AnyActor, address: string, cells: Map<string, Loose>, [ours, theirs]: [Loose[], Loose[]]): void {
    const snapshot: Loose = actor.getSnapshot();
    const cell = cells.get(address);
    const mine: Loose = cell?.snapshot;
    ours.push({ address, incarnation: cell?.incarnation, ...view(mine) });
    theirs.push({ address, incarnation: this.live.incarnationOf(actor), ...view(snapshot) });
    if (snapshot.status !== 'active') return;
    for (const [id, child] of Object.entries((snapshot.children ?? {}) as Record<string, AnyActor>)) {
      this.reached.add(`child ${child.getSnapshot().status}`);
      this.walk(child, address === '' ? id : `${address}::${id}`, cells, [ours, theirs]);
    }
  }
}
