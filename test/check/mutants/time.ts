/** Timers, clocks, chance: what comes too late, too often, or differently each time. */
import { assign } from 'xstate';
import { gate } from 'troupe';
import { fail, ok, outcomes } from 'troupe/check';
import type { Mutant } from './faulty.ts';
import { cancelling, endOfA, raising, seeded, set, small, spawning, stopping, type Args } from './small.ts';

/** The mutants. */
export const timeMutants: readonly Mutant[] = [
  seeded(
    'stale timer: the first phase’s limit ends the second',
    ['onlyItsOwnLimit', 3],
    (isBad) => {
      type Context = { readonly phase: number; readonly late: number };
      const note = { target: 'done', actions: set<Context>(({ event }) => ({ late: event.of })) };
      return small<Context>('phases', {
        asks: ['a'],
        context: { phase: 1, late: 0 },
        states: {
          first: {
            entry: raising({ type: 'limit', of: 1 }, 'limit 1'),
            on: {
              [endOfA]: { target: 'second', actions: isBad ? [] : cancelling('limit 1') },
              limit: note,
            },
          },
          second: {
            entry: [spawning('b'), raising({ type: 'limit', of: 2 }, 'limit 2'), set<Context>(() => ({ phase: 2 }))],
            on: { 'xstate.done.actor.b': 'done', 'limit': note },
          },
        },
      });
    },
    {
      properties: {
        always: { onlyItsOwnLimit: ({ context }) => context['late'] === 0 || context['late'] === context['phase'] },
      },
    },
  ),
  seeded(
    'a timer that outlives its state, heard by nobody',
    ['noStaleTimer', 3],
    (isBad) =>
      small('outlives', {
        asks: ['a'],
        context: {},
        states: {
          first: {
            entry: raising({ type: 'limit' }, 'limit'),
            on: { [endOfA]: { target: 'second', actions: isBad ? [] : cancelling('limit') }, limit: 'done' },
          },
          second: { entry: spawning('b'), on: { 'xstate.done.actor.b': 'done' } },
        },
      }),
    {},
  ),
  seeded(
    'a clock in assign',
    ['replayDeterminism', 2],
    (isBad) =>
      small<{ readonly at: number }>('clock', {
        asks: ['a'],
        context: { at: 0 },
        states: {
          on: { on: { [endOfA]: { target: 'done', actions: assign({ at: () => (isBad ? Date.now() : 1) }) } } },
        },
      }),
    {},
  ),
  seeded(
    'chance in a guard',
    ['replayDeterminism', 2],
    (isBad) =>
      small('chance', {
        asks: ['a'],
        context: {},
        states: {
          on: {
            on: { [endOfA]: [{ guard: () => isBad && Math.random() < 0.5, target: 'other' }, { target: 'done' }] },
          },
          other: { type: 'final' },
        },
      }),
    {},
  ),
  seeded(
    'a list changed in place',
    ['replayDeterminism', 2],
    (isBad) =>
      small<{ readonly seen: readonly string[] }>('in place', {
        asks: ['a', 'b'],
        context: { seen: [] },
        states: {
          on: {
            always: { guard: ({ context }: Args<{ seen: string[] }>) => context.seen.length === 2, target: 'done' },
            on: {
              'xstate.done.actor.*': {
                actions: set<{ readonly seen: readonly string[] }>(({ context, event }) => {
                  if (!isBad) return { seen: [...context.seen, event.actorId] };
                  (context.seen as string[]).push(event.actorId);
                  return { seen: context.seen };
                }),
              },
            },
          },
        },
      }),
    {},
  ),
  seeded(
    'retry after cancel: what waits to be tried again is, though all was stopped',
    ['nothingAfterStop', 4],
    (isBad) =>
      small<{ readonly tries: number }>('retries', {
        asks: ['a'],
        context: { tries: 1 },
        states: {
          working: {
            on: {
              [endOfA]: 'done',
              'xstate.error.actor.a': [
                { guard: ({ context }: Args<{ readonly tries: number }>) => context.tries === 2, target: 'done' },
                {
                  actions: [
                    set<{ readonly tries: number }>(() => ({ tries: 2 })),
                    stopping('a'),
                    raising({ type: 'again' }, 'again'),
                  ],
                },
              ],
              'again': { actions: spawning('a') },
              'stop': { target: 'cleaning', actions: [stopping('a'), ...(isBad ? [] : [cancelling('again')])] },
            },
          },
          cleaning: {
            entry: spawning('cleanup'),
            on: {
              'xstate.done.actor.cleanup': 'done',
              'xstate.error.actor.*': 'done',
              ...(isBad ? { again: { actions: spawning('a') }, [endOfA]: 'done' } : {}),
            },
          },
        },
      }),
    {
      members: { '*': outcomes(ok(), fail()) },
      messages: [{ type: 'stop', times: 1 }],
      executionsAtMost: 2,
      checks: { canAlwaysEndWithoutTimers: false },
      properties: { always: { nothingAfterStop: (s) => !s.matches('cleaning') || !s.wanted.includes('a') } },
    },
  ),
  seeded(
    'after a reject it goes round for ever',
    ['canAlwaysEnd', 3],
    (isBad) =>
      small('rejected', {
        asks: ['a'],
        context: {},
        states: {
          working: { on: { [endOfA]: 'asking' } },
          asking: {
            entry: gate({ name: 'ship', question: 'Ship it?' }),
            on: { approved: 'done', rejected: 'pausing' },
          },
          pausing: { after: { 10: isBad ? 'resting' : 'asking' } },
          resting: { after: { 10: 'pausing' } },
        },
      }),
    { checks: { canAlwaysEndWithoutTimers: false } },
  ),
  seeded(
    'nobody waits for a result that is lost',
    ['noDeadlock', 2],
    (isBad) =>
      small('lossy', {
        asks: ['a'],
        context: {},
        states: { on: { on: { [endOfA]: 'done' }, ...(isBad ? {} : { after: { 10: 'done' } }) } },
      }),
    { faults: { drop: 1 } },
  ),
];
