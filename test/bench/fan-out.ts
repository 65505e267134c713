/**
 * A fan-out of function members through a whole run, beside bare writes of the same bytes in the same batches.
 *
 * The batches are those that cause and effect force on anybody who writes ahead (G1, G2): the group is created; then its members'
 * attempts have started, all of them in one flush; then they have settled; then come the checkpoints and the end; then the run's end. The rival
 * writes the same entries in the same five flushes, knowing all of them beforehand. Judged is the warm median of pairs, as for a
 * host that lives for more than one group; the first run of the process, before anything is compiled, is told in the note.
 */
import { fanOut } from '../../machines/fan-out.ts';
import { fn } from '../../src/harness/fn.ts';
import { fileStore } from '../../src/journal/file.ts';
import { defineProcess } from '../../src/process/define-process.ts';
import { openRun } from '../../src/process/run.ts';
import { inTurns, median, rowOf, type Bench } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { flushEach } from './work/bare-log.ts';
import { recordingFileSystem } from './work/recording-fs.ts';

const fanOutProcess = (members: number) =>
  defineProcess('bench', async (ctx) => {
    const parts = Array.from({ length: members }, (_, index) => ({ id: `part-${index + 1}`, input: index }));
    const { settled } = await ctx.group('parts', fanOut, { members: parts, checkpointEvery: 10 }).output;
    return settled;
  });

/** Runs one; ms from the start of driving to the recorded end of the run. */
async function run(dir: string, members: number, batches?: string[]): Promise<number> {
  const recording = recordingFileSystem();
  const opened = await openRun({
    store: fileStore(batches === undefined ? { dir } : { dir, fs: recording.fs }),
    run: 'fan-out',
    process: fanOutProcess(members) as never,
    harnesses: { fn: fn(({ input }) => input) },
    defaultHarness: 'fn',
  });
  recording.batches.length = 0;
  const startedMs = performance.now();
  const result = await opened.drive();
  const ms = performance.now() - startedMs;
  batches?.push(...recording.batches);
  await opened.close();
  if (result.status !== 'completed' || result.output !== members)
    throw new Error(`fan-out ended as ${JSON.stringify(result)}`);
  return ms;
}

/** The bench. */
export const fanOutBench: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    let runs = 0;
    const next = () => `${dir}/${(runs += 1)}`;
    const members = 100;
    const cold = await run(next(), members);
    for (let warm = 0; warm < (smoke ? 1 : 20); warm += 1) await run(next(), members);
    const counts: number[] = [];
    let batches: string[] = [];
    const measured = await inTurns(smoke ? 1 : 31, {
      ours: async () => {
        batches = [];
        await run(next(), members, batches);
        counts.push(batches.length);
        return run(next(), members);
      },
      bare: () => flushEach(next(), batches),
    });
    const entries = batches.join('').split('\n').length - 1;
    const note = `${entries} entries in ${median(counts)} flushes; the first run of the process took ${cold.toFixed(0)} ms; the rival: one async write + fdatasync per batch, ready-made bytes`;
    row(
      rowOf(
        {
          name: 'fan-out of 100 function members, checkpoints every 10',
          unit: 'ms',
          level: 'D2',
          rivalName: 'bare writes of the same batches',
          note,
          target: { atMost: 1.5 },
        },
        measured.ours,
        measured.bare,
      ),
    );
  });
