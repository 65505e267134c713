/** What users of comparable systems ask for: messages (M), members and recovery (L), cost (C), dispatch (D), and in `users-journal.ts` journal (J), approvals and isolation (A). */
import type { Requirement } from './requirement.ts';
import { journal } from './users-journal.ts';

export const users: Readonly<Record<string, Requirement>> = {
  M1: {
    says: 'a message is delivered at the next tool boundary, not at the end of the turn',
    shown: [
      ['process/delivery-modes.test.ts', 'steer reaches a handler at once, and waits like others without one'],
      ['harness/agent/mcp/mailbox.test.ts', 'mail comes with a failed call too, and with a checkpoint and a progress'],
      ['agents/mailbox.test.ts', 'a letter that comes while it works is in the next result, asked for or not'],
    ],
  },
  M2: {
    says: 'acknowledged means read by the member, not written',
    shown: [
      ['process/messages.test.ts', 'mail that was not read before the host died is read by the next attempt'],
      [
        'harness/agent/mcp/life.test.ts',
        'whoever is killed at whatever moment: every letter is heard, and is read once',
      ],
    ],
  },
  M3: {
    says: 'the final report is a journal record, never lost on shutdown',
    shown: [
      ['group/attempts.test.ts', 'is performed after it has been recorded, and settled once'],
      ['group/attempts.test.ts', 'and whose result comes nevertheless: a dead letter, and nobody hears it'],
    ],
  },
  M4: {
    says: 'an unknown recipient is an error with suggestions',
    shown: [
      ['process/messages.test.ts', 'an unknown recipient is refused, with the nearest names'],
      [
        'cli/send.test.ts',
        'messages and an answer reach a run that a living host drives: text, JSON, to one, to all, once',
      ],
    ],
  },
  M5: {
    says: 'a cursor per member, compaction, bounds of size and rate',
    shown: [
      ['process/messages.test.ts', 'a full mailbox and a fast sender are refused'],
      [
        'process/random-groups.test.ts',
        'random groups: settled once, heard once and in order, and ended or waiting for something that is named',
      ],
    ],
  },
  M6: {
    says: 'one way of addressing, the coordinator included',
    shown: [['process/messages.test.ts', 'hears a member and the outside as plain events']],
  },
  M7: {
    says: 'a total order per group; the task travels in the first prompt',
    shown: [
      ['process/messages.test.ts', 'order is the order of the journal, for each recipient'],
      ['harness/fn.test.ts', 'a function is told whose attempt it is, and by which key'],
    ],
  },
  M8: {
    says: 'queue, steer and interrupt are distinct and explicit',
    shown: [
      ['process/delivery-modes.test.ts', 'steer reaches a handler at once, and waits like others without one'],
      ['process/delivery-modes.test.ts', 'interrupt ends the attempt and makes it again with the message waiting'],
    ],
  },
  M9: {
    says: 'no chatter: joining is silent',
    shown: [
      ['process/acceptance.test.ts', 'join in silence: nobody is told, and nothing is written but their own attempt'],
    ],
  },
  M10: {
    says: 'peer text carries no authority',
    shown: [
      ['process/acceptance.test.ts', 'a message that looks like a settlement, an answer or an order is a message'],
      ['harness/agent/mcp/mailbox.test.ts', 'is settled by the token: no argument changes it'],
      [
        'harness/agent/mcp/mailbox.test.ts',
        'cannot end what it stands in: no tag, no unseen character, no line; and reads back as it was',
      ],
    ],
  },

  L1: {
    says: "a group's identity is not a harness's session; it survives a resume",
    shown: [
      ['process/restart.test.ts', 'at any append, with that append written or lost, ends as the undisturbed one'],
      ['cli/interrupt.test.ts', 'killed in the middle, the same command goes on; settled members are not run again'],
    ],
  },
  L2: {
    says: 'the registry of members is derived from the journal',
    shown: [['group/ledger.test.ts', 'a member goes from queued to running to waiting to its end']],
  },
  L3: {
    says: 'a session id per member; members are resumed, not only the lead',
    shown: [
      ['group/attempts-again.test.ts', 'a harness that can takes the attempt up where it is: no second attempt'],
      ['agents/resume.test.ts', 'and goes on in the same session, once what it left behind is gone'],
    ],
  },
  L4: {
    says: 'lease and takeover',
    shown: [
      ['journal/lease.test.ts', 'a dead holder is taken over at once, and told; the same file goes on'],
      ['chaos/kill.test.ts', 'of two hosts one writes; a dead one is replaced at once, a stopped one is fenced off'],
    ],
  },
  L5: {
    says: 'a crashed or hung child never stays running',
    shown: [
      ['group/attempts.test.ts', 'that takes longer than timeoutMs is ended, and fails as timeout'],
      ['group/attempts.test.ts', 'whose harness does not end when told is given up'],
      ['harness/command.test.ts', 'a command that a signal kills has crashed'],
    ],
  },
  L6: {
    says: 'a verdict of stalling needs evidence; waiting is event-driven',
    shown: [
      ['group/attempts.test.ts', 'is recorded at most once in its interval: what came last, bounded and as JSON'],
      ['process/gates.test.ts', 'the process goes on, sees results as they come, and the run ends after it'],
    ],
  },
  L7: {
    says: "on resume every member's state is reconciled",
    shown: [
      ['group/attempts-again.test.ts', 'what was left is swept by the key of its attempt before another is made'],
      [
        'process/random-groups.test.ts',
        'random groups: settled once, heard once and in order, and ended or waiting for something that is named',
      ],
    ],
  },
  L8: {
    says: 'stopping the parent stops the children, verified',
    shown: [
      [
        'cli/cancel.test.ts',
        'a run that a living host drives is cancelled by a letter: the host ends it, and nothing of it survives',
      ],
      ['process/strategies.test.ts', 'the first success wins, and the losers are cancelled'],
    ],
  },
  L9: {
    says: 'no orphans, grandchildren included',
    shown: [
      ['harness/command-sweep.test.ts', 'what a host that was killed left running is ended by a sweep, and only then'],
      ['cli/cancel.test.ts', 'a run whose host is dead is cancelled by taking it, and what it left running is ended'],
    ],
  },
  L10: {
    says: 'terminal states free their places',
    shown: [['group/dispatcher.test.ts', 'are never exceeded and always filled, whatever comes, ends or is dropped']],
  },
  L11: {
    says: 'watchdogs around what hangs',
    shown: [
      ['group/attempts.test.ts', 'that takes longer than timeoutMs is ended, and fails as timeout'],
      ['group/attempts.test.ts', 'whose harness does not end when told is given up'],
    ],
  },
  L12: {
    says: 'shutting down is a state machine with a timeout',
    shown: [
      ['group/attempts-again.test.ts', 'ends its attempts, which are made again by the next, and are no failure'],
      ['cli/interrupt.test.ts', 'a second signal leaves at once, and what was started is killed with it'],
    ],
  },
  L13: {
    says: 'one identity in flight, an immutable result, late writers rejected',
    shown: [
      [
        'process/random-groups.test.ts',
        'random groups: settled once, heard once and in order, and ended or waiting for something that is named',
      ],
      [
        'process/acceptance.test.ts',
        '(c) a group that has ended stays as it ended: late results are refused or dead letters',
      ],
    ],
  },
  L14: {
    says: 'every claimed spawn is proven',
    shown: [
      ['group/attempts.test.ts', 'is performed after it has been recorded, and settled once'],
      ['harness/command.test.ts', 'nobody can take an attempt’s mark away'],
      ['harness/command.test.ts', 'what a command writes is in the attempt’s file, and the file is appended to'],
    ],
  },

  C1: {
    says: 'a cap on money and tokens with a hard stop before the spawn, and a warning before that',
    shown: [
      ['process/budgets.test.ts', 'attempts that are allowed and not begun count too: never one too many'],
      ['process/budgets.test.ts', '%s is summed over attempts, and stops the next one'],
      ['process/budgets.test.ts', 'a share of it is told once, each limit for itself, whoever drives'],
    ],
  },
  C2: {
    says: 'bounds on members, depth and fan-out, an estimate beforehand',
    shown: [
      ['group/host.test.ts', 'membersMax: the group fails, naming the bound'],
      ['group/host.test.ts', 'groupsMax'],
      ['group/refusals.test.ts', 'groups nest no deeper than depthMax'],
      [
        'process/budgets-of-members.test.ts',
        'no more begin than are allowed, and those that have begun are tried again',
      ],
      ['process/budgets-of-members.test.ts', 'depth is that of the nesting'],
      ['process/budgets-expected.test.ts', 'as many begin as fit together; the others follow when those were cheaper'],
      ['cli/estimate.test.ts', 'says what the completed runs of a process used, by its name or its file'],
    ],
    notYet:
      'A process that was never run has no estimate: `troupe estimate` makes one from earlier runs, and `expects` says it of an attempt.',
  },
  C3: {
    says: 'a governor of rates; retries are visible',
    shown: [
      ['process/routing.test.ts', 'the rate of a harness is kept: further attempts wait, in order'],
      [
        'process/routing.test.ts',
        'makes a retry wait until it closes, and the first attempt of what may be tried again; any other is refused',
      ],
    ],
  },
  C4: {
    says: 'fallback to another harness by class of failure',
    shown: [
      ['process/routing.test.ts', 'through the chain, each harness once, without waiting; the reasons are recorded'],
      ['process/outputs.test.ts', 'is asked of somebody else when the chain says so'],
    ],
  },

  D1: {
    says: 'background work is first class',
    shown: [
      ['process/gates.test.ts', 'the process goes on, sees results as they come, and the run ends after it'],
      ['process/gates.test.ts', 'polling between sleeps is the same in each iteration'],
      [
        'process/background.test.ts',
        'lets its group end and the process go on; the run ends after it, with its result recorded',
      ],
      ['process/background.test.ts', 'its results are the same wherever the host dies'],
    ],
  },
  D2: {
    says: 'type, role or capability is chosen at the spawn',
    shown: [['process/routing.test.ts', 'leave in the journal why, and why not the others']],
  },
  D3: {
    says: 'one task to several, compared or raced',
    shown: [
      ['process/strategies.test.ts', 'the first success wins, and the losers are cancelled'],
      ['process/strategies.test.ts', 'a quorum is enough, and an impossible one ends at once'],
    ],
  },
  D4: {
    says: 'members of different harnesses in one group, in parallel',
    shown: [
      ['process/routing.test.ts', 'take turns in the order in which they were asked for'],
      ['agents/council.test.ts', 'talk, lose one of them, lose their host, and come to an end'],
    ],
  },
  D5: {
    says: 'what does not depend on each other runs in parallel',
    shown: [['process/context.test.ts', 'maps at most so many items at a time']],
  },
  D6: {
    says: 'fan-in that keeps its places on partial failure; cross review; a worktree each',
    shown: [
      ['process/strategies.test.ts', 'best effort keeps the places and never throws'],
      [
        'process/council.test.ts',
        'three review and talk, one is killed and replaced, a fourth joins, a judge marks a checkpoint, and somebody approves',
      ],
      [
        'process/worktrees.test.ts',
        'a command works in its own working copy; what it committed is kept, an unchanged one goes',
      ],
    ],
  },
  D7: {
    says: 'checkpoints, savepoints, rollback',
    shown: [
      ['process/gates.test.ts', 'members and the process write them too, each name once'],
      [
        'process/fork.test.ts',
        'a fork at any position of a run ends as the run did, and performs nothing that had settled before',
      ],
    ],
  },

  ...journal,
};
