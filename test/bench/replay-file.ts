/** Replay from the file: read, checksums, parse and fold, beside live XState actors that have their events in memory. */
import { define } from '../../src/group/definition.ts';
import { groupFold } from '../../src/group/fold.ts';
import { fileStore } from '../../src/journal/file.ts';
import type { Journal, JournalEvent } from '../../src/journal/port.ts';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { deskMachine } from './work/desk.ts';
import { groupName, historyOf, sendAll, type History } from './work/history.ts';

/** Writes a history as a host does: one digest per append. */
export async function record(journal: Journal, { entries }: History): Promise<void> {
  const { epoch } = await journal.lease();
  const stream = entries[0]?.stream ?? '';
  let events: JournalEvent[] = [];
  let expectedSeq = 0;
  const flush = async () => {
    await journal.append(stream, expectedSeq, epoch, events);
    expectedSeq += events.length;
    events = [];
  };
  for (const { type, at, data, fold } of entries) {
    if (fold !== undefined) await flush();
    events.push(fold === undefined ? { type, at, data } : { type, at, data, fold });
  }
  await flush();
  await journal.close();
}

async function replayed(journal: Journal): Promise<number> {
  const startedMs = performance.now();
  const fold = groupFold(define(deskMachine), groupName);
  for await (const entries of journal.read()) for (const entry of entries) fold.apply(entry);
  return performance.now() - startedMs;
}

/** The bench. */
export const replayFile: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    // Judged as the parsed rows are, by a coordinator's journal; `mixed` is told beside it.
    for (const [kind, length, rounds] of smoke
      ? ([['coordinator', 2_000, 1]] as const)
      : ([
          ['coordinator', 100_000, 7],
          ['coordinator', 1_000_000, 3],
          ['mixed', 100_000, 5],
        ] as const)) {
      const history = historyOf(kind, length);
      const store = fileStore({ dir: `${dir}/${kind}-${length}` });
      await record(await store.open('replay', { create: true }), history);
      const measured = await inTurns(rounds, {
        ours: async () => {
          const journal = await store.open('replay');
          const ms = await replayed(journal);
          await journal.close();
          return length / (ms / 1_000);
        },
        live: () => length / (sendAll(history).ms / 1_000),
      });
      row(
        rowOf(
          {
            name: `replay ${length.toLocaleString('en')} entries from the file, ${kind}`,
            unit: 'entries/s',
            level: 'D2',
            rivalName: 'live XState',
            note: 'read, checksum, parse and fold; the rival has its events in memory',
            ...(kind === 'coordinator' ? { target: { atLeast: 1 } } : {}),
          },
          measured.ours,
          measured.live,
        ),
      );
    }
  });
