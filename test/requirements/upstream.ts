/**
 * Behaviours that babysitter's tests assert of its effect groups (its acceptance list), row by row: ours, or why ours differs.
 */
import type { Requirement, Shown } from './requirement.ts';

const inOrder: Shown = [
  'process/acceptance.test.ts',
  'are listed in the order in which they were asked for, each once, and their ends are counted',
];
const random: Shown = [
  'process/random-groups.test.ts',
  'random groups: settled once, heard once and in order, and ended or waiting for something that is named',
];
const names: Shown = [
  'process/acceptance.test.ts',
  'a run is known by its own names: unknown groups and members are errors that name those there are',
];
const caseA: Shown = [
  'process/acceptance.test.ts',
  '(a) a member that fails fails its group only if the coordinator says so',
];
const caseB: Shown = [
  'process/acceptance.test.ts',
  '(b) nobody settles who is no member: it is refused, and completes nothing',
];
const caseC: Shown = [
  'process/acceptance.test.ts',
  '(c) a group that has ended stays as it ended: late results are refused or dead letters',
];
const caseD: Shown = [
  'process/acceptance.test.ts',
  '(d) nobody joins a group that has ended; who joins before keeps it open',
];
const identity: Shown = [
  'process/acceptance.test.ts',
  'keeps what is under way and what has settled: nothing is asked for twice, and the run ends once',
];
const turns: Shown = ['process/routing.test.ts', 'take turns in the order in which they were asked for'];
const bestEffort: Shown = ['process/strategies.test.ts', 'best effort keeps the places and never throws'];
const first: Shown = ['process/strategies.test.ts', 'the first success wins, and the losers are cancelled'];
const allFail: Shown = ['process/strategies.test.ts', 'when all fail, the first failure in order is thrown'];
const quorum: Shown = ['process/strategies.test.ts', 'a quorum is enough, and an impossible one ends at once'];
const badInput: Shown = ['process/strategies.test.ts', '%s is bad input'];
const background: Shown = [
  'process/gates.test.ts',
  'the process goes on, sees results as they come, and the run ends after it',
];
const places: Shown = [
  'group/dispatcher.test.ts',
  'are never exceeded and always filled, whatever comes, ends or is dropped',
];
const fifo: Shown = [
  'group/dispatcher.test.ts',
  'go to the members of one group and harness in the order in which they asked',
];
const map: Shown = ['process/context.test.ts', 'maps at most so many items at a time'];
const notFunctions: Shown = [
  'process/context.test.ts',
  'refuses what is neither promise nor function, and a concurrency below one',
];
const failFast: Shown = [
  'machines/fan-out.test.ts',
  'the first of whom that fails fails the group and stops the others (fail-fast)',
];
const marks: Shown = [
  'machines/fan-out.test.ts',
  'are marked after exactly so many settled members, failed ones counted',
];
const noMarks: Shown = ['machines/fan-out.test.ts', 'are none without checkpointEvery'];
const nobody: Shown = ['machines/fan-out.test.ts', 'of whom there are none end at once'];
const collected: Shown = [
  'machines/fan-out.test.ts',
  'that fail are collected, in order, and the others go on (best-effort)',
];

const noIds =
  'Groups have names, not ids made at run time: a name is the same in every iteration, so nothing needs to be shared, merged, kept or defaulted.';
const machines =
  'There are no roles and hints to carry along: who is spawned, when and how many is the coordinator machine.';

