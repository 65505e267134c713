/** Mutants of the machines that ask many and collect: fan-out, race, quorum, map-reduce. */
import { assign, enqueueActions } from 'xstate';
import type { Coordinator, JsonValue } from 'troupe';
import { fail, ok, outcomes, protocol } from 'troupe/check';
import {
  fanOut,
  mapReduce,
  quorum,
  race,
  type FanOutInput,
  type FanOutOutput,
  type MapReduceInput,
  type MapReduceOutput,
  type QuorumInput,
  type QuorumOutput,
  type RaceInput,
  type RaceOutput,
} from 'troupe/machines';
import { faulty, mutant, type Mutant } from './faulty.ts';
import { completes, faults, fine, members, on, type Args } from './shared.ts';

const fansOut = (concurrency: number) => (coordinator: Coordinator<FanOutInput, FanOutOutput>) =>
  protocol({
    coordinator,
    input: { members, concurrency },
    members: fine,
    faults,
    properties: {
      always: { allSettled: (s) => s.output === undefined || s.output.results.length + s.output.failed.length === 3 },
      sometimes: { completes },
    },
  });

const races = (coordinator: Coordinator<RaceInput, RaceOutput>) =>
  protocol({
    coordinator,
    input: { members, timeoutMs: 1_000 },
    members: fine,
    faults,
    properties: { sometimes: { completes }, always: { theWinnerWon: (s) => s.output?.output !== null } },
  });

const votes = (coordinator: Coordinator<QuorumInput, QuorumOutput>) =>
  protocol({
    coordinator,
    input: { members, atLeast: 2 },
    members: { '*': outcomes(ok('x'), ok('y'), fail('failed', 'bad')) },
    faults,
    properties: {
      always: {
        enough: (s) => s.output === undefined || s.output.agreed.length >= 2,
        allSaidSo: ({ output }) =>
          output === undefined ||
          output.agreed.every((id) => output.votes.find((vote) => vote.id === id)?.output === output.value),
      },
      sometimes: { completes },
    },
  });

const mapsAndReduces = (coordinator: Coordinator<MapReduceInput, MapReduceOutput>) =>
  protocol({
    coordinator,
    input: { members, reduce: {}, reduceEvery: 2, concurrency: 2 },
    members: fine,
    faults,
    properties: {
      always: { nothingIsLost: (s) => s.output === undefined || s.output.mapped + s.output.failed.length === 3 },
      sometimes: { completes },
    },
  });

/** Nothing at all, in the place of an action. */
const nothing = assign({});

/** The mutants. */
export const collectorMutants: readonly Mutant[] = [
  mutant('lost join: done before the last is in', ['allSettled', 4], fansOut(3), [
    faulty(fanOut, {
      guards: {
        allSettled: ({ context }: Args) => context['settled'] === (context['members'] as readonly unknown[]).length - 1,
      },
    }),
    fanOut,
  ]),
  mutant('lost wake-up: after a failure the next one is not started', ['noDeadlock', 2], fansOut(1), [
    faulty(fanOut, {
      states: ({ working }) => {
        on(working)['xstate.error.actor.*'] = { actions: ['noteFailure', 'stopSettled'] };
      },
    }),
    fanOut,
  ]),
  mutant('failures are not counted', ['noDeadlock', 6], fansOut(3), [
    faulty(fanOut, { actions: { noteFailure: nothing } }),
    fanOut,
  ]),
  mutant('a race whose losers are all out goes on', ['canAlwaysEndWithoutTimers', 3], races, [
    faulty(race, {
      actions: {
        noteFailure: enqueueActions(({ event, enqueue }) => enqueue.stopChild((event as Args['event']).actorId)),
      },
    }),
    race,
  ]),
  mutant('a loser is named the winner', ['theWinnerWon', 2], races, [
    faulty(race, {
      states: ({ racing }) => {
        on(racing)['xstate.error.actor.*'] = on(racing)['xstate.done.actor.*'];
      },
      actions: {
        noteWinner: assign(({ event }) => {
          const { actorId: id, output } = event as unknown as { readonly actorId: string; readonly output?: JsonValue };
          return { winner: { id, output: output ?? null } };
        }),
      },
    }),
    race,
  ]),
  mutant('quorum off by one', ['enough', 2], votes, [
    faulty(quorum, {
      guards: { enoughAgree: ({ context }: Args) => (context['camps'] as readonly unknown[]).length > 0 },
    }),
    quorum,
  ]),
  mutant('votes are counted, not compared', ['allSaidSo', 4], votes, [
    faulty(quorum, {
      actions: {
        noteVote: enqueueActions(({ context, event, enqueue }) => {
          const { actorId: id, output } = event as unknown as Args['event'];
          const { votes: before, camps } = context as unknown as {
            readonly votes: readonly unknown[];
            readonly camps: readonly { readonly value: JsonValue; readonly ids: readonly string[] }[];
          };
          enqueue.stopChild(id);
          const value = camps[0]?.value ?? output;
          enqueue.assign({
            votes: [...before, { id, output }],
            camps: [{ value, ids: [...(camps[0]?.ids ?? []), id] }],
          });
        }),
      },
    }),
    quorum,
  ]),
  mutant('an impossible quorum is waited for', ['noDeadlock', 6], votes, [
    faulty(quorum, { actions: { failIfImpossible: nothing } }),
    quorum,
  ]),
  mutant('what is mapped is reduced before the last is in', ['nothingIsLost', 6], mapsAndReduces, [
    faulty(mapReduce, {
      guards: { allMapped: ({ context }: Args) => (context['settled'] as number) >= (context['total'] as number) - 1 },
    }),
    mapReduce,
  ]),
];
