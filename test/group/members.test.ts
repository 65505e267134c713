import { assign, sendTo, stopChild } from 'xstate';
import { describe, expect, test } from 'vitest';
import { actors, snapshotAt, wants } from '../../src/group/step.ts';
import { group, machine, spawn, told, type Loose } from './group-under-test.ts';

describe('members', () => {
  const fan = machine({
    context: { results: [] },
    entry: [spawn('a'), spawn('b')],
    on: {
      'xstate.done.actor.*': {
        actions: assign({ results: ({ context, event }: Loose) => [...context.results, event.output] }),
      },
      'xstate.error.actor.*': {
        actions: assign({ results: ({ context, event }: Loose) => [...context.results, event.error.message] }),
      },
      'hello': { actions: sendTo('a', { type: 'greet', text: 'hi' } as Loose) },
      'drop': { actions: stopChild('a') },
      'again': { actions: [stopChild('a'), spawn('a', { prompt: 'again' })] },
    },
  });

  test('are asked for by their start, in order, and wanted until they settle', () => {
    const one = group(fan);
    expect(one.effects).toEqual(['invoke a#1', 'invoke b#1']);
    expect(one.last.effects.map(({ id }) => id)).toEqual(['1:0', '1:1']);
    expect(wants(one.system)).toEqual([
      { address: 'a', incarnation: 1, input: { prompt: 'a' } },
      { address: 'b', incarnation: 1, input: { prompt: 'b' } },
    ]);
    one.ok('a', 'fine');
    expect(wants(one.system).map(({ address }) => address)).toEqual(['b']);
  });

  test('settle as done and error events that the coordinator hears', () => {
    const one = group(fan);
    one.ok('a', 'fine');
    expect(one.last.derived).toMatchObject([{ from: 'a', to: '', event: { type: 'xstate.done.actor.a' } }]);
    one.fail('b', 'broken');
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { results: ['fine', 'broken'] } });
  });

  test('settle once: later, stale and unknown settlements are dead letters that change no actor', () => {
    const one = group(fan);
    one.ok('a', 'fine');
    for (const [address, incarnation, reason] of [
      ['a', 1, 'the member is settled already'],
      ['b', 2, 'incarnation 2 was stopped; now there is 1'],
      ['c', 1, 'no such member'],
      ['', 1, 'the actor is not a member'],
    ] as const) {
      const before = actors(one.system);
      one.ok(address, 'late', incarnation);
      expect(one.effects).toEqual([`dead ${address} > ${address}: troupe.settled (${reason})`]);
      expect(one.last.derived).toEqual([]);
      expect(actors(one.system)).toEqual(before);
    }
  });

  test('that are stopped are cancelled, and their results are dead letters', () => {
    const one = group(fan);
    expect(told(one.signal('drop').effects)).toEqual(['cancel a#1']);
    expect(snapshotAt(one.system, 'a')).toBeUndefined();
    expect(told(one.ok('a').effects)).toEqual(['dead a > a: troupe.settled (the member was stopped)']);
  });

  test('spawned again under the same id are the next incarnation', () => {
    const one = group(fan);
    expect(told(one.signal('again').effects)).toEqual(['cancel a#1', 'invoke a#2']);
    one.ok('a', 'old', 1);
    expect(one.effects).toEqual(['dead a > a: troupe.settled (incarnation 1 was stopped; now there is 2)']);
    one.ok('a', 'new', 2);
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { results: ['new'] } });
  });

  test('get what is sent to them as deliveries, and it is a dead letter once they have settled', () => {
    const one = group(fan);
    expect(told(one.signal('hello').effects)).toEqual(['deliver a: greet from ""']);
    one.ok('a');
    expect(told(one.signal('hello').effects)).toEqual(['dead  > a: greet (the actor has settled)']);
  });

  test('keep their last progress; progress of others is nothing', () => {
    const one = group(fan);
    one.fold('member.progress', { member: 'a', incarnation: 1, attempt: 1, progress: { line: 'half' } });
    expect(snapshotAt(one.system, 'a')).toMatchObject({ progress: { line: 'half' } });
    const before = one.system;
    one.fold('member.progress', { member: 'a', incarnation: 2, attempt: 1, progress: { line: 'x' } });
    expect(one.system).toBe(before);
  });

  test('with an input that is not JSON fail, and the coordinator hears why', () => {
    const one = group(
      machine({
        context: { why: '' },
        entry: spawn('a', { at: new Date(0) }),
        on: { 'xstate.error.actor.a': { actions: assign({ why: ({ event }: Loose) => event.error.message }) } },
      }),
    );
    expect(one.effects).toEqual([]);
    expect(snapshotAt(one.system, '')).toMatchObject({
      context: { why: 'NOT_JSON: input of member `a`.at: expected JSON, got a Date' },
    });
  });
});