export const upstream: Readonly<Record<string, Requirement>> = {
  'R1': {
    says: 'a created group has a text id',
    differs: 'its identity is the name it was opened with, in its run.',
    shown: [identity],
  },
  'R2': {
    says: 'its entry keeps label, persistent, createdAt; it is active',
    shown: [['cli/inspect.test.ts', 'show --json has the run, its groups, their members and checkpoints']],
  },
  'R3': {
    says: 'an unknown group is undefined',
    differs: 'it is an error that names those there are.',
    shown: [names],
  },
  'R4': {
    says: 'all groups are listed',
    shown: [['cli/inspect.test.ts', 'show --json has the run, its groups, their members and checkpoints']],
  },
  'R5': { says: 'members in order', shown: [inOrder] },
  'R6': { says: 'the count of the resolved goes up', shown: [inOrder] },
  'R7': { says: 'completed when all members have resolved', shown: [inOrder] },
  'R8': { says: 'a member of an unknown group throws', shown: [names] },
  'R9': {
    says: 'members are the same by id',
    shown: [['process/acceptance.test.ts', 'that carry one name twice are refused']],
    differs: 'one name twice is an error, not one member: names are identities.',
  },
  'R10': { says: 'a checkpoint has time, reason, settled, total', shown: [marks] },
  'R11': {
    says: 'checkpoints accumulate in order',
    shown: [
      [
        'process/group-handle.test.ts',
        'gives checkpoints in order, to a late subscriber too, to each of several, and ends with the group',
      ],
    ],
  },
  'R12': { says: 'none is an empty list', shown: [noMarks] },
  'R13': { says: 'a failing coordinator fails the group, with its reason', shown: [failFast] },
  'R14': { says: 'a failing worker fails the group when told so', shown: [caseA, failFast] },
  'R15': { says: 'else it does not', shown: [caseA, collected] },
  'R16': { says: 'adding a member to a failed group throws', shown: [caseD] },
  'undefined case (a)': {
    says: 'a worker fails, and nobody said what then',
    differs: 'the coordinator says; fan-out goes on unless its policy is fail-fast.',
    shown: [caseA],
  },
  'undefined case (b)': {
    says: 'settling an id that is no member',
    differs: 'it is refused as UNKNOWN_MEMBER and completes nothing.',
    shown: [caseB],
  },
  'undefined case (c)': {
    says: 'a result after the group has failed',
    differs: 'terminal is terminal: a dead letter.',
    shown: [caseC],
  },
  'undefined case (d)': {
    says: 'a member added after completion',
    differs: 'it is refused as GROUP_ENDED.',
    shown: [caseD],
  },

  'G1': { says: 'all pending share one group id', shown: [identity] },
  'G2': {
    says: 'one preferred harness for all',
    shown: [['harness/route.test.ts', 'the preferred is taken, the best first, if it matches']],
  },
  'G3': {
    says: 'several harnesses by turns',
    differs:
      "turns go by the member's place in its group, not by what is pending: nobody changes harness between iterations.",
    shown: [turns],
  },
  'G4': { says: 'nothing in, nothing out', shown: [nobody] },
  'G5': {
    says: 'all resolved: cached values',
    shown: [
      ['process/fork.test.ts', 'a fork of a run at its end has ended: it performs nothing and gives the same result'],
    ],
  },
  'G6': {
    says: 'some resolved: only the pending ones are asked for',
    shown: [
      ['cli/interrupt.test.ts', 'killed in the middle, the same command goes on; settled members are not run again'],
    ],
  },
  'G7–G10': {
    says: 'fan-out: shared id, empty, values, other errors propagate',
    shown: [
      nobody,
      [
        'machines/fan-out.test.ts',
        'all settle, and come back in the order in which they were asked for, in whatever order they ended',
      ],
      ['process/process-end.test.ts', 'by throwing: its groups are cancelled, and the run has failed'],
    ],
  },
  'E1–E11': { says: 'grouping of actions: ids on all, roles, merging, union', differs: noIds, shown: [identity] },

  'S1–S3': { says: 'all or nothing', shown: [failFast] },
  'S4–S6': { says: 'best effort', shown: [bestEffort] },
  'S7–S9': { says: 'first success', shown: [first, allFail] },
  'S10–S15': {
    says: 'quorum and other',
    differs: 'an unknown strategy is a method that does not exist; losers are cancelled.',
    shown: [quorum, badInput],
  },
  'B1–B9': { says: 'batching: dedupe, ids, summary', differs: noIds, shown: [identity] },
  'P1–P5': { says: 'parallel: promises, values, order, aggregation', shown: [notFunctions, bestEffort] },
  'C1–C9': { says: 'concurrency caps', shown: [places, map] },
  'W1–W6': {
    says: 'waves',
    differs: 'there are no waves: each member is committed when it ends, and the next takes its place.',
    shown: [fifo, places],
  },
  'Q1–Q10': { says: 'grouping helpers', differs: machines, shown: [places] },
  'A1–A10': {
    says: 'background records and polling',
    differs: 'results come as entries; `handle.settled()` looks without waiting, and nothing is polled.',
    shown: [background, ['process/gates.test.ts', 'polling between sleeps is the same in each iteration']],
  },
  'T1–T5': {
    says: 'partition into foreground and background',
    differs: 'every group runs by itself; waiting for it is the choice.',
    shown: [background],
  },
  'L1–L21': {
    says: 'scheduling by priority',
    differs:
      'attempts start in the order in which they were asked for, groups by turns; priorities are the task board’s.',
    shown: [fifo, ['group/dispatcher.test.ts', 'go to the groups in turn: a long line does not hold up a short one']],
  },
  'X1–X14': {
    says: 'a result cache by kind and parameters',
    differs: 'a result belongs to a name, not to parameters: it is in the journal for as long as the run is.',
    shown: [
      ['process/fork.test.ts', 'a fork of a run at its end has ended: it performs nothing and gives the same result'],
    ],
  },
  'F1–F9': { says: 'fork and join', shown: [first, allFail, bestEffort] },
  'K1': { says: 'what is pending keeps its key when another resolves', shown: [identity, random] },
  'K2': { says: 'both in flight at once', shown: [places] },
  'D1–D5': { says: 'dispatch: concurrent, in order, capped, isolated, errors kept', shown: [places, fifo, collected] },
  'M1–M8': {
    says: 'many targets: failures captured, timeouts, concurrent',
    shown: [
      collected,
      ['group/attempts.test.ts', 'that takes longer than timeoutMs is ended, and fails as timeout'],
      turns,
    ],
  },
  'N1–N9': { says: 'capped dispatch, go on or abort', shown: [places, failFast] },
  'Y1–Y7': {
    says: 'a mailbox: send, peek, receive, filter, persist',
    differs: 'messages are entries, reading acknowledges and destroys nothing; what nobody can read is a dead letter.',
    shown: [random, ['process/messages.test.ts', 'what a member had not read when it settled becomes a dead letter']],
  },
};
