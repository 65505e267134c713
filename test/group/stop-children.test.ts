import { assign, createActor, setup, spawnChild, stopChild, type AnyActorRef, type AnyMachineSnapshot } from 'xstate';
import { expect, test } from 'vitest';
import { member } from '../../src/group/member.ts';
import { actors, define, start, step, wants } from '../../src/group/step.ts';
import { snapshotAt } from '../../src/group/system.ts';
import { stopChildren } from '../../src/group/stop-children.ts';

const machine = setup({
  types: {} as { context: object; events: { readonly type: 'enough'; readonly ids: readonly string[] } },
  actors: { member },
  actions: {
    spawnAll: assign(({ spawn }) => {
      for (const id of ['a', 'b', 'c']) spawn('member', { id, input: { prompt: id } });
      return {};
    }),
    letGo: stopChildren(({ event }) => event.ids),
  },
}).createMachine({ id: 'desk', context: {}, entry: 'spawnAll', on: { enough: { actions: 'letGo' } } });

const enough = (ids: readonly string[]) => ({ type: 'enough', ids }) as const;

test('stops the children it names and no others, live as in a group', () => {
  const live = createActor(machine).start();
  const { children } = live.getSnapshot() as { readonly children: Record<string, AnyActorRef> };
  live.send(enough(['a', 'c', 'unknown']));
  expect(Object.keys(live.getSnapshot().children)).toEqual(['b']);
  expect(['a', 'b', 'c'].map((id) => children[id]?.getSnapshot().status)).toEqual(['stopped', 'active', 'stopped']);

  const begun = start(define(machine), { seq: 1, at: 0, input: null });
  const event = { id: 's', from: 'outside', event: { type: 'enough', ids: ['a', 'c', 'unknown'] } };
  const { system, effects } = step(begun.system, { seq: 2, at: 0, type: 'signal', data: event });
  expect(wants(system).map(({ address }) => address)).toEqual(['b']);
  expect(effects.map(({ type, ...effect }) => [type, 'address' in effect ? effect.address : ''])).toEqual([
    ['cancel', 'a'],
    ['cancel', 'c'],
  ]);
  expect(actors(system).map(({ address }) => address)).toEqual(['', 'b']);
});

test('changes nothing when nothing is named', () => {
  const live = createActor(machine).start();
  const before = live.getSnapshot().children;
  live.send(enough([]));
  expect(live.getSnapshot().children).toBe(before);
});

test('a child may be called what every object has', () => {
  const odd = setup({ actors: { member } }).createMachine({
    id: 'odd',
    entry: [spawnChild('member', { id: '__proto__', input: {} }), spawnChild('member', { id: 'b', input: {} })],
    on: {
      more: { actions: spawnChild('member', { id: 'constructor', input: {} }) },
      less: { actions: stopChild('b') },
    },
  });
  const definition = define(odd);
  const live = createActor(odd).start();
  let { system } = start(definition, { seq: 1, at: 0, input: null });
  const both = () => [
    Object.keys(live.getSnapshot().children).sort(),
    Object.keys((snapshotAt(system, '') as AnyMachineSnapshot).children).sort(),
  ];
  const expected = [
    ['__proto__', 'b'],
    ['__proto__', 'b', 'constructor'],
    ['__proto__', 'constructor'],
  ] as const;
  expect(both()).toEqual([expected[0], expected[0]]);
  for (const [index, type] of (['more', 'less'] as const).entries()) {
    live.send({ type });
    const data = { id: type, from: 'outside', event: { type } };
    ({ system } = step(system, { seq: index + 2, at: 0, type: 'signal', data }));
    expect(both()).toEqual([expected[index + 1], expected[index + 1]]);
  }
});
