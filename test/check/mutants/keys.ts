/** Who is meant: results, members and messages that are taken for others. */
import { sendTo } from 'xstate';
import type { JsonValue } from 'troupe';
import { fail, ok, outcomes } from 'troupe/check';
import { effectGroup, effectGroupProtocol } from '../models/effect-group.ts';
import { faulty, mutant, type Mutant, type State } from './faulty.ts';
import { endOfA, ready, seeded, set, small, spawning, stopping, type Args, type Options } from './small.ts';

/** The mutants. */
export const keyMutants: readonly Mutant[] = [
  seeded(
    'count instead of key: one member counts twice after a crash',
    ['bothAreReady', 3],
    (isBad) => {
      type Context = { readonly count: number; readonly heard: readonly string[] };
      return small<Context>('counts', {
        asks: ['a', 'b'],
        context: { count: 0, heard: [] },
        states: {
          waiting: {
            always: {
              guard: ({ context }: Args<Context>) => (isBad ? context.count : context.heard.length) >= 2,
              target: 'done',
            },
            on: {
              ready: {
                actions: set<Context>(({ context, event }) => ({
                  count: context.count + 1,
                  heard: [...new Set([...context.heard, event.from])].sort(),
                })),
              },
            },
          },
        },
        output: ({ context }) => context.heard,
      });
    },
    {
      members: { '*': ready },
      faults: { hostCrash: 1 },
      // Who waits for a crash to count twice has a way in which nobody does.
      view: ({ context }) => {
        const { count, heard } = context as { readonly count: number; readonly heard: readonly string[] };
        return [Math.min(count, 4), [...heard]];
      },
      properties: {
        always: { bothAreReady: (s: State<unknown>) => s.output === undefined || `${s.output as string}` === 'a,b' },
      },
    } as Options,
  ),
  seeded(
    'un-keyed completion: whoever ends, it is taken for the work',
    ['itIsTheWork', 2],
    (isBad) => {
      const note = {
        target: 'done',
        actions: set<{ readonly result: JsonValue }>(({ event }) => ({ result: event.output })),
      };
      return small<{ readonly result: JsonValue }>('unkeyed', {
        asks: ['work', 'watch'],
        context: { result: null },
        states: {
          on: {
            on: isBad
              ? { 'xstate.done.actor.*': note }
              : { 'xstate.done.actor.work': note, 'xstate.done.actor.watch': {} },
          },
        },
        output: ({ context }) => context.result,
      });
    },
    {
      members: { work: outcomes(ok('result')), watch: outcomes(ok('noise')) },
      properties: { always: { itIsTheWork: (s) => s.output === undefined || s.output === 'result' } },
    },
  ),
  seeded(
    'orphaned child: the slower one works on when it is no longer needed',
    ['nobodyIsLeft', 2],
    (isBad) =>
      small('orphan', {
        asks: ['a', 'b'],
        context: {},
        states: {
          asking: { on: { 'xstate.done.actor.*': { target: 'reporting', actions: isBad ? [] : stopping('a', 'b') } } },
          reporting: {
            entry: spawning('report'),
            on: { 'xstate.done.actor.report': 'done', 'xstate.done.actor.*': {} },
          },
        },
      }),
    { properties: { always: { nobodyIsLeft: (s) => !s.matches('reporting') || s.wanted.join() === 'report' } } },
  ),
  seeded(
    'the result of an old attempt is taken for the new one’s',
    ['itIsTheNewOne', 3],
    (isBad) => {
      type Context = { readonly round: number; readonly from: string };
      return small<Context>('rounds', {
        asks: ['try 1'],
        context: { round: 1, from: '' },
        states: {
          trying: {
            on: {
              'again': {
                guard: ({ context }: Args<Context>) => context.round === 1,
                actions: [set<Context>(() => ({ round: 2 })), spawning('try 2')],
              },
              'xstate.done.actor.*': [
                {
                  guard: ({ context, event }: Args<Context>) => isBad || event.actorId === `try ${context.round}`,
                  target: 'done',
                  actions: set<Context>(({ event }) => ({ from: event.actorId })),
                },
                {},
              ],
            },
          },
        },
        output: ({ context }) => [context.round, context.from],
      });
    },
    {
      messages: [{ type: 'again', times: 1 }],
      properties: {
        always: { itIsTheNewOne: (s) => s.output === undefined || JSON.stringify(s.output) !== '[2,"try 1"]' },
      },
    },
  ),
  seeded(
    'the winner is not the only one',
    ['oneWinner', 4],
    (isBad) => {
      type Context = { readonly winners: readonly string[] };
      const win = set<Context>(({ context, event }) => ({ winners: [...context.winners, event.actorId] }));
      return small<Context>('winners', {
        asks: ['a', 'b'],
        context: { winners: [] },
        states: {
          racing: { on: { 'xstate.done.actor.*': { target: 'awarding', actions: win } } },
          awarding: {
            entry: spawning('prize'),
            on: { 'xstate.done.actor.prize': 'done', 'xstate.done.actor.*': isBad ? { actions: win } : {} },
          },
        },
      });
    },
    { properties: { always: { oneWinner: ({ context }) => (context['winners'] as readonly string[]).length <= 1 } } },
  ),
  seeded(
    'a message to a member that was stopped',
    ['doesNotFail', 4],
    (isBad) =>
      small<{ readonly isThere: boolean }>('letters', {
        asks: ['a', 'b'],
        context: { isThere: true },
        states: {
          on: {
            on: {
              [endOfA]: { actions: [stopping('a'), set<{ readonly isThere: boolean }>(() => ({ isThere: false }))] },
              'xstate.done.actor.b': [
                {
                  guard: ({ context }: Args<{ readonly isThere: boolean }>) => isBad || context.isThere,
                  target: 'done',
                  actions: sendTo('a' as never, { type: 'b is done' } as never),
                },
                { target: 'done' },
              ],
            },
          },
        },
      }),
    { properties: { always: { doesNotFail: (s) => s.status !== 'failed' } } },
  ),
  seeded(
    'a failure that nothing hears',
    ['noUnhandled', 2],
    (isBad) =>
      small('unheard', {
        asks: ['a'],
        context: {},
        states: {
          on: {
            on: { [endOfA]: 'done', ...(isBad ? { elsewhere: 'done' } : { 'xstate.error.actor.a': 'done' }) },
            after: { 10: 'done' },
          },
        },
      }),
    { members: { '*': outcomes(ok(), fail()) } },
  ),
  mutant(
    'a second failure is ignored, which only the time limit hides',
    ['canAlwaysEndWithoutTimers', 2],
    (machine: typeof effectGroup) => effectGroupProtocol(3, { coordinator: machine }),
    [
      faulty(effectGroup, {
        states: ({ running }) => {
          if (running?.on !== undefined)
            running.on['xstate.error.actor.*'] = [{ guard: 'isSecond' }, { actions: 'again' }];
        },
      }),
      effectGroup,
    ],
  ),
];
