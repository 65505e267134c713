/** Spawn, settlement and stop of members by the library's fan-out: what one costs among few and among many. */
import { fanOut } from '../../machines/fan-out.ts';
import { defaultBounds } from '../../src/group/bounds.ts';
import { define } from '../../src/group/definition.ts';
import { start, step, status } from '../../src/group/step.ts';
import { fn } from '../../src/harness/fn.ts';
import { fileStore } from '../../src/journal/file.ts';
import { defineProcess } from '../../src/process/define-process.ts';
import { openRun } from '../../src/process/run.ts';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';

const partsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `part-${index + 1}`, input: index }));

/** Microseconds per member, kernel only: every member settles in the order of the input. */
function inKernel(count: number, repeats: number): number {
  const definition = define(fanOut);
  const members = partsOf(count);
  const startedMs = performance.now();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    let seq = 1;
    let { system } = start(definition, { seq, at: 0, input: { members }, bounds: defaultBounds });
    for (const { id } of members) {
      seq += 1;
      const data = { member: id, incarnation: 1, attempt: 1, outcome: { status: 'ok', output: seq } };
      ({ system } = step(system, { seq, at: seq, type: 'member.settled', data }));
    }
    if (status(system).status !== 'completed') throw new Error('the fan-out did not complete');
  }
  return ((performance.now() - startedMs) * 1_000) / (count * repeats);
}

/** Microseconds per member, a whole run on the file journal. */
async function throughHost(dir: string, count: number, repeats: number): Promise<number> {
  let ms = 0;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const run = await openRun({
      store: fileStore({ dir: `${dir}/${repeat}` }),
      run: 'members',
      process: defineProcess('bench', async (ctx) => {
        const { settled } = await ctx.group('parts', fanOut, { members: partsOf(count) }).output;
        return settled;
      }) as never,
      harnesses: { fn: fn(({ input }) => input) },
      defaultHarness: 'fn',
    });
    const startedMs = performance.now();
    const result = await run.drive();
    ms += performance.now() - startedMs;
    await run.close();
    if (result.status !== 'completed') throw new Error(`the run ended as ${JSON.stringify(result)}`);
  }
  return (ms * 1_000) / (count * repeats);
}

/** The bench. */
export const members: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    const many = smoke ? 1_000 : 10_000;
    const target = { atMost: 3 };
    const kernel = await inTurns(smoke ? 1 : 5, {
      many: () => inKernel(many, 1),
      few: () => inKernel(100, many / 100),
    });
    const about = { unit: 'µs per member', rivalName: 'at 100 members', target } as const;
    row(
      rowOf(
        { ...about, name: `spawn, settle, stop at ${many.toLocaleString('en')} members, kernel only`, level: 'D0' },
        kernel.many,
        kernel.few,
      ),
    );
    let runs = 0;
    const next = () => `${dir}/${(runs += 1)}`;
    const host = await inTurns(smoke ? 1 : 5, {
      many: () => throughHost(next(), many, 1),
      few: () => throughHost(next(), 100, smoke ? 5 : 20),
    });
    row(
      rowOf(
        {
          ...about,
          name: `spawn, settle, stop at ${many.toLocaleString('en')} members, through the host`,
          level: 'D2',
        },
        host.many,
        host.few,
      ),
    );
  });
