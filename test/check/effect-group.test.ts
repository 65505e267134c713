/** One group all through: its states by number of members, with faults, symmetry and a view. */
import { describe, expect, test } from 'vitest';
import { assign, enqueueActions, setup } from 'xstate';
import { coordinator, member } from 'troupe';
import { check, protocol } from 'troupe/check';
import { one, stepsOf } from './models/asking.ts';
import { effectGroupProtocol } from './models/effect-group.ts';

describe('the effect group', () => {
  test.each([
    [2, 396, 1_320, 8],
    [3, 2_367, 10_807, 10],
    [4, 12_692, 73_616, 12],
  ])('%i members, one crash, one duplicate: %i states', async (count, distinct, generated, depth) => {
    const result = await check(effectGroupProtocol(count));
    expect(result).toMatchObject({ verdict: 'verified', violations: [], distinct, generated, depth });
    expect(result.bounds).toBe('crash 1, dup 1, timers any');
    expect(result.stats.coverage['effectGroup']?.unvisited).toEqual([]);
  });

  test.each([
    [3, 503],
    [4, 993],
  ])('%i members that may change places: %i orbits', async (count, orbits) => {
    const members = Array.from({ length: count }, (_, index) => `m${index + 1}`);
    const result = await check(effectGroupProtocol(count, { symmetry: [members] }));
    expect(result).toMatchObject({ verdict: 'verified', distinct: orbits, symmetryUsed: true });
  });

  test('more crashes are more states, and it still ends in each', async () => {
    const [none, two] = await Promise.all([
      check(effectGroupProtocol(2, { faults: {} })),
      check(effectGroupProtocol(2, { faults: { hostCrash: 2, memberCrash: 1, duplicate: 1, late: 1 } })),
    ]);
    expect(none.verdict).toBe('verified');
    expect(two.verdict).toBe('verified');
    expect(two.distinct).toBeGreaterThan(none.distinct * 10);
  });

  test('ends in every fair run; need not complete in any', async () => {
    const ends = await check(
      effectGroupProtocol(3, { properties: { eventually: { ends: (s) => s.status !== 'active' } } }),
    );
    expect(ends.verdict).toBe('verified');
    const completes = await check(
      effectGroupProtocol(3, { properties: { eventually: { completes: (s) => s.status === 'completed' } } }),
    );
    expect(stepsOf(completes, 'completes')).toEqual(['begin', 'timer']);
  });

  test('a view merges states, and the result says so', async () => {
    const logging = coordinator(
      setup({
        types: {} as {
          context: { readonly log: readonly string[] };
          events: { readonly type: string; readonly actorId: string };
        },
        actors: { member },
        actions: {
          note: enqueueActions(({ context, event, enqueue }) => {
            enqueue.stopChild(event.actorId);
            enqueue.assign({ log: [...context.log, event.actorId] });
          }),
        },
      }).createMachine({
        id: 'logging',
        context: { log: [] },
        initial: 'open',
        states: {
          open: {
            entry: assign(({ spawn }) => {
              for (const id of ['a', 'b', 'c']) spawn('member', { id, input: {} });
              return {};
            }),
            always: { guard: ({ context }) => context.log.length === 3, target: 'done' },
            on: { 'xstate.done.actor.*': { actions: 'note' } },
          },
          done: { type: 'final' },
        },
      }),
    );
    const options = { coordinator: logging, input: null, members: one };
    const plain = await check(protocol(options));
    expect(plain).toMatchObject({ verdict: 'verified', viewUsed: false, distinct: 38 });
    const viewed = await check(protocol({ ...options, view: () => null, checks: { replayDeterminism: false } }));
    expect(viewed).toMatchObject({ verdict: 'verified', viewUsed: true, distinct: 27 });
  });
});
