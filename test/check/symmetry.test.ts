/** Symmetry goes through the whole state of a protocol: what members may still say, and the gates that are open. */
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { coordinator, member } from 'troupe';
import { check, model, ok, outcomes, protocol, type ProtocolMessage } from 'troupe/check';
import { renamed } from '../../src/check/actors/symmetry.ts';
import { said, typed, type Said } from './models/two-alike.ts';

const idle = setup({}).createMachine({ id: 'idle', initial: 'waiting', states: { waiting: {} } });
const untimed = (type: string): readonly ProtocolMessage[] => said.map((from) => ({ from, type }));

test('what a member has said is renamed with it', async () => {
  const hellos = coordinator(
    typed.createMachine({
      id: 'hellos',
      context: { count: 0, gone: null },
      entry: 'begin',
      initial: 'strict',
      always: { guard: 'isFull', target: '.done' },
      states: {
        strict: {
          on: {
            hello: { actions: ['count', 'stop', 'leave'] },
            bye: { guard: 'mayLeave', actions: ['stop', 'leave'] },
            lax: 'lax',
          },
        },
        lax: { on: { hello: { actions: 'count' }, strict: 'strict' } },
        done: { type: 'final' },
      },
    }),
  );
  const modelWith = (symmetry?: readonly (readonly string[])[]) =>
    protocol({
      coordinator: hellos,
      input: null,
      members: { '*': idle },
      messages: [
        ...said.map((from) => ({ from, type: 'hello', times: 1 })),
        ...untimed('bye'),
        { type: 'lax' },
        { type: 'strict' },
      ],
      ...(symmetry === undefined ? {} : { symmetry }),
    });
  const all = await check(modelWith());
  const orbits = await check(modelWith([said]));
  // One says hello, the other leaves: nobody is left who may say the second.
  expect(all.violations[0]).toMatchObject({ property: 'canAlwaysEnd' });
  expect(orbits.violations[0]).toMatchObject({ property: 'canAlwaysEnd' });
});

