/** Who waits for whom: locks, and being woken. */
import { enqueueActions, sendTo, setup } from 'xstate';
import type { Coordinator, JsonValue } from 'troupe';
import { ok, outcomes, protocol, tell } from 'troupe/check';
import { mutant, type Mutant } from './faulty.ts';
import { ready, seeded, set, small, type Args, type Heard, type Options } from './small.ts';

/** Takes its locks in the order in which its input names them, then gives them back by ending. */
const taker = (...locks: readonly [string, string]) =>
  setup({}).createMachine({
    id: 'taker',
    initial: 'first',
    states: {
      first: { entry: tell({ to: 'coordinator', event: { type: 'lock', body: locks[0] } }), on: { granted: 'second' } },
      second: { entry: tell({ to: 'coordinator', event: { type: 'lock', body: locks[1] } }), on: { granted: 'done' } },
      done: { type: 'final' },
    },
  });

type Locks = {
  readonly holders: { readonly [lock: string]: string };
  readonly waiting: readonly (readonly [who: string, lock: string])[];
  readonly ended: number;
};
type LockArgs = Args<Locks> & { readonly event: { readonly body: string } };

/** Grants locks in order, and takes them back from whoever ends. */
const locks = (releases: (type: string) => boolean) => {
  const giveBack = enqueueActions(({ context, event, enqueue }) => {
    const { holders, waiting, ended } = context as unknown as Locks;
    const { actorId, type } = event as unknown as Heard;
    const after: Record<string, string> = { ...holders };
    const still: (readonly [string, string])[] = [];
    if (releases(type)) for (const [lock, who] of Object.entries(holders)) if (who === actorId) delete after[lock];
    for (const [who, lock] of waiting) {
      if (who === actorId) continue;
      if (after[lock] !== undefined) still.push([who, lock]);
      else {
        after[lock] = who;
        enqueue.sendTo(who as never, { type: 'granted' } as never);
      }
    }
    enqueue.assign({ holders: after, waiting: still, ended: ended + 1 } as never);
  });
  const grant = enqueueActions(({ context, event, enqueue }) => {
    const { holders, waiting } = context as unknown as Locks;
    const { from, body } = event as unknown as LockArgs['event'];
    if (holders[body] === from) return;
    if (holders[body] !== undefined) return enqueue.assign({ waiting: [...waiting, [from, body]] } as never);
    enqueue.assign({ holders: { ...holders, [body]: from } } as never);
    enqueue.sendTo(from as never, { type: 'granted' } as never);
  });
  return small<Locks>('locks', {
    asks: ['a', 'b'],
    context: { holders: {}, waiting: [], ended: 0 },
    states: {
      granting: {
        always: { guard: ({ context }: Args<Locks>) => context.ended === 2, target: 'done' },
        on: {
          'lock': { actions: grant },
          'xstate.done.actor.*': { actions: giveBack },
          'xstate.error.actor.*': { actions: giveBack },
        },
      },
    },
  });
};

const granted = locks(() => true);
const kept = locks((type) => type.startsWith('xstate.done.'));
const lockProtocol = (
  machine: Coordinator,
  members: NonNullable<Options['members']>,
  faults: NonNullable<Options['faults']>,
) => protocol({ coordinator: machine as Coordinator<unknown, JsonValue>, input: null, members, faults });

/** The mutants. */
export const waitMutants: readonly Mutant[] = [
  mutant(
    'deadlock: two members take the same locks in opposite orders',
    ['noDeadlock', 6],
    (order: readonly [string, string]) => lockProtocol(granted, { a: taker('x', 'y'), b: taker(...order) }, {}),
    [
      ['y', 'x'],
      ['x', 'y'],
    ],
  ),
  mutant(
    'lock not released when its holder fails',
    ['noDeadlock', 4],
    (machine: Coordinator) => lockProtocol(machine, { '*': taker('x', 'y') }, { memberCrash: 1 }),
    [kept, granted],
  ),
  seeded(
    'lost wake-up: who is not ready yet is never told again',
    ['noDeadlock', 3],
    (isBad) => {
      type Context = { readonly isDone: boolean; readonly isReady: boolean };
      const wake = sendTo('waiter' as never, { type: 'go' } as never);
      return small<Context>('wakes', {
        asks: ['work', 'waiter'],
        context: { isDone: false, isReady: false },
        states: {
          on: {
            on: {
              'xstate.done.actor.work': [
                { guard: ({ context }: Args<Context>) => context.isReady, actions: wake },
                { actions: set<Context>(() => ({ isDone: true })) },
              ],
              'ready': [
                { guard: ({ context }: Args<Context>) => !isBad && context.isDone, actions: wake },
                { actions: set<Context>(() => ({ isReady: true })) },
              ],
              'xstate.done.actor.waiter': 'done',
            },
          },
        },
      });
    },
    { members: { work: outcomes(ok()), waiter: ready } },
  ),
];
