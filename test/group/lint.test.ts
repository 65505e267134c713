import {
  and,
  assign,
  createMachine,
  enqueueActions,
  fromCallback,
  fromPromise,
  fromTransition,
  log,
  raise,
  sendTo,
  setup,
  spawnChild,
  type AnyStateMachine,
} from 'xstate';
import { describe, expect, test } from 'vitest';
import { TroupeError } from '../../src/error.ts';
import { coordinator } from '../../src/group/coordinator.ts';
import { define } from '../../src/group/definition.ts';
import { lint } from '../../src/group/lint.ts';
import { member } from '../../src/group/member.ts';

// Machines that are wrong on purpose are mostly wrong by XState's types too.
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;
const machine = (config: Loose, parts: Loose = {}) =>
  setup({ actors: { member }, ...parts } as Loose).createMachine({
    id: 'council',
    ...config,
  } as Loose) as unknown as AnyStateMachine;
const inState = (state: Loose, parts?: Loose) => machine({ initial: 'reviewing', states: { reviewing: state } }, parts);

/** As xstate made machines before 5.31. */
function older(made: Loose): AnyStateMachine {
  delete made.options;
  return made;
}

describe('what cannot be replayed is refused, with machine, state and remedy', () => {
  test.each([
    [
      'an inline child',
      inState({ entry: spawnChild(member as Loose, { id: 'a' } as Loose) }),
      'machine `council`, state `reviewing`: spawned actor has no string `src`. Register it in setup({ actors }) and spawn it by name, so that it can be found again after a restart.',
    ],
    ['an inline invoke', inState({ invoke: { id: 'a', src: member } }), 'invoked actor has no string `src`'],
    [
      'an unregistered actor',
      inState({ entry: spawnChild('nobody' as Loose, { id: 'a' } as Loose) }),
      'actor `nobody` is not registered. Add it to setup({ actors }).',
    ],
    ['a spawn without an id', inState({ entry: spawnChild('member' as Loose) }), 'spawned actor `member` has no id'],
    ['an id that is empty', inState({ entry: spawnChild('member' as Loose, { id: '' } as Loose) }), 'an empty id'],
    ['an id with the separator', inState({ invoke: { src: 'member', id: 'a::b' } }), 'the id `a::b`'],
    ['an invoke without an id', inState({ invoke: { src: 'member' } }), 'invoked actor `member` has no id'],
    [
      'a promise',
      inState({}, { actors: { work: fromPromise(async () => 1) } }),
      'actor `work` is a promise, callback, observable',
    ],
    [
      'a callback',
      inState({}, { actors: { work: fromCallback(() => {}) } }),
      'actor `work` is a promise, callback, observable',
    ],
    ['an actor that is not there yet', inState({}, { actors: { work: undefined } }), 'actor `work` is undefined'],
    [
      'a delayed raise without an id',
      inState({ entry: raise({ type: 'X' } as Loose, { delay: 5 } as Loose) }),
      'a delayed raise has no id',
    ],
    [
      'a delayed sendTo without an id',
      inState({ on: { A: { actions: sendTo('a', { type: 'X' } as Loose, { delay: 5 } as Loose) } } }),
      'a delayed sendTo has no id',
    ],
    [
      'an unknown action',
      inState({ entry: 'nothing' }),
      'action `nothing` is not implemented. Add it to setup({ actions }).',
    ],
    [
      'an unknown guard',
      inState({ on: { A: { guard: 'nothing', target: 'reviewing' } } }),
      'guard `nothing` is not implemented',
    ],
    [
      'an unknown guard inside another',
      inState({ always: { guard: and(['nothing' as Loose]), actions: [] } }),
      'guard `nothing` is not implemented',
    ],
    ['an unknown delay', inState({ after: { patience: 'reviewing' } }), 'delay `patience` is not implemented'],
    [
      'a custom action',
      inState({ exit: function shout() {} }),
      'action `shout` is a function of its own, a side effect that would happen again at every replay. Use assign, emit, or spawn a member.',
    ],
    [
      'a custom action in setup',
      machine({}, { actions: { shout: () => {} } }),
      'action `shout` is a function of its own',
    ],
    [
      'a subscribed child',
      inState({ invoke: { src: 'member', id: 'a', onSnapshot: {} } }),
      'the snapshots of a child are subscribed to',
    ],
    [
      'two states of one id',
      machine({ initial: 'a', states: { a: { id: 'x' }, b: { initial: 'c', states: { c: { id: 'x' } } } } }),
      'machine `council`, state `b.c`: its id `x` is also that of state `a`. Give it another `id`, so that it is the one that is found after a restart.',
    ],
    [
      'two states whose ids come out alike',
      machine({ initial: 'a.b', states: { 'a.b': {}, 'a': { initial: 'b', states: { b: {} } } } }),
      'machine `council`, state `a.b`: its id `council.a.b` is also that of state `a.b`',
    ],
    [
      'a state with the id of its machine',
      machine({ initial: 'a', states: { a: { id: 'council' } } }),
      'state `a`: its id `council` is also that of the machine itself',
    ],
    [
      'a machine of another copy of xstate, before 5.31',
      older(machine({})),
      'machine `council`: it was made by an xstate older than 5.31, whose machines cannot be replayed here. Install a newer one where it is imported from: `npm install xstate@5`.',
    ],
    ['a context that is not JSON', machine({ context: { at: new Date(0) } }), 'context.at: expected JSON, got a Date'],
  ])('%s', (_what, wrong, message) => {
    expect(
      lint(wrong)
        .filter(({ severity }) => severity === 'error')
        .map((finding) => finding.message)
        .join('\n'),
    ).toContain(message);
    expect(() => define(wrong)).toThrow(TroupeError);
    expect(() => coordinator(wrong)).toThrow(/^MACHINE_UNSUPPORTED: machine `council`/);
  });

  test('a machine registered in another one', () => {
    const inner = createMachine({ id: 'inner', entry: () => {} } as Loose) as unknown as AnyStateMachine;
    expect(() => define(machine({}, { actors: { inner } }))).toThrow(
      'MACHINE_UNSUPPORTED: machine `inner`: action `entry` is a function of its own',
    );
  });
});

