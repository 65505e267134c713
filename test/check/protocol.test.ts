/** Protocols of groups: what is explored, and what is found. Every machine here runs in the kernel that ships. */
import { describe, expect, test } from 'vitest';
import { assign, enqueueActions, sendTo, setup, type AnyStateMachine } from 'xstate';
import { coordinator, gate, member } from 'troupe';
import { check, fail, ok, outcomes, protocol, tell, type GroupState, type ProtocolOptions } from 'troupe/check';
import { effectGroup, effectGroupProtocol } from './models/effect-group.ts';

const stepsOf = (result: Awaited<ReturnType<typeof check>>, property: string) =>
  result.violations.find((one) => one.property === property)?.trace?.steps.map(({ type }) => type);

/** Asks one member, and then does as `states` say. */
function asking(states: object, more: object = {}) {
  return coordinator(
    setup({
      types: {} as { context: { readonly n: number }; events: { readonly type: string; readonly actorId: string } },
      actors: { member },
      actions: {
        ask: assign(({ spawn }) => {
          spawn('member', { id: 'a', input: {} });
          return {};
        }),
      },
    }).createMachine({
      id: 'asking',
      context: { n: 0 },
      initial: 'waiting',
      ...more,
      states: { done: { type: 'final' }, ...states } as never,
      // States that are put together at run time have no types of their own.
    }) as unknown as AnyStateMachine,
  );
}

const one = { '*': outcomes(ok()) };
const run = (machine: ReturnType<typeof asking>, options: Partial<ProtocolOptions<unknown, unknown, unknown>> = {}) =>
  check(protocol({ coordinator: machine, input: null, members: one, ...options }));

describe('the effect group', () => {
  test.each([
    [2, 396, 1_320, 8],
    [3, 2_367, 10_807, 10],
    [4, 12_692, 73_616, 12],
  ])('%i members, one crash, one duplicate: %i states', async (count, distinct, generated, depth) => {
    const result = await check(effectGroupProtocol(count));
    expect(result).toMatchObject({ verdict: 'verified', violations: [], distinct, generated, depth });
    expect(result.bounds).toBe('crash 1, dup 1, timers any');
    expect(result.stats.coverage['effectGroup']?.unvisited).toEqual([]);
  });

  test.each([
    [3, 503],
    [4, 993],
  ])('%i members that may change places: %i orbits', async (count, orbits) => {
    const members = Array.from({ length: count }, (_, index) => `m${index + 1}`);
    const result = await check(effectGroupProtocol(count, { symmetry: [members] }));
    expect(result).toMatchObject({ verdict: 'verified', distinct: orbits, symmetryUsed: true });
  });

  test('more crashes are more states, and it still ends in each', async () => {
    const [none, two] = await Promise.all([
      check(effectGroupProtocol(2, { faults: {} })),
      check(effectGroupProtocol(2, { faults: { hostCrash: 2, memberCrash: 1, duplicate: 1, late: 1 } })),
    ]);
    expect(none.verdict).toBe('verified');
    expect(two.verdict).toBe('verified');
    expect(two.distinct).toBeGreaterThan(none.distinct * 10);
  });

  test('ends in every fair run; need not complete in any', async () => {
    const ends = await check(
      effectGroupProtocol(3, { properties: { eventually: { ends: (s) => s.status !== 'active' } } }),
    );
    expect(ends.verdict).toBe('verified');
    const completes = await check(
      effectGroupProtocol(3, { properties: { eventually: { completes: (s) => s.status === 'completed' } } }),
    );
    expect(stepsOf(completes, 'completes')).toEqual(['begin', 'timer']);
  });

  test('a view merges states, and the result says so', async () => {
    const logging = coordinator(
      setup({
        types: {} as {
          context: { readonly log: readonly string[] };
          events: { readonly type: string; readonly actorId: string };
        },
        actors: { member },
        actions: {
          note: enqueueActions(({ context, event, enqueue }) => {
            enqueue.stopChild(event.actorId);
            enqueue.assign({ log: [...context.log, event.actorId] });
          }),
        },
      }).createMachine({
        id: 'logging',
        context: { log: [] },
        initial: 'open',
        states: {
          open: {
            entry: assign(({ spawn }) => {
              for (const id of ['a', 'b', 'c']) spawn('member', { id, input: {} });
              return {};
            }),
            always: { guard: ({ context }) => context.log.length === 3, target: 'done' },
            on: { 'xstate.done.actor.*': { actions: 'note' } },
          },
          done: { type: 'final' },
        },
      }),
    );
    const options = { coordinator: logging, input: null, members: one };
    const plain = await check(protocol(options));
    expect(plain).toMatchObject({ verdict: 'verified', viewUsed: false, distinct: 38 });
    const viewed = await check(protocol({ ...options, view: () => null, checks: { replayDeterminism: false } }));
    expect(viewed).toMatchObject({ verdict: 'verified', viewUsed: true, distinct: 27 });
  });
});