test('gates that are called as members are, are renamed with them', async () => {
  const asking = coordinator(
    typed.createMachine({
      id: 'asking',
      context: { count: 0, gone: null },
      entry: 'begin',
      initial: 'strict',
      states: {
        strict: {
          on: {
            hello: { guard: 'isFirst', actions: ['count', 'ask', 'stop', 'leave'] },
            bye: { guard: 'mayLeave', actions: ['stop', 'leave'] },
            lax: 'lax',
            approved: [{ guard: 'isOther', actions: 'count', target: 'done' }, { target: 'done' }],
            rejected: 'done',
          },
        },
        lax: {
          on: {
            hello: { guard: 'isFirst', actions: ['count', 'ask'] },
            strict: 'strict',
            approved: 'done',
            rejected: 'done',
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => (context.count === 2 ? 'other' : 'same'),
    }),
  );
  const modelWith = (symmetry?: readonly (readonly string[])[]) =>
    protocol({
      coordinator: asking,
      input: null,
      members: { '*': idle },
      messages: [...untimed('hello'), ...untimed('bye'), { type: 'lax' }, { type: 'strict' }],
      checks: { canAlwaysEnd: false, canAlwaysEndWithoutTimers: false, noDeadlock: false },
      properties: { always: { same: ({ output }) => output !== 'other' } },
      ...(symmetry === undefined ? {} : { symmetry }),
    });
  const all = await check(modelWith());
  const orbits = await check(modelWith([said]));
  expect(all.violations[0]).toMatchObject({ property: 'same' });
  expect(orbits.violations[0]).toMatchObject({ property: 'same' });
});

test('members of nested groups change places with their groups', async () => {
  const team = setup({ actors: { member } }).createMachine({
    id: 'team',
    initial: 'working',
    states: { working: { invoke: { src: 'member', id: 'x', input: {}, onDone: 'done' } }, done: { type: 'final' } },
  });
  const teams = coordinator(
    setup({
      types: {} as { context: { readonly first: string | null }; events: Said },
      actors: { team },
      guards: { isFirst: ({ context }) => context.first === null },
      actions: { note: assign({ first: ({ event }) => event.from }) },
    }).createMachine({
      id: 'teams',
      context: { first: null },
      invoke: [
        { src: 'team', id: 'a' },
        { src: 'team', id: 'b' },
      ],
      initial: 'open',
      states: {
        open: { on: { 'hello': { guard: 'isFirst', actions: 'note' }, 'xstate.done.actor.*': 'done' } },
        done: { type: 'final' },
      },
    }),
  );
  const modelWith = (isAsked: boolean, symmetry?: readonly (readonly string[])[]) =>
    protocol({
      coordinator: teams,
      input: null,
      members: { '*': outcomes(ok()) },
      messages: [
        { from: 'a::x', type: 'hello' },
        { from: 'b::x', type: 'hello' },
      ],
      properties: {
        always: {
          firstIsNotBefore: ({ context, members }) =>
            !isAsked ||
            members[(context['first'] as string | null) ?? '']?.status !== 'told' ||
            Object.values(members).every(({ status }) => status !== 'running'),
        },
      },
      ...(symmetry === undefined ? {} : { symmetry }),
    });
  const [all, orbits] = [await check(modelWith(false)), await check(modelWith(false, [said]))];
  expect([all.distinct, orbits.distinct]).toEqual([15, 9]);
  for (const symmetry of [undefined, [said]])
    expect((await check(modelWith(true, symmetry))).violations).toMatchObject([{ property: 'firstIsNotBefore' }]);
});

test('a message that only one of those who change places may say is refused', async () => {
  const machine = coordinator(
    typed.createMachine({
      id: 'one-sided',
      context: { count: 0, gone: null },
      entry: 'begin',
      initial: 'open',
      states: { open: { on: { hello: 'done' } }, done: { type: 'final' } },
    }),
  );
  const oneSided = protocol({
    coordinator: machine,
    input: null,
    members: { '*': idle },
    messages: [{ from: 'a', type: 'hello' }],
    symmetry: [said],
  });
  await expect(check(oneSided)).rejects.toThrow(/BAD_INPUT.*"from":"b","type":"hello"/);
});

test('what is made of an id is renamed with it', async () => {
  type Begun = { readonly type: 'begin'; readonly holds: Record<string, 'x' | 'y'>; readonly locks: 'x' | 'y' };
  type Crew = Pick<Begun, 'holds' | 'locks'> & { readonly locked: string };
  const crew = coordinator(
    setup({
      types: {} as { context: Crew; events: Begun | { readonly type: 'go' | 'lock' } },
      actors: { member },
      actions: {
        begin: assign(({ event, spawn }) => {
          for (const id of said) spawn('member', { id, input: {} });
          return event.type === 'begin' ? { holds: event.holds, locks: event.locks } : {};
        }),
        lock: assign(({ context: { holds, locks } }) => ({
          locked: `work/${said.find((id) => holds[id] === locks)}`,
          locks: 'x' as const,
        })),
      },
      guards: { isOfY: ({ context: { holds, locked } }) => holds[locked.slice('work/'.length)] === 'y' },
    }).createMachine({
      id: 'crew',
      context: { holds: {}, locks: 'x', locked: '' },
      initial: 'choosing',
      states: {
        choosing: { on: { begin: { target: 'working', actions: 'begin' } } },
        working: { on: { lock: { target: 'locked', actions: 'lock' } } },
        locked: { on: { go: [{ guard: 'isOfY', target: 'wrong' }, { target: 'done' }] } },
        wrong: { type: 'final' },
        done: { type: 'final' },
      },
    }),
  );
  const begins = (x: string, y: string, locks: string) => ({
    type: 'begin',
    data: { holds: { [x]: 'x', [y]: 'y' }, locks },
  });
  const messages = [begins('a', 'b', 'x'), begins('b', 'a', 'y'), begins('b', 'a', 'x'), begins('a', 'b', 'y')];
  const checked = (symmetry?: readonly (readonly string[])[]) =>
    check(
      protocol({
        coordinator: crew,
        input: null,
        messages: [...messages, { type: 'lock' }, { type: 'go' }],
        checks: { noUnhandled: false, noDeadlock: false, canAlwaysEnd: false, canAlwaysEndWithoutTimers: false },
        properties: { always: { isRight: (s) => !s.matches('wrong') } },
        ...(symmetry === undefined ? {} : { symmetry }),
      }),
      { stopAt: 'never' },
    );
  const [all, fewer] = [await checked(), await checked([said])];
  expect(fewer.violations.map(({ property }) => property)).toEqual(['isRight']);
  expect(fewer.violations).toMatchObject(all.violations.map(({ message }) => ({ message })));
  expect(fewer.distinct).toBeLessThan(all.distinct);
});

test('members that are to change places and do not do the same are refused', async () => {
  const hellos = coordinator(
    typed.createMachine({
      id: 'unlike',
      context: { count: 0, gone: null },
      entry: 'begin',
      initial: 'open',
      states: { open: { on: { 'xstate.done.actor.*': 'done' } }, done: { type: 'final' } },
    }),
  );
  const unlike = protocol({
    coordinator: hellos,
    input: null,
    members: { 'a': outcomes(ok(1)), '*': outcomes(ok(2)) },
    symmetry: [said],
  });
  await expect(check(unlike)).rejects.toThrow(/BAD_INPUT.*expected `members` to have `a` and `b` do the same/);
});

test('an id that stands in two sets, or twice in one, is refused', () => {
  const flip = setup({}).createMachine({ id: 'flip', initial: 'off', states: { off: { on: { go: 'on' } }, on: {} } });
  const actors = { a: flip, b: flip, c: flip };
  for (const symmetry of [[said, ['b', 'c']], [said, said], [['a', 'a']]])
    expect(() => model({ actors, symmetry })).toThrow(/BAD_INPUT.*symmetry: expected each id once/);
  expect(() => model({ actors, symmetry: [['a', 'z']] })).toThrow(/BAD_INPUT.*symmetry: expected ids of a, b, c/);
});

test('an id is renamed wherever it stands by itself in a text', () => {
  const swapped = new Map([
    ['a', 'a.b'],
    ['a.b', 'a'],
  ]);
  const texts = {
    'a': 'a.b',
    'lease a': 'lease a.b',
    'a.b/undo': 'a/undo',
    'x::a': 'x::a.b',
    'leaseA, ab': 'leaseA, ab',
  };
  expect(renamed(Object.keys(texts), swapped)).toEqual(Object.values(texts));
  expect(renamed('a', new Map())).toBe('a');
});

test('what is kept by id keeps every id, whatever it is called', () => {
  const votes = JSON.parse('{"__proto__":1,"b":2}') as { readonly [id: string]: number };
  const swapped = new Map([
    ['__proto__', 'b'],
    ['b', '__proto__'],
  ]);
  expect(Object.entries(renamed(votes, swapped) as object)).toEqual([
    ['b', 1],
    ['__proto__', 2],
  ]);
});
