/** Random machines that use everything a coordinator may use, for the differential test. */
import {
  assign,
  cancel,
  emit,
  enqueueActions,
  fromTransition,
  log,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
  type AnyActorRef,
  type AnyStateMachine,
} from 'xstate';
import type { MemberLogic } from '../../src/group/member.ts';
import { fuel, namedParts, type Context } from './random-parts.ts';
import type { Tape } from './tape.ts';

export const eventTypes = ['A', 'B', 'C', 'D'] as const;
const internalTypes = ['I0', 'I1'] as const;
const childIds = ['k0', 'k1', 'k2'] as const;
/** Spawned in assign, and remembered in the context; never spawned twice. */
const assignedIds = ['a0', 'a1'] as const;
const timerIds = ['t0', 't1'] as const;
const systemIds = ['s0', 's1'] as const;

// Generated configurations are dynamic: XState's types cannot follow them.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** A root machine with two levels of machines below it. */
export function randomMachine(tape: Tape, member: MemberLogic): AnyStateMachine {
  const pure = fromTransition(
    (count: { heard: number }, event: Loose) => ({ heard: count.heard + (event.type === 'A' ? 1 : 0) }),
    { heard: 0 },
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
  /** Without parallel and history states: the kernel has a shorter way for those. */
  private readonly isPlain: boolean;
  private targets: string[] = [];
  private readonly later: (() => void)[] = [];

  constructor(tape: Tape, id: string, actors: Record<string, Loose>) {
    this.tape = tape;
    this.id = id;
    this.isPlain = tape.chance(50);
    this.actors = actors;
  }

  machine(): AnyStateMachine {
    const { tape } = this;
    const config: Loose = this.compound(0, true);
    for (const fill of this.later) fill();
    const spawnsInContext = tape.chance(20) ? this.source() : undefined;
    Object.assign(config, {
      id: this.id,
      options: { maxIterations: 40 },
      context: ({ input, spawn }: Loose): Context => ({
        n: input?.n ?? 0,
        seen: [],
        refs: spawnsInContext === undefined ? {} : { kc: spawn(spawnsInContext, { id: 'kc', input: { n: 20 } }) },
        maybe: undefined,
      }),
      output: ({ context }: Loose) => ({ n: context.n, seen: context.seen }),
    });
    if (tape.chance(85)) config.on = { ...config.on, 'xstate.done.actor.*': this.transition() };
    if (tape.chance(75)) config.on = { ...config.on, 'xstate.error.actor.*': this.transition() };
    return setup({
      actors: this.actors,
      ...namedParts(this.id),
      actions: { count: assign({ n: ({ context }: Loose) => context.n + 1 }) },
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
      states[name] = { type: 'history', history: tape.chance(50) ? 'deep' : 'shallow', id: `${this.id}-${name}` };
      if (!isRoot) this.targets.push(states[name].id);
    }
    const config: Loose = { initial: names[0], states };
    if (isRoot) this.decorate(config);
    if (!isRoot && tape.chance(50)) this.later.push(() => (config.onDone = this.transition()));
    return config;
  }

  private parallel(depth: number): Loose {
    const states: Record<string, Loose> = {};
    for (let index = 0; index < 2; index += 1) {
      const name = `r${this.states++}`;
      states[name] = this.compound(depth + 1, false);
      states[name].id = `${this.id}-${name}`;
    }
    return { type: 'parallel', states };
  }

  private decorate(config: Loose): void {
    const { tape } = this;
    const invokeId = tape.chance(20) ? `v${this.states++}` : undefined;
    this.later.push(() => {
      config.entry = this.actions(2, invokeId);
      config.exit = tape.chance(40) ? this.actions(1) : [];
      config.on = { ...config.on };
      for (const type of [...eventTypes, ...internalTypes]) {
        if (tape.chance(35))
          config.on[type] = tape.chance(25) ? [this.transition(), this.transition()] : this.transition();
      }
      if (tape.chance(5)) config.on['*'] = { actions: 'count', guard: 'fueled' };
      if (tape.chance(12)) config.always = { ...this.transition(), guard: tape.pick(['third', 'onC']) };
      if (tape.chance(20)) config.after = { [tape.pick(['7', '12', 'patience', 'nothing'])]: this.transition() };
      if (invokeId !== undefined) {
        config.invoke = {
          id: invokeId,
          src: this.source(),
          input: { n: 12 + tape.below(10) },
          ...(tape.chance(20) ? { systemId: tape.pick(systemIds) } : {}),
          ...(tape.chance(60) ? { onDone: this.transition() } : {}),
          ...(tape.chance(60) ? { onError: this.transition() } : {}),
        };
      }
    });
  }

  private transition(): Loose {
    const { tape } = this;
    const guard = tape.pick(['fueled', 'fueled', 'fueled', 'third', 'throws', 'childDone']);
    return {
      guard: guard === 'childDone' ? ({ context, event }: Loose) => context.n < fuel && event.type !== 'none' : guard,
      actions: ['count', ...this.actions(3)],
      ...(tape.chance(60) ? { target: `#${tape.pick(this.targets)}` } : {}),
      ...(tape.chance(20) ? { reenter: true } : {}),
    };
  }

  // — actions —

  private source(): string {
    const names = Object.keys(this.actors);
    return this.tape.pick(names);
  }

  private event(): Loose {
    const type = this.tape.pick(eventTypes);
    return this.tape.chance(50) ? { type } : ({ context }: Loose) => ({ type, n: context.n });
  }

  private actions(max: number, invoked?: string): Loose[] {
    const list = this.tape.list(max, () => this.action());
    if (invoked !== undefined && this.tape.chance(50)) list.unshift(sendTo(invoked, this.event()));
    return list;
  }

  private childOrSelf(): Loose {
    const { tape } = this;
    const id = tape.pick(childIds);
    switch (tape.below(4)) {
      case 0:
        return ({ self }: Loose) => childrenOf(self)[id] ?? self;
      case 1:
        return ({ context, self }: Loose) => Object.values((context as Context).refs)[0] ?? self;
      case 2: {
        const systemId = tape.pick(systemIds);
        return ({ system, self }: Loose) => system.get(systemId) ?? self;
      }
      default:
        return tape.chance(15) ? id : ({ self }: Loose) => self;
    }
  }

  private action(): Loose {
    const { tape } = this;
    const id = tape.pick(childIds);
    const timer = tape.pick(timerIds);
    const at = tape.below(19);
    switch (at) {
      case 0:
        return assign({ seen: ({ context, event }: Loose) => [...context.seen.slice(-8), event.type] });
      case 1:
        return assign({ n: ({ context }: Loose) => context.n + 1, maybe: undefined });
      case 2:
        return raise({ type: tape.pick(internalTypes) } as Loose);
      case 3:
        return raise(this.event(), { id: timer, delay: tape.below(4) * 5 } as Loose);
      case 4:
        return cancel(timer);
      case 5:
      case 6:
        return this.spawn(id, this.source());
      case 7: {
        const src = this.source();
        const assigned = tape.pick(assignedIds);
        return assign(({ context, spawn }: Loose) =>
          context.refs[assigned] === undefined
            ? { refs: { ...context.refs, [assigned]: spawn(src, { id: assigned, input: { n: 15 } }) } }
            : {},
        );
      }
      case 8:
        return stopChild(id);
      case 9:
        return stopChild(({ context }: Loose) => Object.values((context as Context).refs)[0] as Loose);
      case 10:
      case 11:
        return sendTo(this.childOrSelf(), this.event());
      case 12:
        return this.id === 'root' ? emit({ type: 'note', id }) : sendParent(this.event());
      case 13:
        return emit(({ context }: Loose) => ({ type: 'note', n: context.n }));
      case 14:
        return sendTo(this.childOrSelf(), this.event(), {
          id: `d${this.states++}`,
          delay: tape.pick([0, 5, 'patience']),
        } as Loose);
      case 15: {
        const inner = tape.list(3, () => this.action());
        return enqueueActions(({ enqueue, check }: Loose) => {
          if (check('even')) for (const action of inner) enqueue(action);
          enqueue('count');
        });
      }
      case 16:
        return tape.chance(30)
          ? assign(({ context }: Loose) => {
              if (context.n % 7 === 3) throw new Error('assign at 3 of 7');
              return { n: context.n + 1 };
            })
          : log(({ context }: Loose) => context.n);
      case 17:
        return enqueueActions(({ enqueue }: Loose) => {
          enqueue(stopChild(id));
          enqueue(spawnChild('member' as Loose, { id, input: { prompt: id } } as Loose));
        });
      default:
        return sendTo(({ self }: Loose) => self, this.event());
    }
  }

  private spawn(id: string, src: string): Loose {
    const { tape } = this;
    const systemId = tape.chance(15) ? tape.pick(systemIds) : undefined;
    const spawn = spawnChild(
      src as Loose,
      { id, input: { n: 10 + tape.below(15) }, ...(systemId === undefined ? {} : { systemId }) } as Loose,
    );
    if (tape.chance(4)) return spawn;
    return enqueueActions(({ enqueue, context, self }: Loose) => {
      if (context.n % 2 === 1 && childrenOf(self)[id] !== undefined) return;
      enqueue(stopChild(id));
      enqueue(spawn);
    });
  }
}

/** Children as of the last transition; none while the actor is being made, when XState's builds differ in what they answer. */
function childrenOf(self: Loose): Record<string, AnyActorRef | undefined> {
  try {
    return self.getSnapshot()?.children ?? {};
  } catch {
    return {};
  }
}
