/** Two copies of the library in one process (a linked package, a bundle) must understand each other. */
import { setup, type AnyActorLogic } from 'xstate';
import { expect, test } from 'vitest';
import { define } from '../../src/group/definition.ts';
import { member } from '../../src/group/member.ts';
import { start } from '../../src/group/step.ts';
import { wants } from '../../src/group/system.ts';

test('a member made by another copy of the library is asked for like our own', () => {
  // A copy has another object with the same mark.
  const copy: AnyActorLogic = { ...member };
  const machine = setup({ actors: { member: copy } }).createMachine({
    id: 'copies',
    invoke: { src: 'member', id: 'a', input: { command: ['true'] }, onError: {}, onDone: {} },
  });
  const { system } = start(define(machine), { seq: 1, at: 0, input: null });
  expect(wants(system).map(({ address }) => address)).toEqual(['a']);
});
