/** What else a machine may say in XState's words, for random machines: the rarer half of its actions, guards and transitions. */
import {
  and,
  assign,
  cancel,
  emit,
  enqueueActions,
  forwardTo,
  log,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate';
import { fuel } from './random-parts.ts';
import type { Tape } from './tape.ts';

// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

/** Names that the rarer actions draw from. */
export interface Names {
  readonly childIds: readonly string[];
  readonly timerIds: readonly string[];
  readonly eventTypes: readonly string[];
  readonly internalTypes: readonly string[];
  readonly sources: readonly string[];
  readonly isRoot: boolean;
  /** Makes a name that no other part of the machine has. */
  fresh(): string;
}

/** Guards, actions and delays that are given by name, with parameters or built from others. */
export const moreParts = {
  guards: {
    over: ({ context }: Loose, { limit }: Loose) => context.n > limit,
    both: and(['fueled', 'even'] as Loose),
    either: or(['even', ({ event }: Loose) => event.type === 'A'] as Loose),
    neither: not(or(['even', { type: 'over', params: { limit: 12 } }] as Loose)),
    alias: 'even',
    picked: ({ context }: Loose) => context.items.includes(context.picked),
  },
  actions: {
    add: assign({ n: ({ context }: Loose, { by }: Loose) => context.n + by }),
    tellSelf: sendTo(
      ({ self }: Loose) => self,
      (_: Loose, { type }: Loose) => ({ type }),
    ),
    several: enqueueActions(({ enqueue }: Loose, { times }: Loose) => {
      for (let n = 0; n < times; n += 1) enqueue('count');
    }),
    put: assign({
      items: ({ context, event }: Loose) => [...context.items.slice(-3), { type: event.type, n: context.n }],
    }),
    pick: assign({ picked: ({ context }: Loose) => context.items[0] }),
    drop: assign({ items: ({ context }: Loose) => context.items.filter((item: Loose) => item !== context.picked) }),
  },
  delays: {
    broken: ({ context }: Loose) => {
      if (context.n % 9 === 5) throw new Error('delay at 5 of 9');
      return 3;
    },
  },
};

/** One of the rarer actions. */
export function moreAction(tape: Tape, names: Names): Loose {
  const id = tape.pick(names.childIds);
  const timer = tape.pick(names.timerIds);
  const type = tape.pick(names.eventTypes);
  const src = tape.pick(names.sources);
  const internal = tape.pick(names.internalTypes);
  switch (tape.below(18)) {
    case 0:
      return {
        type: 'add',
        params: tape.chance(50)
          ? { by: 2 }
          : ({ context, event }: Loose) => ({ by: event.type === 'A' ? 1 : context.n % 2 }),
      };
    case 1:
      return { type: 'tellSelf', params: { type } };
    case 2:
      return { type: 'several', params: { times: tape.below(3) } };
    case 3:
      return tape.chance(60) ? 'put' : 'pick';
    case 4:
      return 'drop';
    case 5:
      return forwardTo(({ self }: Loose) => self);
    case 6:
      return cancel(({ context }: Loose) => (context.n % 2 === 0 ? timer : 'none'));
    case 7:
      return stopChild(() => id);
    case 8:
      return enqueueActions(({ enqueue, check }: Loose) => {
        enqueue.assign({ n: ({ context }: Loose) => context.n + 1 });
        if (check(not('even' as Loose))) enqueue.raise({ type: internal });
        if (check({ type: 'over', params: { limit: 9 } })) enqueue.emit({ type: 'note', over: 9 });
        enqueue.cancel(timer);
        enqueue.stopChild(id);
        enqueue.spawnChild(src, {
          id: () => id,
          input: ({ context }: Loose) => {
            if (context.n % 11 === 7) throw new Error('input at 7 of 11');
            return { n: 14 + context.n / 2 };
          },
        });
        enqueue.sendTo(id, ({ context }: Loose) => ({ type, n: context.n }));
      });
    case 9:
      return sendTo('#_internal' as Loose, { type } as Loose);
    case 10:
      return names.isRoot ? log() : sendTo('#_parent' as Loose, { type } as Loose);
    case 11:
      return raise(
        { type } as Loose,
        { id: timer, delay: tape.chance(60) ? ({ context }: Loose) => context.n : 'broken' } as Loose,
      );
    case 12:
      return tape.chance(10)
        ? sendTo(({ self }: Loose) => self, {
            type: 'xstate.error',
            data: { name: 'Error', message: 'escalated' },
          } as Loose)
        : emit(({ event }: Loose) => ({ type: 'heard', of: event.type }));
    case 13:
      return raise({ type: 'E.f.g' } as Loose);
    case 14: {
      const fresh = names.fresh();
      return assign(({ context, spawn }: Loose) => {
        if (context.refs[fresh] !== undefined) return {};
        const ref = spawn(src, { id: fresh, input: ({ context: { n } }: Loose) => ({ n: n + 10 }) });
        if (context.n % 13 === 8) throw new Error('assign at 8 of 13');
        return { refs: { ...context.refs, [fresh]: ref } };
      });
    }
    case 15:
      return tape.chance(15) ? sendTo(`#_${id}`, { type } as Loose) : 'pick';
    case 16:
      return names.isRoot || tape.chance(50)
        ? enqueueActions(({ enqueue }: Loose) => enqueue({ type: 'add', params: { by: 1 } }))
        : sendParent(({ self }: Loose) => ({ type, from: self.id }));
    default:
      return enqueueActions(({ enqueue }: Loose) => {
        enqueue(stopChild(id));
        enqueue(spawnChild(src as Loose, { id, input: { n: 16 } } as Loose));
      });
  }
}

/** A guard made of others, that lets nothing through without fuel. */
export function moreGuard(tape: Tape, stateIds: readonly string[]): Loose {
  const inner: Loose = [
    'both',
    'either',
    'neither',
    'alias',
    'picked',
    { type: 'over', params: { limit: 3 } },
    { type: 'over', params: ({ context }: Loose) => ({ limit: 20 - context.n }) },
    stateIn(`#${tape.pick(stateIds)}`),
    not(stateIn(`#${tape.pick(stateIds)}`)),
    ({ event }: Loose) => event.type !== 'B',
  ][tape.below(10)];
  return and([({ context }: Loose) => context.n < fuel, inner] as Loose);
}
