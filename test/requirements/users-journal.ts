/** What users of comparable systems ask for: journal (J), approvals and isolation (A). */
import type { Requirement } from './requirement.ts';

export const journal: Readonly<Record<string, Requirement>> = {
  J1: {
    says: 'no collisions of sequence, crash-safe append, repair without invented events',
    shown: [
      [
        'journal/damage.test.ts',
        'the log cut at every byte of its last two lines is recovered to its last whole append, and the rest kept aside',
      ],
      ['chaos/kill.test.ts', 'a run whose hosts are killed anywhere ends as if nothing had happened'],
    ],
  },
  J2: {
    says: 'identity survives edits of the process',
    shown: [
      [
        'process/acceptance.test.ts',
        'keeps what is under way and what has settled: nothing is asked for twice, and the run ends once',
      ],
    ],
  },
  J3: {
    says: 'a change of code asks for nothing twice; a run ends once',
    shown: [
      [
        'process/acceptance.test.ts',
        'keeps what is under way and what has settled: nothing is asked for twice, and the run ends once',
      ],
      ['cli/inspect.test.ts', 'a machine that changed under its run is exit code 5'],
    ],
  },
  J4: {
    says: 'the log is the truth, a snapshot a verified cache; nothing recorded is performed again',
    shown: [
      ['group/snapshots.test.ts', 'resume equals full replay: only the tail is folded again, and verify proves it'],
      [
        'journal/damage.test.ts',
        'one with any flipped byte, cut anywhere, or of a newer form is ignored with a notice, and the one before serves',
      ],
    ],
  },
  J5: { says: 'timers survive a restart', shown: [['group/host.test.ts', 'survive a restart, and keep their moment']] },
  J6: {
    says: 'dynamic children survive a restart',
    shown: [
      [
        'group/attempts.test.ts',
        'and spawned again, before its first attempt has ended, keeps both apart across a crash',
      ],
      [
        'process/random-groups.test.ts',
        'random groups: settled once, heard once and in order, and ended or waiting for something that is named',
      ],
    ],
  },
  J7: {
    says: 'what must not be done twice is not done again, what is missing is',
    shown: [
      ['group/attempts-again.test.ts', 'with restartable: false it is swept and settled as INTERRUPTED'],
      ['process/restart.test.ts', 'again and again ends as the undisturbed one'],
    ],
  },
  J8: {
    says: 'the format is an API: versions, migrations',
    shown: [
      ['journal/format.test.ts', 'entries of an older version are upcast when read, and never edited'],
      ['journal/format.test.ts', 'a journal of format 1 stays readable for ever'],
      [
        'process/upgrade.test.ts',
        'goes on with that version where it is one of `previous`, and new groups have the new one',
      ],
      ['process/upgrade.test.ts', 'whatever had settled stays so, what was under way goes on, and the journal says so'],
    ],
  },
  J9: {
    says: 'finished actors do not accumulate',
    shown: [['machines/fan-out.test.ts', '10,000 members complete, and one of them costs about as much as one of 100']],
  },
  J10: {
    says: 'a durable engine under the same actors',
    shown: [
      ['group/differential.test.ts', 'random machines do the same through step as through live XState actors, over '],
    ],
  },
  J11: {
    says: 'deterministic ids of what is performed',
    shown: [
      ['harness/scripted.test.ts', 'every performance is kept as it was asked for, in order'],
      [
        'group/attempts.test.ts',
        'that fails is made again with growing waits drawn from its own key, the same on every machine',
      ],
    ],
  },
  J12: {
    says: 'deterministic replay for debugging',
    shown: [
      ['cli/inspect.test.ts', 'verify proves a run without running anything of it'],
      ['cli/fork.test.ts', 'a fork goes on from its position without doing again what had settled'],
    ],
  },

  A1: {
    says: 'one channel of approval for all members, to the coordinator or a person',
    shown: [
      ['process/gates.test.ts', 'waits for its answer, may be opened again, and an answered one stays answered'],
      [
        'process/council.test.ts',
        'its host is killed while it waits, the answer is given to nobody, and the next host hears it',
      ],
      ['agents/permission.test.ts', 'a person is asked by a gate, and the answer holds'],
    ],
  },
  A2: {
    says: 'least privilege: a member may talk to its group and nothing else',
    shown: [
      ['process/acceptance.test.ts', 'a message that looks like a settlement, an answer or an order is a message'],
      ['agents/permission.test.ts', 'it does not do what it was not allowed, goes on, and its mailbox is open'],
    ],
  },
  A3: {
    says: 'a worktree per member',
    shown: [
      ['process/worktrees.test.ts', 'every attempt of a member finds what the one before has left'],
      ['process/worktrees.test.ts', 'at any append leaves one worktree for each member, and nobody’s work is lost'],
      [
        'harness/worktree/git-worktrees.test.ts',
        'a git that is killed at any moment of `worktree add` leaves nothing that stands in the way',
      ],
    ],
  },
};
