/** Symmetry: properties are asked of every state of an orbit, and have to say the same of each. */
import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { coordinator } from 'troupe';
import { check, model, ok, outcomes, protocol, tell, type GroupState, type ModelState } from 'troupe/check';
import { said, typed, type Context } from './models/two-alike.ts';

describe('what tells those apart that may change places is refused, instead of being asked of one that stands for all', () => {
  const runner = setup({
    types: {} as { input: string; context: { readonly me: string } },
    actions: { greet: tell(({ context }) => ({ to: 'z', event: { type: 'hello', by: context.me } })) },
  }).createMachine({
    id: 'runner',
    context: ({ input }) => ({ me: input }),
    initial: 'waiting',
    states: { waiting: { on: { go: { target: 'won', actions: 'greet' } } }, won: {} },
  });
  const judge = setup({
    types: {} as {
      context: { readonly first: string | null };
      events: { readonly type: 'hello'; readonly by: string };
    },
    actions: { note: assign({ first: ({ context, event }) => context.first ?? event.by }) },
  }).createMachine({ id: 'judge', context: { first: null }, on: { hello: { actions: 'note' } } });
  const ids = ['a', 'b', 'c'];
  const race = (more: object) =>
    model({
      actors: {
        ...Object.fromEntries(ids.map((id) => [id, { machine: runner, input: id, moves: [{ type: 'go' }] }])),
        z: judge,
      } as never,
      symmetry: [ids],
      ...more,
    });
  type Racing = ModelState<string | null>;
  const won = (state: Racing, id: string) => state.actors[id]?.matches('won') === true;
  const firstOf = ({ actors }: Racing) =>
    (actors['z']?.context as { readonly first: string | null } | undefined)?.first ?? null;

  test.each<[string, object]>([
    ['always', { properties: { always: { odd: (state: Racing) => !(won(state, 'c') && !won(state, 'a')) } } }],
    ['by what is in a context', { properties: { always: { odd: (state: Racing) => firstOf(state) !== 'b' } } }],
    [
      'by what is in flight',
      { properties: { always: { odd: ({ messages }: Racing) => messages.every(({ from }) => from !== 'c') } } },
    ],
    ['sometimes', { properties: { sometimes: { odd: (state: Racing) => won(state, 'c') } } }],
    ['canAlways', { properties: { canAlways: { odd: (state: Racing) => won(state, 'c') } } }],
    ['ends', { ends: (state: Racing) => won(state, 'b') }],
    ['boundary', { boundary: (state: Racing) => !won(state, 'a') }],
    [
      'history.always',
      {
        history: {
          initial: null,
          sent: (_: unknown, { from }: { readonly from: string }) => from,
          always: { odd: (last: string | null) => last !== 'b' },
        },
      },
    ],
  ])('%s', async (_what, more) => {
    await expect(check(race(more))).rejects.toThrow(
      /BAD_INPUT: property `(odd|ends|boundary)` tells those apart that `symmetry` lets change places/,
    );
  });

  test('what is asked of all alike is not, whomever it finds', async () => {
    const wins = (state: Racing) => ids.filter((id) => won(state, id));
    const result = await check(
      race({
        history: { initial: null, sent: (_: unknown, { from }: { readonly from: string }) => from },
        properties: {
          always: {
            firstHasWon: (state: Racing) => firstOf(state) === null || wins(state).includes(firstOf(state) ?? ''),
            senderHasWon: ({ messages, ...state }: Racing) =>
              messages.every(({ from }) => won({ messages, ...state } as Racing, from)),
            lastHasWon: (state: Racing) => state.history === null || won(state, state.history),
          },
          sometimes: { two: (state: Racing) => wins(state).length === 2 },
          canAlways: { all: (state: Racing) => wins(state).length === 3 },
        },
      }),
    );
    expect(result).toMatchObject({ verdict: 'verified', symmetryUsed: true });
  });

  const crew = coordinator(
    typed.createMachine({
      id: 'crew',
      context: { count: 0, gone: null },
      entry: 'begin',
      initial: 'open',
      states: {
        open: {
          on: {
            'hello': { guard: 'isFirst', actions: ['count', 'ask', 'leave'] },
            'approved': 'done',
            'rejected': 'done',
            'xstate.done.actor.*': { actions: 'count' },
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => context.gone,
    }),
  );
  type Crew = GroupState<Context, string | null>;
  const crewWith = (holds: (state: Crew) => boolean) =>
    protocol({
      coordinator: crew,
      input: null,
      members: { '*': outcomes(ok()) },
      messages: said.map((from) => ({ from, type: 'hello' })),
      executionsAtMost: 1,
      checks: { canAlwaysEnd: false, canAlwaysEndWithoutTimers: false, noDeadlock: false },
      properties: { always: { odd: holds as never } },
      symmetry: [said],
    });

  test.each<[string, (state: Crew) => boolean]>([
    ['members', ({ members }) => members['a']?.status !== 'told'],
    ['wanted', ({ wanted }) => wanted.includes('b')],
    ['gates', ({ gates }) => !gates.includes('a')],
    ['executions', ({ executions }) => executions('a') === executions('b')],
    ['context', ({ context }) => context.gone !== 'a'],
    ['output', ({ output }) => output !== 'b'],
  ])('of a group: by its %s', async (what, holds) => {
    const asking = check(crewWith(holds));
    // Both have begun whenever one has: this says the same of both.
    if (what === 'executions') expect(await asking).toMatchObject({ verdict: 'verified' });
    else await expect(asking).rejects.toThrow(/property `odd` tells those apart that `symmetry` lets change places/);
  });

  test('of a group, what is asked of all alike is not', async () => {
    const result = await check(
      crewWith(
        ({ context, gates, members, wanted, output, executions }) =>
          gates.every((gate) => gate === context.gone && gate in members) &&
          wanted.every((id) => executions(id) === 1 && members[id]?.status !== 'gone') &&
          (output === undefined || output === context.gone),
      ),
    );
    expect(result).toMatchObject({ verdict: 'verified' });
  });
});
