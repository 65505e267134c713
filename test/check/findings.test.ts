/** What is wrong with a coordinator is found, and shown in the fewest steps. */
import { expect, test } from 'vitest';
import { assign, enqueueActions, setup, type AnyStateMachine } from 'xstate';
import { coordinator, member } from 'troupe';
import { check, fail, ok, outcomes, protocol } from 'troupe/check';
import { asking, one, run, stepsOf } from './models/asking.ts';
import { effectGroupProtocol } from './models/effect-group.ts';

test('a step that reads a clock', async () => {
  const machine = asking({
    waiting: { entry: ['ask', assign({ n: () => Date.now() })], on: { 'xstate.done.actor.*': 'done' } },
  });
  const result = await run(machine);
  expect(result).toMatchObject({
    verdict: 'violated',
    violations: [{ property: 'replayDeterminism', kind: 'finding' }],
  });
});

test('a step that counts in a variable of its module', async () => {
  let count = 0;
  const machine = asking({
    waiting: {
      entry: 'ask',
      on: { 'xstate.done.actor.*': { target: 'done', actions: assign({ n: () => (count += 1) }) } },
    },
  });
  const result = await run(machine);
  expect(result.violations[0]).toMatchObject({ property: 'replayDeterminism' });
  expect(stepsOf(result, 'replayDeterminism')).toEqual(['begin', 'ended', 'settled']);
});

test('a step that changes its context in place', async () => {
  const machine = coordinator(
    setup({
      types: {} as {
        context: { readonly seen: string[] };
        events: { readonly type: string; readonly actorId: string };
      },
      actors: { member },
    }).createMachine({
      id: 'mutates',
      context: () => ({ seen: [] }),
      initial: 'waiting',
      states: {
        waiting: {
          invoke: { src: 'member', id: 'a', input: {}, onError: 'done' },
          on: {
            'xstate.done.actor.a': {
              target: 'done',
              actions: assign(({ context, event }) => {
                context.seen.push(event.actorId);
                return { seen: context.seen };
              }),
            },
          },
        },
        done: { type: 'final' },
      },
    }),
  );
  const result = await check(protocol({ coordinator: machine, input: null, members: one }));
  expect(result.violations[0]).toMatchObject({ property: 'replayDeterminism' });
});

test('a step that knows its context by identity, which no journal keeps', async () => {
  const kept = { n: 0 };
  const cached = asking({
    waiting: { entry: ['ask', assign({ n: 0, kept: () => kept } as never)], on: { 'xstate.done.actor.*': 'next' } },
    next: {
      entry: assign(({ context }) => ({ n: (context as { readonly kept?: object }).kept === kept ? 1 : 2 })),
      on: { go: 'done' },
    },
  });
  const restored = await run(cached, { messages: [{ type: 'go' }] });
  expect(restored.violations[0]).toMatchObject({ property: 'replayDeterminism' });
});

test('a step that changes its context in place, though doing it again makes no difference', async () => {
  const machine = asking({
    waiting: {
      entry: ['ask', assign({ flags: () => ({ done: false }) } as never)],
      on: { 'xstate.done.actor.*': 'next' },
    },
    next: {
      entry: assign(({ context }) => {
        const { flags } = context as unknown as { readonly flags: { done: boolean } };
        flags.done = true;
        return { flags } as object;
      }),
      on: { go: 'done' },
    },
  });
  const result = await run(machine, { messages: [{ type: 'go' }] });
  expect(result.violations[0]).toMatchObject({ property: 'replayDeterminism' });
});

test('a guard that looks at the order of keys, where the other order comes later than the step', async () => {
  const keys = (...names: readonly string[]) =>
    assign({ by: () => Object.fromEntries(names.map((name) => [name, 1])) } as never);
  const machine = asking({
    waiting: {
      on: { short: { target: 'last', actions: keys('a', 'b') }, long: 'between' },
    },
    between: { on: { longer: { target: 'last', actions: keys('b', 'a') } } },
    last: {
      on: {
        go: [
          {
            guard: ({ context }: { readonly context: object }) =>
              Object.keys((context as { readonly by: object }).by)[0] === 'a',
            target: 'done',
          },
          { target: 'other' },
        ],
      },
    },
    other: { type: 'final' },
  });
  const messages = ['short', 'long', 'longer', 'go'].map((type) => ({ type }));
  const result = await run(machine, { messages });
  expect(result.violations[0]).toMatchObject({ property: 'replayDeterminism' });
  expect(result.violations[0]?.message).toContain('in another order');
});

test('a property that throws is told by its name', async () => {
  const broken = effectGroupProtocol(2, {
    properties: {
      always: { broken: (s) => s.context.reported['x']?.valueOf() === (null as never as { x: boolean }).x },
    },
  });
  await expect(check(broken)).rejects.toThrow(/BAD_INPUT.*`broken` threw/);
});

test('a guard that looks at the order of keys', async () => {
  const machine = coordinator(
    setup({
      types: {} as {
        context: { readonly by: { readonly [id: string]: number } };
        events: { readonly type: string; readonly actorId: string };
      },
      actors: { member },
    }).createMachine({
      id: 'order',
      context: { by: {} },
      entry: assign(({ spawn }) => {
        for (const id of ['a', 'b']) spawn('member', { id, input: {} });
        return {};
      }),
      initial: 'waiting',
      states: {
        waiting: {
          on: {
            'xstate.done.actor.*': {
              target: 'both',
              actions: assign(({ context, event }) => ({ by: { ...context.by, [event.actorId]: 1 } })),
            },
          },
        },
        both: {
          on: {
            'xstate.done.actor.*': {
              target: 'last',
              actions: assign(({ context, event }) => ({ by: { ...context.by, [event.actorId]: 1 } })),
            },
          },
        },
        last: {
          on: {
            go: [{ guard: ({ context }) => Object.keys(context.by)[0] === 'a', target: 'first' }, { target: 'other' }],
          },
        },
        first: { type: 'final' },
        other: { type: 'final' },
      },
    }),
  );
  const result = await check(protocol({ coordinator: machine, input: null, members: one, messages: [{ type: 'go' }] }));
  expect(result.verdict).toBe('violated');
  expect(result.violations[0]).toMatchObject({ property: 'replayDeterminism' });
});

