import { assign, sendParent, sendTo, spawnChild, stopChild } from 'xstate';
import { describe, expect, test } from 'vitest';
import { actors, snapshotAt, status, wants } from '../../src/group/step.ts';
import { group, machine, spawn, told, type Loose } from './group-under-test.ts';

describe('nested coordinators', () => {
  const inner = machine({
    id: 'inner',
    initial: 'work',
    states: { work: { entry: [spawn('leaf')], on: { 'xstate.done.actor.leaf': 'end' } }, end: { type: 'final' } },
    on: {
      shout: { actions: sendParent({ type: 'heard' }) },
      tell: { actions: sendTo('leaf', { type: 'note' } as Loose) },
    },
    output: 'inner output',
  });
  const outer = machine(
    {
      context: { results: [], heard: 0 },
      entry: spawnChild('inner' as Loose, { id: 'team' } as Loose),
      on: {
        'xstate.done.actor.team': {
          actions: assign({ results: ({ context, event }: Loose) => [...context.results, event.output] }),
        },
        'heard': { actions: assign({ heard: ({ context }: Loose) => context.heard + 1 }) },
        'ask': { actions: sendTo('team', { type: 'shout' } as Loose) },
        'drop': { actions: stopChild('team') },
      },
    },
    { actors: { inner } },
  );

  test('live at addresses below each other', () => {
    const one = group(outer);
    expect(one.effects).toEqual(['invoke team::leaf#1']);
    expect(actors(one.system).map(({ address, kind }) => [address, kind])).toEqual([
      ['', 'coordinator'],
      ['team', 'coordinator'],
      ['team::leaf', 'member'],
    ]);
  });

  test('tell their parent of their end and hear it in between', () => {
    const one = group(outer);
    one.signal('ask');
    expect(one.last.derived.map(({ from, to, event }) => `${from}>${to}:${event.type}`)).toEqual([
      '>team:shout',
      'team>:heard',
    ]);
    one.ok('team::leaf');
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { results: ['inner output'], heard: 1 } });
  });

  test('that are stopped take everything below with them', () => {
    const one = group(outer);
    expect(told(one.signal('drop').effects)).toEqual(['cancel team::leaf#1']);
    expect(wants(one.system)).toEqual([]);
  });

  test('that throw stop their members and tell their parent', () => {
    const broken = machine({
      id: 'broken',
      entry: spawn('leaf'),
      on: {
        break: {
          actions: assign(() => {
            throw new Error('on purpose');
          }),
        },
      },
    });
    const one = group(
      machine(
        {
          entry: spawnChild('broken' as Loose, { id: 'team' } as Loose),
          on: { 'xstate.error.actor.*': {}, 'break': { actions: sendTo('team', { type: 'break' } as Loose) } },
        },
        { actors: { broken } },
      ),
    );
    one.signal('break');
    expect(one.effects).toEqual(['cancel team::leaf#1']);
    expect(status(one.system)).toEqual({ status: 'active' });
    expect(snapshotAt(one.system, 'team')).toMatchObject({
      status: 'error',
      error: { name: 'Error', message: 'on purpose' },
    });
  });
});
