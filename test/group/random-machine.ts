/** Random machines that use everything a coordinator may use, for the differential test. */
import { assign, fromTransition, setup, type AnyStateMachine } from 'xstate';
import type { MemberLogic } from '../../src/group/member.ts';
import { ActionMaker, eventTypes, internalTypes, systemIds } from './random-actions.ts';
import { moreGuard, moreParts } from './random-more.ts';
import { fuel, namedParts, type Context } from './random-parts.ts';
import type { Tape } from './tape.ts';

/** What transitions are declared for besides the types themselves. */
const wildcards = ['E.*', 'E.f.*', 'E.f.g'] as const;

// Generated configurations are dynamic: XState's types cannot follow them.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** A root machine with two levels of machines below it. */
export function randomMachine(tape: Tape, member: MemberLogic): AnyStateMachine {
  const pure = fromTransition(
    (count: { heard: number }, event: Loose) => ({ heard: count.heard + (event.type === 'A' ? 1 : 0) }),
    // Each its own: one that all share would be shared no more with those that are spawned behind a restart.
    () => ({ heard: 0 }),
  );
  const leaf = new Maker(tape, 'leaf', { member, pure }).machine();
  const inner = new Maker(tape, 'inner', { member, leaf, pure }).machine();
  return new Maker(tape, 'root', { member, inner, leaf, pure }).machine();
}

class Maker {
  private states = 0;
  private readonly tape: Tape;
  private readonly id: string;
  private readonly actors: Record<string, Loose>;
  private readonly does: ActionMaker;
  /** Without parallel and history states: the kernel has a shorter way for those. */
  private readonly isPlain: boolean;
  private targets: string[] = [];
  /** Ids inside each two regions of a parallel state. */
  private readonly regions: (readonly string[])[][] = [];
  private readonly later: (() => void)[] = [];

  constructor(tape: Tape, id: string, actors: Record<string, Loose>) {
    this.tape = tape;
    this.id = id;
    this.isPlain = tape.chance(50);
    this.actors = actors;
    this.does = new ActionMaker(tape, id, actors, (prefix) => `${prefix}${this.states++}`);
  }

  machine(): AnyStateMachine {
    const { tape } = this;
    const config: Loose = !this.isPlain && tape.chance(15) ? this.parallel(0) : this.compound(0, true);
    if (config.type === 'parallel') this.decorate(config);
    for (const fill of this.later) fill();
    const spawnsInContext = tape.chance(20) ? this.does.source() : undefined;
    Object.assign(config, {
      id: this.id,
      options: { maxIterations: 40 },
      context: ({ input, spawn }: Loose): Context => ({
        n: input?.n ?? 0,
        seen: [],
        refs: spawnsInContext === undefined ? {} : { kc: spawn(spawnsInContext, { id: 'kc', input: { n: 20 } }) },
        maybe: undefined,
        items: [],
        picked: undefined,
      }),
      output: tape.chance(15)
        ? tape.pick([undefined, 'fixed'])
        : ({ context, event }: Loose) => {
            if (context.n === 9) throw new Error('output at 9');
            return { n: context.n, seen: context.seen, of: event.output };
          },
    });
    if (tape.chance(85)) config.on = { ...config.on, 'xstate.done.actor.*': this.transition() };
    if (tape.chance(75)) config.on = { ...config.on, 'xstate.error.actor.*': this.transition() };
    const { guards, delays } = namedParts(this.id);
    return setup({
      actors: this.actors,
      guards: { ...guards, ...moreParts.guards },
      delays: { ...delays, ...moreParts.delays },
      actions: { count: assign({ n: ({ context }: Loose) => context.n + 1 }), ...moreParts.actions },
    } as Loose).createMachine(config) as unknown as AnyStateMachine;
  }

  // — states —

  private state(depth: number): Loose {
    const { tape } = this;
    const shape = depth >= 2 ? 0 : tape.below(this.isPlain ? 8 : 10);
    const config: Loose = shape >= 8 ? this.parallel(depth) : shape >= 6 ? this.compound(depth, false) : {};
    this.decorate(config);
    return config;
  }