describe('what is wrong is found, in the fewest steps', () => {
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
              go: [
                { guard: ({ context }) => Object.keys(context.by)[0] === 'a', target: 'first' },
                { target: 'other' },
              ],
            },
          },
          first: { type: 'final' },
          other: { type: 'final' },
        },
      }),
    );
    const result = await check(
      protocol({ coordinator: machine, input: null, members: one, messages: [{ type: 'go' }] }),
    );
    expect(result.verdict).toBe('violated');
    expect(result.violations[0]).toMatchObject({ property: 'replayDeterminism' });
  });

  test('a group that waits for nobody', async () => {
    const result = await run(asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'stuck' } }, stuck: {} }));
    expect(result.violations[0]).toMatchObject({ property: 'noDeadlock', kind: 'deadlock' });
    expect(stepsOf(result, 'noDeadlock')).toEqual(['begin', 'ended', 'settled']);
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
});

describe('what a group can do is explored', () => {
  test('gates are approved and rejected', async () => {
    const machine = asking({
      waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'asking' } },
      asking: { entry: gate({ name: 'ship', question: 'Ship it?' }), on: { approved: 'done', rejected: 'not' } },
      not: { type: 'final' },
    });
    const result = await run(machine, {
      faults: { hostCrash: 1 },
      properties: {
        sometimes: {
          asked: (s) => s.gates.join() === 'ship',
          approved: (s) => s.matches('done'),
          rejected: (s) => s.matches('not'),
        },
      },
    });
    expect(result).toMatchObject({ verdict: 'verified', violations: [] });
  });

  test('cancelling, at any time', async () => {
    const machine = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' } } });
    const result = await run(machine, {
      cancel: true,
      properties: { sometimes: { cancelled: (s) => s.status === 'cancelled', done: (s) => s.status === 'completed' } },
    });
    expect(result).toMatchObject({ verdict: 'verified', distinct: 4 });
  });

  test('nested groups: their members settle them, and crashes are survived', async () => {
    const inner = setup({ actors: { member } }).createMachine({
      id: 'inner',
      initial: 'asking',
      states: {
        asking: { invoke: { src: 'member', id: 'x', input: {}, onDone: 'done', onError: 'done' } },
        done: { type: 'final' },
      },
      output: 'inner',
    });
    const outer = coordinator(
      setup({ actors: { inner } }).createMachine({
        id: 'outer',
        initial: 'both',
        states: {
          both: {
            type: 'parallel',
            onDone: 'done',
            states: {
              left: {
                initial: 'on',
                states: {
                  on: { invoke: { src: 'inner', id: 'l', onDone: 'off', onError: 'off' } },
                  off: { type: 'final' },
                },
              },
              right: {
                initial: 'on',
                states: {
                  on: { invoke: { src: 'inner', id: 'r', onDone: 'off', onError: 'off' } },
                  off: { type: 'final' },
                },
              },
            },
          },
          done: { type: 'final' },
        },
      }),
    );
    const result = await check(
      protocol({
        coordinator: outer,
        input: null,
        faults: { hostCrash: 1 },
        properties: {
          sometimes: { both: (s) => s.wanted.join() === 'l::x,r::x', one: (s) => s.wanted.join() === 'r::x' },
          eventually: { ends: (s) => s.status === 'completed' },
        },
      }),
    );
    expect(result).toMatchObject({ verdict: 'verified', violations: [] });
    expect(result.stats.coverage['outer']?.unvisited).toEqual([]);
  });

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
          always: { atMostTwice: (s: State) => s.context.guesses <= 14 },
          sometimes: {
            heardOnce: (s: State) => s.status === 'completed' && s.context.guesses === 7,
            never: (s: State) => s.status === 'completed' && s.context.guesses === 0,
            twice: (s: State) => s.context.guesses === 14,
          },
        } as never,
      }),
    );
    expect(result.violations).toEqual([]);
    expect(result.verdict).toBe('verified');
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
        properties: { sometimes: { third: (s) => s.executions('a') === 3 } },
      }),
    );
    expect(result).toMatchObject({ verdict: 'verified' });
  });

  test('timers: in any order, in due order, or never', async () => {
    const machine = coordinator(
      setup({ types: {} as { context: { readonly order: readonly string[] } } }).createMachine({
        id: 'timers',
        type: 'parallel',
        context: { order: [] },
        states: Object.fromEntries(
          [10, 20].map((ms) => [
            `t${ms}`,
            {
              initial: 'on',
              states: {
                on: {
                  after: {
                    [ms]: {
                      target: 'off',
                      actions: assign(({ context }: { context: { order: readonly string[] } }) => ({
                        order: [...context.order, `${ms}`],
                      })),
                    },
                  },
                },
                off: { type: 'final' },
              },
            },
          ]),
        ) as never,
        output: ({ context }) => context.order.join(),
      }) as unknown as AnyStateMachine,
    );
    const checks = { canAlwaysEndWithoutTimers: false };
    const firstIsLater = (s: GroupState<unknown, unknown>) => s.output === '20,10';
    const any = await check(
      protocol({ coordinator: machine, input: null, checks, properties: { sometimes: { firstIsLater } } }),
    );
    expect(any).toMatchObject({ verdict: 'verified', distinct: 5 });
    const due = await check(
      protocol({
        coordinator: machine,
        input: null,
        checks,
        timers: 'due',
        properties: { always: { inOrder: (s) => !firstIsLater(s) } },
      }),
    );
    expect(due).toMatchObject({ verdict: 'verified', distinct: 3 });
    const none = await check(protocol({ coordinator: machine, input: null, checks, timers: 'none' }));
    expect(none.violations[0]).toMatchObject({ property: 'noDeadlock' });
  });

  test('a lost result needs a timer', async () => {
    const waits = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' } } });
    const lost = await run(waits, { faults: { drop: 1 } });
    expect(stepsOf(lost, 'noDeadlock')).toEqual(['begin', 'ended', 'dropped']);
    const timed = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' }, after: { 10: 'done' } } });
    expect((await run(timed, { faults: { drop: 1 } })).verdict).toBe('verified');
  });
});

test('what makes no sense is refused', () => {
  expect(() => protocol({ coordinator: effectGroup, input: { members: ['a'] }, faults: { hostCrash: -1 } })).toThrow(
    /BAD_INPUT.*hostCrash/,
  );
  expect(() => protocol({ coordinator: effectGroup, input: { members: ['a'] }, members: { a: outcomes() } })).toThrow(
    /BAD_INPUT.*at least one/,
  );
});

test('a member that the model says nothing of is an error that names it', async () => {
  const result = check(
    protocol({ coordinator: effectGroup, input: { members: ['a', 'b'] }, members: { a: outcomes(ok()) } }),
  );
  await expect(result).rejects.toThrow(/BAD_INPUT.*`b`/);
});
