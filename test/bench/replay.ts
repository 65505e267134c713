/** Replay: parsed entries folded as a resume folds them, beside the same events sent to live XState actors. */
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { foldAll, historyOf, sendAll, type Kind } from './work/history.ts';

const notes: Readonly<Record<Kind, string>> = {
  mixed:
    '86 % member.progress, 13 % signals that assign, 1 % settlements with respawn and attempt.started; digests checked every 64 entries',
  progress: 'member.progress only',
  signals: 'signals that the coordinator handles with assign only',
};

/** The bench. */
export const replay: Bench = async ({ smoke, row }) => {
  const sizes: readonly (readonly [Kind, number, number])[] = smoke
    ? [
        ['mixed', 2_000, 1],
        ['progress', 2_000, 1],
        ['signals', 2_000, 1],
      ]
    : [
        ['mixed', 100_000, 9],
        ['mixed', 1_000_000, 3],
        ['progress', 100_000, 7],
        ['signals', 100_000, 7],
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
    row(rowOf(kind === 'mixed' ? { ...about, target: { atLeast: 2 } } : about, measured.ours, measured.live));
  }
};
