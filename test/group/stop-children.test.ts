import { assign, createActor, setup, type AnyActorRef } from 'xstate';
import { expect, test } from 'vitest';
import { member } from '../../src/group/member.ts';
import { actors, define, start, step, wants } from '../../src/group/step.ts';
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
