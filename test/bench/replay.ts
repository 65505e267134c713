/** Replay: parsed entries folded as a resume folds them, beside the same events sent to live XState actors. */
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { foldAll, historyOf, sendAll, type Kind } from './work/history.ts';

const notes: Readonly<Record<Kind, string>> = {
  coordinator:
    'of 100 inputs 60 signals and messages that assign, 25 that change the state, 10 settlements with respawn (and its attempt.started, which live actors are not sent), 5 member.progress; digests checked every 64 entries',
  mixed:
    '86 % member.progress, 13 % signals that assign, 1 % settlements with respawn and attempt.started; not judged: see progress',
  progress:
    'member.progress only; not judged: for it live XState runs a function of three lines, and a fold also finds the member, checks its incarnation and counts it in the digest',
  signals: 'signals only, nine of ten assign, one changes the state; not judged: a part of coordinator',
};

/** The bench. */
export const replay: Bench = async ({ smoke, row }) => {
  const sizes: readonly (readonly [Kind, number, number])[] = smoke
    ? [
        ['coordinator', 2_000, 1],
        ['mixed', 2_000, 1],
        ['progress', 2_000, 1],
        ['signals', 2_000, 1],
      ]
    : [
        ['coordinator', 100_000, 9],
        ['coordinator', 1_000_000, 3],
        ['mixed', 100_000, 5],
        ['progress', 100_000, 5],
        ['signals', 100_000, 5],
      ];
  for (const [kind, length, rounds] of sizes) {
    const history = historyOf(kind, length);
    const ours = foldAll(history).coordinator;
    const live = sendAll(history).coordinator;
    if (ours !== live) throw new Error(`replay and live actors differ: ${ours} and ${live}`);
    const measured = await inTurns(rounds, {
      ours: () => length / (foldAll(history).ms / 1_000),
      live: () => length / (sendAll(history).ms / 1_000),
    });
    const about = {
      name: `replay ${length.toLocaleString('en')} entries, 8 members, ${kind}`,
      unit: 'entries/s',
      level: 'D0',
      rivalName: 'live XState',
      note: notes[kind],
    } as const;
    row(rowOf(kind === 'coordinator' ? { ...about, target: { atLeast: 2 } } : about, measured.ours, measured.live));
  }
};
