/** Machines that have unusual children. */
import {
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromTransition,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
  type AnyStateMachine,
} from 'xstate';
import { machine, type Loose } from './group-under-test.ts';
import { e, m, tr } from './logging.ts';

/** By what is unusual about them. */
export const unusualChildren: Readonly<Record<string, () => AnyStateMachine>> = {
  'system': m({
    entry: [spawnChild('member' as Loose, { id: 'x', systemId: 'sx', input: {} } as Loose)],
    on: {
      A: {
        actions: emit(({ system }: Loose) => ({
          type: 'S',
          has: system.get('sx') !== undefined,
          all: Object.keys(system.getAll()),
          id: system.get('sx')?.id,
        })),
      },
      B: { actions: stopChild(({ system }: Loose) => system.get('sx')) },
      C: { actions: stopChild('x') },
    },
  }),
  'child children': m(
    {
      initial: 'a',
      states: {
        a: {
          invoke: [
            { src: 'inner', id: 'i1', input: { n: 1 }, onDone: { actions: tr('d1') } },
            {
              src: 'inner',
              id: 'i2',
              input: ({ context, event, self }: Loose) => ({ n: context.log.length, e: event.type, s: self.id }),
              onDone: { target: 'b', actions: assign({ out: ({ event }: Loose) => event.output }) },
              onError: { actions: tr('err') },
            },
          ],
          on: {
            A: { actions: sendTo('i1', { type: 'A' }) },
            B: { actions: [sendTo('i2', { type: 'A' }), tr('after')] },
            C: { target: 'a', reenter: true },
          },
        },
        b: e('b', { on: { A: 'a' } }),
      },
    },
    {
      actors: {
        inner: createMachine({
          id: 'inner',
          context: ({ input }: Loose) => ({ ...input }),
          initial: 'x',
          states: {
            x: { on: { A: { target: 'y', actions: sendParent({ type: 'hey' }) } } },
            y: { after: { 1000: 'f' }, on: { A: 'f' } },
            f: { type: 'final' },
          },
          output: ({ context }: Loose) => context,
        } as Loose),
      },
    },
  ),
  'stops nobody': m({
    context: { log: [], ref: null },
    initial: 'a',
    states: { a: { on: { C: 'b' } }, b: { type: 'parallel', states: { x: {}, y: {} } } },
    on: {
      'A': { actions: [stopChild(({ context }: Loose) => context.ref), tr('null')] },
      'B': { actions: [stopChild(({ context }: Loose) => context.ref !== null && context.ref), tr('false')] },
      'A.b': {
        actions: [enqueueActions(({ enqueue, context }: Loose) => enqueue.stopChild(context.ref)), tr('queue')],
      },
    },
  }),
  'stops nobody, with one leaf': m({
    context: { log: [], ref: null },
    on: {
      'A': { actions: [stopChild(({ context }: Loose) => context.ref), tr('null')] },
      'B': { actions: [stopChild(({ context }: Loose) => context.ref !== null && context.ref), tr('false')] },
      'A.b': {
        actions: [enqueueActions(({ enqueue, context }: Loose) => enqueue.stopChild(context.ref)), tr('queue')],
      },
    },
  }),
  'stops what is no child of its own': m(
    {
      entry: [
        spawnChild('inner' as Loose, { id: 'x' } as Loose),
        spawnChild('above' as Loose, { id: 'y' } as Loose),
        spawnChild('member' as Loose, { id: 'm', systemId: 'sm', input: {} } as Loose),
      ],
      on: {
        'A': { actions: [sendTo('x', ({ system }: Loose) => ({ type: 'A', who: system.get('sm') })), tr('sibling')] },
        'B': { actions: [sendTo('x', ({ self }: Loose) => ({ type: 'A', who: self })), tr('parent')] },
        'C': { actions: [stopChild(({ system }: Loose) => system.get('deep')), tr('grandchild')] },
        'A.b': { actions: [stopChild(({ self }: Loose) => self), tr('self')] },
        'xstate.error.actor.x': { actions: [tr('err'), assign({ e: ({ event }: Loose) => event.error.message })] },
      },
    },
    {
      actors: {
        inner: createMachine({
          id: 'inner',
          on: { A: { actions: stopChild(({ event }: Loose) => event.who) } },
        } as Loose),
        above: setup({ actors: { leaf: createMachine({ id: 'leaf' }) } }).createMachine({
          id: 'above',
          entry: spawnChild('leaf', { id: 'l', systemId: 'deep' } as Loose),
        } as Loose),
      },
    },
  ),
  'escalate': m(
    {
      entry: spawnChild('inner' as Loose, { id: 'x' } as Loose),
      on: {
        'A': { actions: sendTo('x', { type: 'A' }) },
        'xstate.error.actor.x': { actions: [tr('err'), assign({ e: ({ event }: Loose) => event.error.message })] },
      },
    },
    {
      actors: {
        inner: createMachine({
          id: 'inner',
          on: {
            A: {
              actions: assign(() => {
                throw new Error('in inner');
              }),
            },
          },
        } as Loose),
      },
    },
  ),
  'pure child': m(
    {
      entry: spawnChild('pure' as Loose, { id: 'x', input: 3 } as Loose),
      on: {
        A: { actions: sendTo('x', { type: 'A' }) },
        B: {
          actions: emit(({ self }: Loose) => ({ type: 'C', c: self.getSnapshot().children.x?.getSnapshot().context })),
        },
        C: { actions: stopChild('x') },
      },
    },
    {
      actors: {
        pure: fromTransition(
          (s: Loose, ev: Loose) => {
            if (s.n > 4) throw new Error('too many');
            return ev.type === 'A' ? { n: s.n + 1 } : s;
          },
          ({ input }: Loose) => ({ n: input }),
        ),
      },
    },
  ),
  'spawn in context': () =>
    machine(
      {
        context: ({ spawn, self, input }: Loose) => ({
          log: [],
          me: self.id,
          n: input,
          r: spawn('inner', { id: 'x', systemId: 'q', input: ({ self: s }: Loose) => s.id }) === undefined,
        }),
        on: {
          A: { actions: sendTo('x', { type: 'A' }) },
          got: { actions: assign({ got: ({ event }: Loose) => event.i }) },
        },
      },
      {
        actors: {
          inner: createMachine({
            id: 'inner',
            context: ({ input }: Loose) => ({ input }),
            entry: sendParent(({ context }: Loose) => ({ type: 'got', i: context.input })),
            on: { A: { actions: sendParent({ type: 'got', i: 2 } as Loose) } },
          } as Loose),
        },
      },
    ),
};
