/** Ways through one machine, with a key that tells apart what differs. */
import { describe, expect, test } from 'vitest';
import { assign, setup, spawnChild } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { coordinator, member } from 'troupe';
import { fail, machinePaths, ok } from 'troupe/check';
import { race, quorum } from 'troupe/machines';

/** A player that goes on where it was: only who paused in `loud` hears that it resumes loudly. */
const player = setup({ types: {} as { events: { type: 'louder' | 'pause' | 'resume' } } }).createMachine({
  id: 'player',
  initial: 'playing',
  states: {
    playing: {
      initial: 'soft',
      states: {
        soft: { on: { louder: 'loud' } },
        loud: {},
        last: { type: 'history' },
      },
      on: { pause: 'paused' },
    },
    paused: { on: { resume: 'playing.last' } },
  },
});
const events = [{ type: 'louder' }, { type: 'pause' }, { type: 'resume' }] as const;

describe('the key', () => {
  test('the library’s merges what a history state tells apart; ours does not', () => {
    const theirs = getShortestPaths(player, { events: [...events] });
    // Paused is paused: that it may go on loudly is lost.
    expect(theirs.filter(({ state }) => state.matches('paused'))).toHaveLength(1);
    const ours = machinePaths(coordinator(player), { events });
    const paused = ours.filter(({ state }) => state.matches('paused'));
    expect(paused.map(({ description }) => description)).toEqual(['begin → pause', 'begin → louder → pause']);
    expect(new Set(ours.map(({ state }) => state.key)).size).toBe(ours.length);
  });

  test('so a state that only one of them leads to is missed there, and found here', () => {
    const counting = setup({
      types: {} as { context: { readonly n: number }; events: { type: 'louder' | 'pause' | 'resume' } },
    }).createMachine({
      id: 'counting',
      context: { n: 0 },
      initial: 'playing',
      states: {
        playing: {
          initial: 'soft',
          states: { soft: { on: { louder: 'loud' } }, loud: {}, last: { type: 'history' } },
          on: { pause: 'paused' },
        },
        paused: { on: { resume: { target: 'playing.last', actions: assign({ n: 1 }) } } },
      },
    });
    const isLoudAgain = ({ context, value }: { readonly context: unknown; readonly value: unknown }) =>
      (context as { readonly n: number }).n === 1 && JSON.stringify(value) === '{"playing":"loud"}';
    // `louder` would lead there from `soft`, resumed: without it, only the history does.
    const withoutLouder = {
      events: (state: { context: unknown }) => [
        ...((state.context as { n: number }).n === 0 ? events : events.slice(1)),
      ],
    };
    expect(getShortestPaths(counting, withoutLouder as never).some(({ state }) => isLoudAgain(state))).toBe(false);
    const [found] = machinePaths(coordinator(counting), { ...withoutLouder, to: isLoudAgain });
    expect(found?.description).toBe('begin → louder → pause → resume');
  });

  test('children and timers tell states apart, too', () => {
    const asking = coordinator(
      setup({ types: {} as { events: { readonly type: string } }, actors: { member } }).createMachine({
        id: 'asks',
        on: { ask: { actions: spawnChild('member', { id: 'a', input: {} }) } },
        initial: 'on',
        states: { on: { on: { 'xstate.done.actor.a': 'off' } }, off: { type: 'final' } },
      }),
    );
    const once = ({ wanted }: { readonly wanted: readonly string[] }) => (wanted.length === 0 ? [{ type: 'ask' }] : []);
    const paths = machinePaths(asking, { events: once, outcomes: [ok(1)] });
    expect(paths.map(({ description, state }) => [description, state.wanted.join(), state.status])).toEqual([
      ['begin', '', 'active'],
      ['begin → ask', 'a', 'active'],
      ['begin → ask → xstate.done.actor.a', '', 'done'],
    ]);
    const timing = coordinator(
      setup({}).createMachine({
        id: 'times',
        initial: 'on',
        states: { on: { after: { 10: 'off' } }, off: { type: 'final' } },
      }),
    );
    const timed = machinePaths(timing);
    expect(timed.map(({ state }) => [state.timers.length, state.status])).toEqual([
      [1, 'active'],
      [0, 'done'],
    ]);
  });
});

const members = ['a', 'b', 'c'].map((id) => ({ id }));

describe('a machine of the library', () => {
  const paths = machinePaths(race, {
    input: { members: members.slice(0, 2), timeoutMs: 1_000 },
    outcomes: [ok('fine'), fail()],
  });

  test.each(paths)('$description', ({ events: steps, states, state }) => {
    expect(states).toHaveLength(steps.length + 1);
    expect(state.status === 'active' || state.wanted.length === 0).toBe(true);
    for (const [index, one] of states.entries()) if (index < steps.length) expect(one.status).toBe('active');
  });

  test('every state once, shortest first', () => {
    const ends = paths.filter(({ state }) => state.status !== 'active').map(({ description }) => description);
    expect(ends).toContain('begin → xstate.done.actor.b');
    expect(ends).toContain('begin → xstate.error.actor.a → xstate.error.actor.b');
    const lengths = paths.map(({ events: steps }) => steps.length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  test('simple paths: every one that comes to no state twice', () => {
    const input = { members: members.slice(0, 2), atLeast: 2 };
    const simple = machinePaths(quorum, { input, paths: 'simple', outcomes: [ok('x')] });
    expect(simple.map(({ description }) => description)).toEqual([
      'begin',
      'begin → xstate.done.actor.a',
      'begin → xstate.done.actor.b',
      'begin → xstate.done.actor.a → xstate.done.actor.b',
      'begin → xstate.done.actor.b → xstate.done.actor.a',
    ]);
    const three = machinePaths(quorum, { input: { members, atLeast: 3 }, paths: 'simple', outcomes: [ok('x')] });
    expect(three.map(({ events: steps }) => steps.length).join('')).toBe('0111222222333333');
    const shortest = machinePaths(quorum, { input, outcomes: [ok('x')] });
    expect(shortest.length).toBe(5);
  });
});

test('too many states, or ways, are refused with what to do', () => {
  const input = { members, atLeast: 2 };
  expect(() => machinePaths(quorum, { input, statesMax: 5 })).toThrow(/BAD_INPUT.*more than 5 states.*stopWhen/);
  expect(() => machinePaths(quorum, { input, paths: 'simple', pathsMax: 5 })).toThrow(
    /BAD_INPUT.*more than 5 such ways/,
  );
  expect(machinePaths(quorum, { input, stopWhen: () => true })).toHaveLength(1);
});
