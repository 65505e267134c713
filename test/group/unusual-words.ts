/** Machines that say unusual things in XState’s words. */
import { and, assign, emit, enqueueActions, not, or, raise, stateIn, type AnyStateMachine } from 'xstate';
import { machine, type Loose } from './group-under-test.ts';
import { e, m, tr } from './logging.ts';

/** By what is unusual about them. */
export const unusualWords: Readonly<Record<string, () => AnyStateMachine>> = {
  'wildcards': m({
    initial: 'a',
    on: { '*': { actions: tr('root*') } },
    states: {
      a: {
        on: {
          'A.*': { actions: tr('A.*') },
          'A.b.*': { actions: tr('A.b.*') },
          'A.b': { actions: tr('A.b') },
          'B': undefined,
          'C': {},
          '*.c': { actions: tr('*.c') },
          'A*': { actions: tr('A*') },
          'A.*.c': { actions: tr('A.*.c') },
        },
      },
    },
  }),
  'wildcards parallel': m({
    type: 'parallel',
    on: { '*': { actions: tr('root*') } },
    states: {
      z: {},
      a: {
        on: {
          'A.*': { actions: tr('A.*') },
          'A.b.*': { actions: tr('A.b.*') },
          'A.b': { actions: tr('A.b') },
          'B': undefined,
          'C': {},
          '*.c': { actions: tr('*.c') },
          'A*': { actions: tr('A*') },
        },
      },
    },
  }),
  'always arrays': m({
    context: { log: [], n: 0 },
    initial: 'a',
    states: {
      a: e('a', {
        always: [
          { guard: ({ context }: Loose) => context.n === 1, target: 'b', reenter: true },
          { guard: ({ event }: Loose) => event.type === 'B', target: 'c' },
        ],
        on: { A: { actions: assign({ n: ({ context }: Loose) => context.n + 1 }) } },
      }),
      b: e('b', {
        always: {
          guard: ({ context }: Loose) => context.n < 3,
          actions: assign({ n: ({ context }: Loose) => context.n + 1 }),
        },
        on: { A: 'a' },
      }),
      c: e('c', { always: 'a' }),
    },
  }),
  'raise queue': m({
    initial: 'a',
    states: {
      a: e('a', {
        on: {
          A: { actions: [raise({ type: 'R1' }), raise({ type: 'R2' }), tr('A')] },
          R1: { target: 'b', actions: tr('R1') },
        },
      }),
      b: e('b', {
        entry: [tr('>b'), raise({ type: 'R3' })],
        on: { R2: { actions: tr('R2') }, R3: { target: 'a', actions: tr('R3') } },
      }),
    },
  }),
  'initial with actions': m({
    initial: { target: 'a', actions: [tr('init'), raise({ type: 'X' })] },
    states: {
      a: e('a', {
        initial: { target: 'b', actions: tr('ab') },
        states: { b: e('b', { on: { X: 'c' } }), c: e('c') },
        on: { A: 'a', B: { target: 'a', reenter: true }, C: '#group.a.c' },
      }),
    },
  }),
  'stateIn': m({
    initial: 'a',
    states: {
      a: e('a', {
        on: { A: { target: 'b', guard: stateIn('a') }, B: { target: 'b', guard: not(stateIn('#group.b') as Loose) } },
      }),
      b: e('b', {
        initial: 'x',
        states: {
          x: { on: { A: { guard: stateIn({ b: 'x' }), target: 'y' }, B: { guard: stateIn('b'), target: '#group.a' } } },
          y: {
            on: {
              A: { guard: or([stateIn('#group.a') as Loose, and([stateIn({ b: 'y' }) as Loose])]), target: '#group.a' },
            },
          },
        },
      }),
    },
  }),
  'guard throws': m(
    {
      on: {
        A: {
          guard: () => {
            throw new Error('g');
          },
        },
        B: {
          guard: () => {
            throw new TypeError('other');
          },
        },
        C: {
          guard: {
            type: 'p',
            params: () => {
              throw new TypeError('params');
            },
          },
        },
      },
    },
    { guards: { p: () => true } },
  ),
  'output throws': m({
    initial: 'a',
    states: {
      a: { on: { A: 'f', B: 'g', C: 'h' } },
      f: {
        type: 'final',
        output: () => {
          throw new Error('o');
        },
      },
      g: { type: 'final' },
      h: {
        initial: 'i',
        states: {
          i: {
            type: 'final',
            output: () => {
              throw new Error('i');
            },
          },
        },
      },
    },
    output: ({ event }: Loose) => event.output,
  }),
  'context null': () => machine({ context: () => null, on: { A: { actions: assign({ x: 1 }) } } }),
  'context throws': () =>
    machine({
      context: () => {
        throw new Error('ctx');
      },
    }),
  'proto key': () =>
    machine({
      context: JSON.parse('{"log":[],"o":{"__proto__":{"x":1},"constructor":1}}'),
      on: {
        A: { actions: assign({ p: ({ context }: Loose) => Object.keys(context.o) }) },
        B: { actions: assign({ o: ({ event }: Loose) => event.o ?? {} }) },
      },
    }),
  'proto assign': () =>
    machine({
      context: { a: 1 },
      on: { A: { actions: assign(() => JSON.parse('{"b":2,"toString":"x","hasOwnProperty":1}')) } },
    }),
  'route': m({
    initial: 'a',
    states: {
      a: e('a', { id: 'ra', route: {} }),
      b: e('b', { id: 'rb', route: { guard: ({ context }: Loose) => context.log.length < 6, actions: tr('routed') } }),
    },
    on: {
      A: { actions: raise({ type: 'xstate.route', to: '#rb' } as Loose) },
      B: { actions: raise({ type: 'xstate.route', to: '#ra' } as Loose) },
    },
  }),
  'done of self': m({
    initial: 'a',
    states: {
      a: {
        initial: 'b',
        onDone: [
          { guard: ({ context }: Loose) => context.log.length > 2, target: 'z' },
          { actions: tr('again'), target: 'a', reenter: true },
        ],
        states: { b: e('b', { on: { A: 'f' } }), f: { type: 'final' } },
      },
      z: e('z'),
    },
  }),
  'params everywhere': m(
    {
      on: {
        A: {
          guard: { type: 'g', params: { k: 1 } },
          actions: [
            { type: 'x', params: ({ context, event }: Loose) => ({ l: context.log.length, t: event.type }) },
            { type: 'y', params: { q: 1 } },
            { type: 'z' },
            'z',
          ],
        },
      },
    },
    {
      guards: { g: (_: Loose, p: Loose) => p?.k === 1 },
      actions: {
        x: assign({ x: (_: Loose, p: Loose) => p }),
        y: emit((_: Loose, p: Loose) => ({ type: 'Y', p })),
        z: enqueueActions(({ enqueue }: Loose, p: Loose) => {
          enqueue.assign({ z: p === undefined });
          enqueue({ type: 'y', params: { q: 2 } });
        }),
      },
    },
  ),
};