  private compound(depth: number, isRoot: boolean): Loose {
    const { tape } = this;
    const states: Record<string, Loose> = {};
    const count = 2 + tape.below(2);
    const names: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const name = `q${this.states++}`;
      names.push(name);
      states[name] = this.state(depth + 1);
      states[name].id = `${this.id}-${name}`;
      this.targets.push(states[name].id);
    }
    if (tape.chance(isRoot ? 55 : 30)) {
      const name = `f${this.states++}`;
      states[name] = { type: 'final', id: `${this.id}-${name}`, output: ({ context }: Loose) => context.n };
      this.targets.push(states[name].id);
    }
    if (!this.isPlain && tape.chance(25)) {
      const name = `h${this.states++}`;
      states[name] = {
        type: 'history',
        history: tape.chance(50) ? 'deep' : 'shallow',
        id: `${this.id}-${name}`,
        ...(tape.chance(40) ? { target: tape.pick(names) } : {}),
      };
      if (!isRoot || tape.chance(50)) this.targets.push(states[name].id);
    }
    const config: Loose = { initial: names[0], states };
    if (tape.chance(20)) {
      config.initial = { target: names[0], actions: [] };
      this.later.push(() => (config.initial.actions = this.does.actions(2)));
    }
    if (isRoot) this.decorate(config);
    if (!isRoot && tape.chance(50)) this.later.push(() => (config.onDone = this.transition()));
    return config;
  }

  private parallel(depth: number): Loose {
    const states: Record<string, Loose> = {};
    const regions: string[][] = [];
    for (let index = 0; index < 2; index += 1) {
      const name = `r${this.states++}`;
      const before = this.targets.length;
      states[name] = this.compound(depth + 1, false);
      states[name].id = `${this.id}-${name}`;
      regions.push(this.targets.slice(before));
    }
    this.regions.push(regions);
    const config: Loose = { type: 'parallel', states };
    if (this.tape.chance(40)) this.later.push(() => (config.onDone = this.transition()));
    return config;
  }

  private decorate(config: Loose): void {
    const { tape } = this;
    const invokeId = tape.chance(20) ? `v${this.states++}` : undefined;
    this.later.push(() => {
      config.entry = this.does.actions(2, invokeId);
      config.exit = tape.chance(40) ? this.does.actions(1) : [];
      config.on = { ...config.on };
      for (const type of [...eventTypes, ...internalTypes]) {
        if (tape.chance(35))
          config.on[type] = tape.chance(25) ? [this.transition(), this.transition()] : this.transition();
      }
      for (const type of wildcards) if (tape.chance(10)) config.on[type] = this.transition();
      if (tape.chance(5)) config.on[tape.pick(eventTypes)] = tape.pick([undefined, {}, { target: [] }]);
      if (tape.chance(30)) Object.assign(config, { tags: ['t', config.id], meta: { of: config.id } });
      if (tape.chance(5)) config.on['*'] = { actions: 'count', guard: 'fueled' };
      if (tape.chance(12)) config.always = { ...this.transition(), guard: tape.pick(['third', 'onC']) };
      if (tape.chance(20))
        config.after = {
          [tape.pick(['7', '12', 'patience', 'nothing', 'broken'])]: this.transition(),
          ...(tape.chance(20) ? { 9: [this.transition(), this.transition()] } : {}),
        };
      if (invokeId !== undefined) {
        config.invoke = {
          id: invokeId,
          src: this.does.source(),
          input: tape.chance(30) ? ({ context }: Loose) => ({ n: context.n + 8 }) : { n: 12 + tape.below(10) },
          ...(tape.chance(20) ? { systemId: tape.pick(systemIds) } : {}),
          ...(tape.chance(60) ? { onDone: this.transition() } : {}),
          ...(tape.chance(60) ? { onError: this.transition() } : {}),
        };
      }
    });
  }

  private transition(): Loose {
    const { tape } = this;
    const guard = tape.pick(['fueled', 'fueled', 'fueled', 'third', 'throws', 'childDone', 'more', 'more']);
    const regions = this.regions.length > 0 && tape.chance(15) ? tape.pick(this.regions) : [];
    const target = regions.map((ids) => `#${tape.pick(ids)}`);
    return {
      guard:
        guard === 'more'
          ? moreGuard(tape, this.targets)
          : guard === 'childDone'
            ? ({ context, event }: Loose) => context.n < fuel && event.type !== 'none'
            : guard,
      actions: ['count', ...this.does.actions(3)],
      ...(target.length > 0 ? { target } : tape.chance(60) ? { target: `#${tape.pick(this.targets)}` } : {}),
      ...(tape.chance(20) ? { reenter: true } : {}),
    };
  }
}
