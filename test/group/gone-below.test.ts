/** What had settled below an actor goes with it, however it went: nothing is left that a snapshot could not place. */
import { assign, enqueueActions, sendTo, setup, spawnChild, stopChild } from 'xstate';
import { expect, test } from 'vitest';
import { member } from '../../src/group/member.ts';
import { actors, define, digest, persist, restore, start, step, type System } from '../../src/group/step.ts';

const team = setup({ actors: { member } }).createMachine({
  id: 'team',
  context: ({ spawn }) => {
    spawn('member', { id: 'scout', input: { prompt: 'look' } });
    return {};
  },
  on: {
    'xstate.done.actor.scout': {},
    'break': {
      actions: assign(() => {
        throw new Error('broken');
      }),
    },
  },
});

const lead = setup({ actors: { member, team } }).createMachine({
  id: 'lead',
  entry: spawnChild('team', { id: 'one' }),
  on: {
    // The team is told something, stopped and replaced at once: it fails at what it is told, which nobody hears any more.
    'replace': {
      actions: enqueueActions(({ enqueue }) => {
        enqueue(sendTo('one', { type: 'break' }));
        enqueue(stopChild('one'));
        enqueue(spawnChild('member', { id: 'one', input: { prompt: 'alone' } }));
      }),
    },
    'break': { actions: sendTo('one', { type: 'break' }) },
    'again': { actions: spawnChild('member', { id: 'one', input: { prompt: 'alone' } }) },
    'xstate.error.actor.one': {},
  },
});

const signal = (seq: number, type: string) => ({
  seq,
  at: seq,
  type: 'signal',
  data: { id: String(seq), from: 'outside', event: { type } },
});

test.each([
  ['is told to fail, stopped and replaced in one turn', ['replace']],
  ['fails, and is replaced later', ['break', 'again']],
])('a team whose scout has settled %s', (_, types) => {
  const definition = define(lead);
  const outcome = { status: 'ok', output: 1 };
  const data = { member: 'one::scout', incarnation: 1, attempt: 1, outcome };
  let system: System = start(definition, { seq: 1, at: 1, input: null }).system;
  system = step(system, { seq: 2, at: 2, type: 'member.settled', data }).system;
  expect(actors(system).map(({ address }) => address)).toEqual(['', 'one', 'one::scout']);
  for (const [index, type] of types.entries()) system = step(system, signal(3 + index, type)).system;
  expect(actors(system).map(({ address, incarnation }) => [address, incarnation])).toEqual([
    ['', 1],
    ['one', 2],
  ]);
  const restored = restore(definition, JSON.parse(JSON.stringify(persist(system))));
  expect(digest(restored)).toBe(digest(system));
});