test('a group that waits for nobody', async () => {
  const result = await run(asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'stuck' } }, stuck: {} }));
  expect(result.violations[0]).toMatchObject({ property: 'noDeadlock', kind: 'deadlock' });
  expect(stepsOf(result, 'noDeadlock')).toEqual(['begin', 'ended', 'settled']);
});

test('a group that waits for nobody, though somebody may cancel it, or its host may die', async () => {
  const machine = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'stuck' } }, stuck: {} });
  const options = { cancel: true, faults: { hostCrash: 1 } };
  expect((await run(machine, options)).violations[0]).toMatchObject({ property: 'noDeadlock' });
  const allowed = await run(machine, { ...options, checks: { noDeadlock: false, canAlwaysEndWithoutTimers: false } });
  expect(allowed.violations[0]).toMatchObject({ property: 'canAlwaysEnd', kind: 'canAlways' });
});

test('a group that goes round and can never end', async () => {
  const round = { entry: 'ask', on: { 'xstate.done.actor.*': { target: 'round', reenter: true } }, exit: 'let go' };
  const machine = coordinator(
    setup({
      types: {} as { context: object; events: { readonly type: string } },
      actors: { member },
      actions: {
        'ask': assign(({ spawn }) => {
          spawn('member', { id: 'a', input: {} });
          return {};
        }),
        'let go': enqueueActions(({ enqueue }) => enqueue.stopChild('a')),
      },
    }).createMachine({
      id: 'round',
      context: {},
      initial: 'round',
      states: { round: round as never },
    }) as unknown as AnyStateMachine,
  );
  // Each round is another incarnation: without a bound the states are without end.
  const result = await check(protocol({ coordinator: machine, input: null, members: one }), { maxStates: 200 });
  expect(result).toMatchObject({ verdict: 'incomplete', cutBy: 'maxStates', violations: [] });
  expect(result.unjudged).toContain('canAlwaysEnd');
});

test('a second failure that only a timer hides', async () => {
  const machine = asking({
    waiting: {
      entry: 'ask',
      on: { 'xstate.done.actor.*': 'done', 'xstate.error.actor.*': { actions: assign({ n: 1 }) } },
      after: { 1_000: 'done' },
    },
  });
  const result = await run(machine, { members: { '*': outcomes(ok(), fail()) } });
  expect(result.violations).toMatchObject([{ property: 'canAlwaysEndWithoutTimers', kind: 'canAlways' }]);
  expect(stepsOf(result, 'canAlwaysEndWithoutTimers')).toEqual(['begin', 'ended']);
  const meant = await run(machine, {
    members: { '*': outcomes(ok(), fail()) },
    checks: { canAlwaysEndWithoutTimers: false },
  });
  expect(meant.verdict).toBe('verified');
});

test('a result that nothing hears', async () => {
  const machine = asking({ waiting: { entry: 'ask', on: { go: 'done' }, after: { 10: 'done' } } });
  const result = await run(machine);
  expect(result.violations[0]).toMatchObject({ property: 'noUnhandled' });
  expect(result.violations[0]?.message).toContain('xstate.done.actor.a');
  expect(stepsOf(result, 'noUnhandled')).toEqual(['begin', 'ended', 'settled']);
});

test('a timer that outlives the state that it was for', async () => {
  const machine = asking({
    waiting: {
      entry: [
        'ask',
        enqueueActions(({ enqueue }) => enqueue.raise({ type: 'late' } as never, { id: 'late', delay: 10 })),
      ],
      on: { 'xstate.done.actor.*': 'resting', 'late': 'done' },
    },
    resting: { on: { enough: 'done' } },
  });
  const result = await run(machine, { messages: [{ type: 'enough' }] });
  expect(result.violations[0]).toMatchObject({ property: 'noStaleTimer' });
  expect(stepsOf(result, 'noStaleTimer')).toEqual(['begin', 'ended', 'settled', 'timer']);
});

test('too many attempts', async () => {
  const result = await check(effectGroupProtocol(2, { executionsAtMost: 2 }));
  expect(result.violations[0]).toMatchObject({ property: 'executionsAtMost' });
  expect((await check(effectGroupProtocol(2, { executionsAtMost: 3 }))).verdict).toBe('verified');
});

test('a `sometimes` that is never met', async () => {
  const result = await check(
    effectGroupProtocol(2, {
      properties: { sometimes: { three: (s) => Object.keys(s.context.reported).length === 3 } },
    }),
  );
  expect(result).toMatchObject({ verdict: 'violated', complete: true });
  expect(result.violations).toMatchObject([{ property: 'three', kind: 'sometimes', trace: undefined }]);
});

test('every property has its own violation when the check goes on', async () => {
  const result = await check(
    effectGroupProtocol(2, {
      properties: {
        always: { neverFails: (s) => s.status !== 'failed', neverCompletes: (s) => s.status !== 'completed' },
      },
    }),
    { stopAt: 'never' },
  );
  expect(result).toMatchObject({ complete: true, distinct: 396 });
  expect(result.violations.map(({ property }) => property)).toEqual(['neverFails', 'neverCompletes']);
});