test('`cond` is refused under both builds of XState', () => {
  // The development build throws when the machine is made, the production build takes the transition every time.
  expect(() => define(inState({ on: { A: { cond: () => false } } }))).toThrow(/`cond`/);
});

describe('what can be replayed passes', () => {
  test('the words of a coordinator', () => {
    const fine = machine(
      {
        context: ({ spawn }: Loose) => ({ ref: spawn('member', { id: 'first' }) }),
        initial: 'a',
        states: {
          a: {
            entry: [assign({}), log('x'), raise({ type: 'X' }), enqueueActions(() => {}), { type: 'note' }],
            invoke: { src: 'member', id: 'judge', onError: 'b' },
            after: { 10: 'b', patience: 'b' },
            on: {
              B: {
                guard: { type: 'yes' },
                actions: sendTo('judge', { type: 'X' } as Loose, { id: 't', delay: 'patience' } as Loose),
              },
            },
          },
          b: { type: 'final' },
        },
      },
      {
        actors: { member, sum: fromTransition((sum: number) => sum, 0) },
        actions: { note: assign({}) },
        guards: { yes: () => true },
        delays: { patience: 5 },
      },
    );
    expect(lint(fine)).toEqual([]);
  });

  test('a child whose failure nobody handles is a warning', () => {
    const definition = define(inState({ invoke: { src: 'member', id: 'judge' } }));
    expect(definition.warnings).toMatchObject([
      { severity: 'warning', rule: 'error-unhandled', machine: 'council', state: undefined },
    ]);
  });
});

describe('the version of a definition', () => {
  const of = (config: Loose, parts?: Loose) => define(machine(config, parts)).version;

  test('is the same for the same machine and source', () => {
    const config = () => ({ initial: 'a', states: { a: { on: { X: { actions: assign({ n: () => 1 }) } } } } });
    expect(of(config())).toBe(of(config()));
  });

  test('is the same before and after a schema of types has been used', () => {
    // Schemas compile themselves when they first check something.
    const schema: Loose = { kind: 'object' };
    const withSchema = () => of({}, { schemas: { context: schema } });
    const before = withSchema();
    schema.compiled = () => true;
    expect(withSchema()).toBe(before);
    expect(before).toBe(of({}));
  });

  test('is found for any meta', () => {
    expect(of({ meta: { big: 1n } })).not.toBe(of({ meta: { big: 2n } }));
  });

  test('changes with a state, a guard and a registered machine', () => {
    const versions = [
      of({}),
      of({ states: { a: {} }, initial: 'a' }),
      of({}, { guards: { g: () => true } }),
      of({}, { guards: { g: () => false } }),
      of({}, { actors: { inner: createMachine({ id: 'inner' }) } }),
      of({}, { actors: { inner: createMachine({ id: 'inner', description: 'x' }) } }),
    ];
    expect(new Set(versions).size).toBe(versions.length);
  });
});

test.each([
  ['undefined', undefined],
  ['null', null],
  ['function', () => 1],
  ['object', { id: 'council' }],
])('what is no machine is told as that: %s', (got, value) => {
  const refusal = `BAD_INPUT: expected a machine, as setup(…).createMachine(…) makes it, to coordinate a group, got ${got}.`;
  expect(() => coordinator(value as Loose)).toThrow(refusal);
});
