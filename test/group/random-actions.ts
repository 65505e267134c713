/** The actions of random machines. */
import {
  assign,
  cancel,
  emit,
  enqueueActions,
  log,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
  type AnyActorRef,
} from 'xstate';
import { moreAction } from './random-more.ts';
import type { Context } from './random-parts.ts';
import type { Tape } from './tape.ts';

export const eventTypes = ['A', 'B', 'C', 'D', 'E.f'] as const;
export const internalTypes = ['I0', 'I1'] as const;
export const systemIds = ['s0', 's1'] as const;
const childIds = ['k0', 'k1', 'k2'] as const;
/** Spawned in assign, and remembered in the context; never spawned twice. */
const assignedIds = ['a0', 'a1'] as const;
const timerIds = ['t0', 't1'] as const;

// Generated configurations are dynamic: XState's types cannot follow them.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** Makes the actions of one machine. */
export class ActionMaker {
  private readonly tape: Tape;
  private readonly id: string;
  private readonly actors: Record<string, Loose>;
  /** Makes a name that no other part of the machine has. */
  private readonly fresh: (prefix: string) => string;

  constructor(tape: Tape, id: string, actors: Record<string, Loose>, fresh: (prefix: string) => string) {
    this.tape = tape;
    this.id = id;
    this.actors = actors;
    this.fresh = fresh;
  }

  /** The name of an actor of its machine's. */
  source(): string {
    const names = Object.keys(this.actors);
    return this.tape.pick(names);
  }

  private event(): Loose {
    const type = this.tape.pick(eventTypes);
    return this.tape.chance(50) ? { type } : ({ context }: Loose) => ({ type, n: context.n });
  }

  /** Up to `max` actions; before them at times one that speaks to the actor that is about to be invoked. */
  actions(max: number, invoked?: string): Loose[] {
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
    const at = tape.below(27);
    if (at >= 19) {
      const sources = Object.keys(this.actors);
      return moreAction(tape, {
        childIds,
        timerIds,
        eventTypes,
        internalTypes,
        sources,
        isRoot: this.id === 'root',
        fresh: () => this.fresh('b'),
      });
    }
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
          id: this.fresh('d'),
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
