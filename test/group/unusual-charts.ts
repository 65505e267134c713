/** Charts of unusual shape. */
import { type AnyStateMachine } from 'xstate';
import { machine, type Loose } from './group-under-test.ts';
import { e, m, tr } from './logging.ts';

/** By what is unusual about them. */
export const unusualCharts: Readonly<Record<string, () => AnyStateMachine>> = {
  'history as initial': m({
    initial: 'p',
    on: { A: '.p', B: '.q' },
    states: {
      p: e('p', {
        initial: 'h',
        states: { h: { type: 'history', target: 'x' }, x: e('x', { on: { C: 'y' } }), y: e('y') },
      }),
      q: e('q'),
    },
  }),
  'history root': m({
    initial: 'p',
    states: {
      h: { type: 'history', history: 'deep' },
      p: e('p', { on: { A: 'q' }, initial: 'a', states: { a: e('a', { on: { B: 'b' } }), b: e('b') } }),
      q: e('q', { on: { A: 'h', B: 'p', C: '#group' } }),
    },
  }),
  'history parallel no default': m({
    initial: 'q',
    states: {
      q: e('q', { on: { A: 'p.h', B: 'p' } }),
      p: e('p', {
        type: 'parallel',
        on: { C: 'q' },
        states: {
          h: { type: 'history' },
          r: e('r', { initial: 'r1', states: { r1: e('r1', { on: { A: 'r2' } }), r2: e('r2') } }),
          s: e('s', { initial: 's1', states: { s1: e('s1', { on: { B: 's2' } }), s2: e('s2') } }),
        },
      }),
    },
  }),
  'history target multi': m({
    initial: 'q',
    states: {
      q: e('q', { on: { A: 'p.h' } }),
      p: e('p', {
        type: 'parallel',
        on: { C: 'q' },
        states: {
          h: { type: 'history', history: 'deep', target: ['r.r2', 's.s2'] },
          r: e('r', { initial: 'r1', states: { r1: e('r1', { on: { A: 'r2' } }), r2: e('r2', { on: { B: 'r1' } }) } }),
          s: e('s', { initial: 's1', states: { s1: e('s1', { on: { B: 's2' } }), s2: e('s2') } }),
        },
      }),
    },
  }),
  'root final': m({ type: 'final', output: 'x', entry: tr('root') }),
  'root parallel final': m({
    type: 'parallel',
    output: ({ context, event }: Loose) => ({ l: context.log.length, of: event.type, o: event.output }),
    states: {
      r: e('r', {
        initial: 'a',
        onDone: { actions: tr('rdone') },
        states: { a: e('a', { on: { A: 'f' } }), f: e('f', { type: 'final', output: 'rf' }) },
      }),
      s: e('s', { initial: 'a', states: { a: e('a', { on: { B: 'f' } }), f: e('f', { type: 'final' }) } }),
    },
  }),
  'parallel onDone': m({
    initial: 'p',
    states: {
      p: e('p', {
        type: 'parallel',
        onDone: { target: 'z', actions: tr('pd') },
        states: {
          r: e('r', { initial: 'a', states: { a: { on: { A: 'f' } }, f: { type: 'final' } } }),
          s: e('s', { type: 'final' }),
        },
      }),
      z: e('z'),
    },
  }),
  'explicit atomic with states': m({
    initial: 'a',
    states: {
      a: { type: 'atomic', states: { x: e('x') }, on: { A: '.x', B: 'b' } },
      b: e('b', { on: { A: 'a.x', B: 'a' } }),
    },
  }),
  'reenter nest': m({
    initial: 'a',
    states: {
      a: e('a', {
        initial: 'b',
        on: { A: { target: 'a', reenter: true }, B: { target: 'a' }, C: '.c', D: { target: '.c', reenter: true } },
        states: {
          b: e('b', { on: { C: { target: '#group.a', reenter: true } } }),
          c: e('c', { on: { A: 'b', B: '#group' } }),
        },
      }),
    },
  }),
  'empty': () => machine({}),
  'empty parallel': m({ type: 'parallel', on: { A: { actions: tr('a') } } }),
  'keys with dots': m({
    initial: 'a.b',
    states: { 'a.b': e('ab', { on: { A: 'c\\.d' } }), 'c.d': e('cd', { on: { A: 'a\\.b' } }) },
  }),
  'integer keys': m({
    initial: '2',
    states: {
      10: e('10', { on: { A: '1' } }),
      2: e('2', { on: { A: '10' } }),
      1: e('1', {
        type: 'parallel',
        on: { A: '2' },
        states: {
          9: { initial: 'x', states: { x: e('x', { on: { B: 'y' } }), y: {} } },
          3: { initial: 'x', states: { x: e('x3', { on: { B: 'y' } }), y: {} } },
        },
      }),
    },
  }),
  'parallel preempt': m({
    type: 'parallel',
    states: {
      r: e('r', {
        initial: 'a',
        states: { a: e('a', { on: { A: '#group.s', B: 'b' } }), b: e('b', { on: { A: 'a' } }) },
      }),
      s: e('s', {
        initial: 'c',
        states: { c: e('c', { on: { A: 'd', B: '#group.r.b' } }), d: e('d', { on: { A: 'c', B: '#group' } }) },
      }),
    },
  }),
  'single region parallel': m({
    initial: 'p',
    states: {
      p: e('p', {
        type: 'parallel',
        on: { C: 'q', A: { actions: tr('pA') } },
        states: {
          r: e('r', { initial: 'a', states: { a: e('a', { on: { B: 'b' } }), b: e('b', { on: { A: 'a' } }) } }),
        },
      }),
      q: e('q', { on: { C: 'p' } }),
    },
  }),
  'initial final': m({
    initial: 'a',
    states: {
      a: { initial: 'f', onDone: 'b', states: { f: { type: 'final', output: 4 } } },
      b: e('b', { on: { A: 'c' } }),
      c: {
        type: 'parallel',
        onDone: 'd',
        states: { x: { initial: 'f', states: { f: { type: 'final' } } }, y: { type: 'final' } },
      },
      d: e('d'),
    },
  }),
};
