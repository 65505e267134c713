/** Protocols of groups: what is explored, and what is found. Every machine here runs in the kernel that ships. */
import { describe, expect, test } from 'vitest';
import { assign, setup, type AnyStateMachine } from 'xstate';
import { coordinator, gate, member } from 'troupe';
import { check, ok, outcomes, protocol, type GroupState } from 'troupe/check';
import { fanOut } from 'troupe/machines';
import { asking, run, stepsOf } from './models/asking.ts';
import { effectGroup } from './models/effect-group.ts';

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

  test('a gate is answered once', async () => {
    const machine = asking({
      waiting: { entry: gate({ name: 'ship', question: 'Ship it?' }), on: { approved: 'after', rejected: 'after' } },
      after: { on: { go: 'done' } },
    });
    const result = await run(machine, {
      messages: [{ type: 'go' }],
      properties: { always: { closed: (s) => !s.matches('after') || s.gates.length === 0 } },
    });
    expect(result).toMatchObject({ verdict: 'verified', distinct: 3 });
  });

  test('cancelling, at any time', async () => {
    const machine = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' } } });
    const result = await run(machine, {
      cancel: true,
      properties: { sometimes: { cancelled: (s) => s.status === 'cancelled', done: (s) => s.status === 'completed' } },
    });
    expect(result).toMatchObject({ verdict: 'verified', distinct: 4 });
  });

  test('the coordinator of a cancelled group is in no state, and its context is not to be read', async () => {
    const machine = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' } } });
    const places = {
      somewhere: (s: GroupState<unknown, unknown>) => s.status === 'cancelled' || s.value !== undefined,
    };
    const result = await run(machine, {
      cancel: true,
      properties: { always: places, sometimes: { done: (s) => s.matches('done') } },
    });
    expect(result).toMatchObject({ verdict: 'verified', distinct: 4 });
    const reads = (s: GroupState<{ readonly n: number }>) => s.context.n === 0;
    await expect(run(machine, { cancel: true, properties: { always: { reads } } as never })).rejects.toThrow(
      'property `reads` threw where it was to say true or false: a group that was cancelled has no context any more',
    );
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

  test('a timer that is set all the time fires at some time, also where states were first met when it was due at another', async () => {
    const machine = coordinator(
      setup({}).createMachine({
        id: 'due',
        initial: 'before',
        states: {
          before: { after: { 10: 'waiting' }, on: { skip: '#due.waiting.two' } },
          waiting: {
            initial: 'one',
            after: { 100: 'done' },
            states: { one: { on: { ping: 'two' } }, two: { on: { ping: 'one' } } },
          },
          done: { type: 'final' },
        },
      }),
    );
    const result = await check(
      protocol({
        coordinator: machine,
        input: null,
        timers: 'due',
        messages: [{ type: 'ping' }, { type: 'skip' }],
        checks: { canAlwaysEndWithoutTimers: false },
        properties: { eventually: { ends: (s) => s.status !== 'active' } },
      }),
    );
    expect(result).toMatchObject({ verdict: 'verified', distinct: 4 });
  });

  test('a lost result needs a timer', async () => {
    const waits = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' } } });
    const lost = await run(waits, { faults: { drop: 1 } });
    expect(stepsOf(lost, 'noDeadlock')).toEqual(['begin', 'ended', 'dropped']);
    const timed = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' }, after: { 10: 'done' } } });
    expect((await run(timed, { faults: { drop: 1 } })).verdict).toBe('verified');
  });

  test('an end that can be reached is asked for where it is wanted, also where a lost result leaves none', async () => {
    const machine = asking({ waiting: { entry: 'ask', on: { 'xstate.done.actor.*': 'done' } } });
    const without = { faults: { drop: 1 }, timers: 'none' } as const;
    expect((await run(machine, { ...without, checks: { noDeadlock: false } })).verdict).toBe('verified');
    const asked = await run(machine, { ...without, checks: { noDeadlock: false, canAlwaysEnd: true } });
    expect(asked.violations).toMatchObject([{ property: 'canAlwaysEnd' }]);
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

// As written in a file that no compiler has read: left out in silence, the rest would be verified.
test.each<[Record<string, unknown>, RegExp]>([
  [{ fault: { hostCrash: 1 } }, /there is no `fault`; there are coordinator, input/],
  [{ faults: { crash: 1 } }, /faults: there is no `crash`; there are hostCrash/],
  [{ checks: { noDeadLock: false } }, /checks: there is no `noDeadLock`/],
  [{ properties: { allways: { never: () => false } } }, /there is no `allways`; there are always/],
  [{ properties: { always: { never: false } } }, /always.never: expected a function of a state, got boolean/],
  [{ network: 'lossy' }, /network: expected "ordered" or "bag", got "lossy"/],
  [{ timers: 'never' }, /timers: expected "any" or "due" or "none", got "never"/],
  [{ executionsAtMost: 0 }, /executionsAtMost: expected a whole number >= 1, got 0/],
  [{ messages: [{ type: 'hello', times: -1 }] }, /times of message `hello`: expected a whole number >= 0, got -1/],
  [{ messages: [{ type: 'hello', time: 1 }] }, /message `hello`: there is no `time`; there are from, type/],
  [{ messages: [{ type: 'hello', body: 1 }] }, /`hello` of `outside` has a `body`.*give its fields as `data`/],
  [{ messages: [{ from: 'a', type: 'hello', data: {} }] }, /`hello` of member `a` has `data`.*give it a `body`/],
  [
    { members: { a: { machine: effectGroup, move: [] } } },
    /member `a`: there is no `move`; there are outcomes, machine/,
  ],
  [{ messages: [{ type: 'xstate.done.actor.a' }] }, /RESERVED_EVENT.*xstate\.done\.actor\.a/],
  [{ members: { a: outcomes(ok(new Map() as never)) } }, /NOT_JSON.*outcomes: an output/],
])('%o is refused', (given, why) => {
  expect(() => protocol({ coordinator: effectGroup, input: { members: ['a'] }, ...given })).toThrow(why);
});

test('a predicate that is asynchronous says nothing, and is refused', async () => {
  const always = { never: (() => Promise.resolve(false)) as unknown as () => boolean };
  const asynchronous = protocol({ coordinator: effectGroup, input: { members: ['a'] }, properties: { always } });
  await expect(check(asynchronous)).rejects.toThrow(/BAD_INPUT.*`never` threw .*: it returned a promise/);
});

test('a group that fails as it begins is refused: of what comes after it nothing would be proven', async () => {
  const input = { members: [{ id: 'a' }, { id: 'a' }] };
  await expect(check(protocol({ coordinator: fanOut, input }))).rejects.toThrow(
    /BAD_INPUT: protocol `fan-out`: expected a group that goes on after its first turn, and it fails there: .*two of `members` are called `a`/,
  );
});

test('a member that the model says nothing of is an error that names it', async () => {
  const result = check(
    protocol({ coordinator: effectGroup, input: { members: ['a', 'b'] }, members: { a: outcomes(ok()) } }),
  );
  await expect(result).rejects.toThrow(/BAD_INPUT.*`b`/);
});
