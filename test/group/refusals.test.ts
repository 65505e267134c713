import { assign, enqueueActions, fromTransition, raise, sendTo, spawnChild, stopChild } from 'xstate';
import { describe, expect, test } from 'vitest';
import { actors, digest, status } from '../../src/group/step.ts';
import { group, machine, spawn, type Loose } from './group-under-test.ts';

describe('what the linter cannot see fails the group at run time, the same in every replay', () => {
  const cases: [string, Loose, string, RegExp][] = [
    [
      'a spawn without an id',
      enqueueActions(({ enqueue }: Loose) => enqueue.spawnChild('member')),
      'MACHINE_UNSUPPORTED',
      /spawned actor `member` has no id/,
    ],
    [
      'an id that is no address',
      assign(({ spawn }: Loose) => ({ ref: spawn('member', { id: 'a::b' }) })),
      'MACHINE_UNSUPPORTED',
      /has the id `a::b`/,
    ],
    [
      'an inline actor',
      assign(({ spawn }: Loose) => ({
        ref: spawn(
          fromTransition((n: number) => n, 0),
          { id: 'a' },
        ),
      })),
      'MACHINE_UNSUPPORTED',
      /spawned actor has no string `src`/,
    ],
    [
      'half a character',
      enqueueActions(({ enqueue }: Loose) => enqueue(spawn('a\ud800'))),
      'MACHINE_UNSUPPORTED',
      /has an id with half a character in it/,
    ],
    [
      'a name that is the process’s',
      spawn('process'),
      'MACHINE_UNSUPPORTED',
      /has the id `process`: in messages that name is somebody else's/,
    ],
    [
      'a timer without an id',
      enqueueActions(({ enqueue }: Loose) => enqueue.raise({ type: 'x' }, { delay: 5 })),
      'MACHINE_UNSUPPORTED',
      /a delayed `x` has no id/,
    ],
    [
      'a custom action',
      enqueueActions(({ enqueue }: Loose) => enqueue(() => {})),
      'MACHINE_UNSUPPORTED',
      /is a function of its own/,
    ],
    [
      'an action that nobody implemented',
      enqueueActions(({ enqueue }: Loose) => enqueue('nothing')),
      'MACHINE_UNSUPPORTED',
      /action `nothing` is not implemented. Add it to setup\(\{ actions \}\)/,
    ],
    [
      'an actor that nobody registered',
      enqueueActions(({ enqueue }: Loose) => enqueue.spawnChild('nobody', { id: 'a' })),
      'MACHINE_UNSUPPORTED',
      /actor `nobody` is not registered. Add it to setup\(\{ actors \}\)/,
    ],
    [
      'a subscribed child',
      enqueueActions(({ enqueue }: Loose) => enqueue.spawnChild('member', { id: 'a', syncSnapshot: true })),
      'MACHINE_UNSUPPORTED',
      /the snapshots of a child are subscribed to/,
    ],
    [
      'a subscribed child of an assign',
      assign(({ spawn }: Loose) => ({ ref: spawn('member', { id: 'a', syncSnapshot: true }) })),
      'MACHINE_UNSUPPORTED',
      /the snapshots of a child are subscribed to/,
    ],
    [
      'two living actors of one id',
      enqueueActions(({ enqueue }: Loose) => {
        enqueue(spawn('a'));
        enqueue(spawn('a'));
      }),
      'DUPLICATE_NAME',
      /actor `a` was spawned while an actor of that id is alive/,
    ],
  ];
  test.each(cases)('%s', (_what, action, code, message) => {
    for (const parallel of [false, true]) {
      const one = group(
        machine({
          context: {},
          entry: [spawn('z')],
          on: { go: { actions: action } },
          ...(parallel ? { type: 'parallel', states: { p: {}, q: {} } } : {}),
        }),
      );
      const before = actors(one.system);
      one.signal('go');
      expect(status(one.system)).toMatchObject({
        status: 'failed',
        error: { code, message: expect.stringMatching(message) as string },
      });
      expect(one.effects).toEqual(['cancel z#1', 'end failed']);
      expect(actors(one.system)).toEqual(before);
    }
  });
});

describe('bounds', () => {
  const loop = machine({ on: { go: { actions: raise({ type: 'go' }) } } });
  const pingPong = machine({ on: { go: { actions: sendTo(({ self }: Loose) => self, { type: 'go' }) } } });
  const many = machine({
    on: {
      go: {
        actions: enqueueActions(({ enqueue, event }: Loose) => {
          for (let n = 0; n < 5; n += 1) enqueue(spawn(`${event.at}-${n}`));
        }),
      },
    },
  });
  const later = machine({
    on: {
      go: {
        actions: enqueueActions(({ enqueue }: Loose) => {
          for (let n = 0; n < 5; n += 1) enqueue.raise({ type: 'x' }, { id: `${n}`, delay: 9 });
        }),
      },
    },
  });
  const again = machine({ on: { go: { actions: [stopChild('a'), spawn('a')] } } });
  test.each([
    ['microstepsMax', loop, 1],
    ['deliveriesPerTurnMax', pingPong, 1],
    ['membersMax', many, 1],
    ['timersMax', later, 1],
    ['incarnationsMax', again, 5],
  ] as const)('over %s the group fails with LIMIT, in each replay the same', (bound, config, times) => {
    const digests = [1, 2].map(() => {
      const one = group(config, { bounds: { [bound]: 4 } });
      for (let n = 0; n < times; n += 1) one.signal('go', { at: n });
      expect(status(one.system)).toMatchObject({
        status: 'failed',
        error: { code: 'LIMIT', message: expect.stringContaining(`over the bound \`${bound}\` of 4`) as string },
      });
      return digest(one.system);
    });
    expect(digests[0]).toBe(digests[1]);
  });

  test('groups nest no deeper than depthMax', () => {
    const leaf = machine({ id: 'leaf' });
    const inner = machine(
      { id: 'inner', entry: spawnChild('leaf' as Loose, { id: 'c' } as Loose) },
      { actors: { leaf } },
    );
    const outer = machine({ entry: spawnChild('inner' as Loose, { id: 'b' } as Loose) }, { actors: { inner } });
    expect(status(group(outer, { bounds: { depthMax: 2 } }).system)).toEqual({ status: 'active' });
    expect(status(group(outer, { bounds: { depthMax: 1 } }).system)).toMatchObject({
      status: 'failed',
      error: { code: 'LIMIT' },
    });
  });

  test('a long chain of actors that each send before they return stops at deliveryDepthMax, not at the stack', () => {
    const link = machine({
      id: 'link',
      context: ({ input }: Loose) => ({ next: input.next }),
      on: { go: { actions: sendTo(({ system, context }: Loose) => system.get(`l${context.next}`), { type: 'go' }) } },
    });
    const chain = machine(
      {
        entry: enqueueActions(({ enqueue }: Loose) => {
          for (let n = 0; n < 800; n += 1)
            enqueue.spawnChild('link', { id: `l${n}`, systemId: `l${n}`, input: { next: n + 1 } });
        }),
        on: { go: { actions: sendTo('l0', { type: 'go' }) } },
      },
      { actors: { link } },
    );
    const one = group(chain);
    one.signal('go');
    expect(status(one.system)).toMatchObject({
      status: 'failed',
      error: { code: 'LIMIT', message: expect.stringContaining('`deliveryDepthMax` of 500') as string },
    });
  });
});
