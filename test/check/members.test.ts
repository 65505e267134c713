/** Members of a protocol: machines in harnesses' places, retries, and what a crash does to those that may not be begun again. */
import { expect, test } from 'vitest';
import { assign, sendTo, setup } from 'xstate';
import { coordinator, member } from 'troupe';
import { check, ok, outcomes, protocol, tell, type GroupState, type ProtocolOptions } from 'troupe/check';
import { stepsOf } from './models/asking.ts';
import { effectGroup } from './models/effect-group.ts';

test('members that are machines: they are told, answer, and end', async () => {
  const guesser = setup({
    types: {} as { events: { type: 'hint'; from: string; value: number } },
  }).createMachine({
    id: 'guesser',
    initial: 'waiting',
    states: {
      waiting: {
        on: { hint: { target: 'guessed', actions: tell({ to: 'coordinator', event: { type: 'guess', body: 7 } }) } },
      },
      guessed: { type: 'final' },
    },
    output: 'guessed',
  });
  const asker = coordinator(
    setup({
      types: {} as {
        context: { readonly guesses: number };
        events: { readonly type: string; readonly body: number };
      },
      actors: { member },
    }).createMachine({
      id: 'asker',
      context: { guesses: 0 },
      entry: assign(({ spawn }) => {
        spawn('member', { id: 'g', input: {} });
        return {};
      }),
      initial: 'hinting',
      states: {
        hinting: {
          always: {
            target: 'listening',
            actions: sendTo('g' as never, () => ({ type: 'hint', value: 1 }) as never),
          },
        },
        listening: {
          on: {
            'guess': { actions: assign(({ context, event }) => ({ guesses: context.guesses + event.body })) },
            'xstate.done.actor.g': 'done',
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => context.guesses,
    }),
  );
  type State = GroupState<{ readonly guesses: number }>;
  const result = await check(
    protocol({
      coordinator: asker,
      input: null,
      members: { g: guesser },
      faults: { hostCrash: 1 },
      properties: {
        // The message may be lost with its host, or be sent again by the next attempt.
        always: {
          atMostTwice: (s: State) => s.context.guesses <= 14,
          neverLost: (s: State) => s.status !== 'completed' || s.context.guesses > 0,
        },
        sometimes: {
          heardOnce: (s: State) => s.status === 'completed' && s.context.guesses === 7,
          twice: (s: State) => s.context.guesses === 14,
        },
      } as never,
    }),
  );
  expect(result.violations).toEqual([]);
  expect(result.verdict).toBe('verified');
});

test('members talk to each other, and to all', async () => {
  const talker = (id: string) =>
    setup({ types: {} as { events: { type: 'hello' | 'all'; from: string } } }).createMachine({
      id,
      initial: 'waiting',
      states: {
        waiting:
          id === 'a'
            ? { entry: tell({ to: 'b', event: { type: 'hello' } }), on: { all: 'heard' } }
            : {
                on: { hello: { target: 'heard', actions: tell({ to: '*', event: { type: 'all' } }) }, all: 'heard' },
              },
        heard: { type: 'final' },
      },
      output: `${id} heard`,
    });
  const machine = coordinator(
    setup({
      types: {} as { context: { readonly heard: number }; events: { readonly type: string } },
      actors: { member },
    }).createMachine({
      id: 'parley',
      context: { heard: 0 },
      entry: assign(({ spawn }) => {
        for (const id of ['a', 'b', 'c']) spawn('member', { id, input: {} });
        return {};
      }),
      initial: 'open',
      states: {
        open: {
          always: { guard: ({ context }) => context.heard === 3, target: 'done' },
          on: { 'xstate.done.actor.*': { actions: assign(({ context }) => ({ heard: context.heard + 1 })) } },
        },
        done: { type: 'final' },
      },
    }),
  );
  const members = { a: talker('a'), b: talker('b'), c: talker('c') };
  const options = {
    coordinator: machine,
    input: null,
    members,
    properties: { eventually: { ends: (s: GroupState<unknown, unknown>) => s.status === 'completed' } },
  };
  expect(await check(protocol(options))).toMatchObject({ verdict: 'verified', violations: [] });
  // In any order, b may end before what it said to all has come through: then nobody hears it.
  const late = await check(protocol({ ...options, network: 'bag' }));
  expect(late.violations).toMatchObject([{ property: 'noDeadlock' }]);
  expect(stepsOf(late, 'noDeadlock')).toEqual(['begin', 'sent', 'read', 'settled']);
});

test('a member that may not be begun again is told as interrupted', async () => {
  const machine = coordinator(
    setup({
      types: {} as {
        context: { readonly code: string };
        events: { readonly type: string; readonly error: { readonly code?: string } };
      },
      actors: { member },
    }).createMachine({
      id: 'once',
      context: { code: '' },
      initial: 'waiting',
      states: {
        waiting: {
          invoke: { src: 'member', id: 'a', input: { restartable: false } },
          on: {
            'xstate.done.actor.a': 'done',
            'xstate.error.actor.a': {
              target: 'done',
              actions: assign({ code: ({ event }) => event.error.code ?? 'none' }),
            },
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => context.code,
    }),
  );
  const outcomesSeen = (code: string) => (s: GroupState<unknown, unknown>) => s.output === code;
  const result = await check(
    protocol({
      coordinator: machine,
      input: null,
      members: { a: outcomes(ok()) },
      faults: { hostCrash: 1, memberCrash: 1 },
      executionsAtMost: 1,
      properties: {
        sometimes: {
          fine: outcomesSeen(''),
          interrupted: outcomesSeen('INTERRUPTED'),
          crashed: outcomesSeen('none'),
        },
      },
    }),
  );
  expect(result).toMatchObject({ verdict: 'verified', violations: [] });
});

test('retries by the invocation’s own policy are not told to the coordinator', async () => {
  const machine = coordinator(
    setup({ actors: { member } }).createMachine({
      id: 'patient',
      initial: 'waiting',
      states: {
        waiting: {
          invoke: { src: 'member', id: 'a', input: { retry: { attempts: 3 } }, onDone: 'done', onError: 'failed' },
        },
        done: { type: 'final' },
        failed: { type: 'final' },
      },
    }),
  );
  const result = await check(
    protocol({
      coordinator: machine,
      input: null,
      executionsAtMost: 3,
      properties: {
        sometimes: {
          third: (s) => s.executions('a') === 3,
          // Still known when the group has ended.
          thirdInTheEnd: (s) => s.status === 'completed' && s.executions('a') === 3,
        },
      },
    }),
  );
  expect(result).toMatchObject({ verdict: 'verified' });
});

test('that no machine in a member’s place tells late is said with the bounds', () => {
  const machine = setup({}).createMachine({ id: 'flip', initial: 'off', states: { off: {} } });
  const late = (members: ProtocolOptions<never, unknown, unknown>['members'] = {}) =>
    protocol({ coordinator: effectGroup, input: { members: ['a'] }, members, faults: { late: 1 } }).bounds;
  expect(late({ '*': outcomes(ok()) })).toBe('late 1, timers any');
  expect(late({ 'a': machine, '*': outcomes(ok()) })).toBe('late 1 (not of machines), timers any');
});

test.each([
  ['coordinator', 'hello', undefined],
  ['*', 'hello', undefined],
  ['nobody', 'hello', /^a host refuses message `hello` of member `a`: there is no `nobody`/],
  ['coordinator', 'xstate.done.actor.a', /^a host refuses message `xstate.done.actor.a` of member `a`/],
])('what an explored member sends to %s as %s is what a host would take', async (to, type, why) => {
  const machine = coordinator(
    setup({ actors: { member } }).createMachine({
      id: 'asks',
      initial: 'waiting',
      states: {
        waiting: { invoke: { src: 'member', id: 'a', input: {}, onDone: 'done' }, on: { hello: {} } },
        done: { type: 'final' },
      },
    }),
  );
  const sender = setup({}).createMachine({
    id: 'sender',
    entry: tell({ to, event: { type } }),
    initial: 'done',
    states: { done: { type: 'final' } },
  });
  const { violations } = await check(protocol({ coordinator: machine, input: null, members: { a: sender } }));
  if (why === undefined) expect(violations).toEqual([]);
  else expect(violations).toMatchObject([{ property: 'noUnhandled', message: expect.stringMatching(why) as string }]);
});
