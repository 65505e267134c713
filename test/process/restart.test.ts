/** A run that is killed anywhere, any number of times, comes out as if nothing had happened (G4, G6). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type Entry, type RunResult } from 'troupe';
import { fileStore, memoryFileSystem } from 'troupe/journal';
import { entriesOf } from '../support/dying-store.ts';
import { passing } from '../support/hand-clock.ts';
import { part, perform, script, type Part } from '../support/processes.ts';
import { finished, killed, open, stage, type Stage } from '../support/running.ts';

/** A process of this part that keeps, pass by pass, what it saw. */
function tracing(body: Part) {
  const traces: string[][] = [];
  const process = defineProcess('random', async (ctx) => {
    const trace: string[] = [];
    traces.push(trace);
    return perform(ctx, body, 'part', (text) => trace.push(text));
  });
  return { process, traces };
}

/** Without the stack, which is no part of how a run ends. */
function endOf(end: RunResult | undefined): unknown {
  return end?.status === 'failed' ? { status: 'failed', message: end.error.message } : end;
}

const of = (entries: readonly Entry[], type: string, fields: readonly string[]) =>
  entries
    .filter((entry) => entry.type === type)
    .map(({ stream, data }) =>
      [stream, ...fields.map((field) => (data as Readonly<Record<string, number | string | undefined>>)[field])].join(
        ' ',
      ),
    );

/** What must hold of a run however often its hosts died. */
async function expectSound(
  { store, harness, process }: Stage,
  traces: readonly (readonly string[])[],
): Promise<readonly Entry[]> {
  const entries = await entriesOf(store);
  const settled = of(entries, 'member.settled', ['member', 'incarnation']);
  expect(settled).toEqual([...new Set(settled)]);
  const performed = new Set(harness.calls.map(({ group, member }) => `group:${group} ${member} 1`));
  for (const one of settled) expect(performed).toContain(one);
  for (const once of [
    of(entries, 'signal', ['id']),
    of(entries, 'checkpoint', ['effect']),
    of(entries, 'log', ['id']),
    of(entries, 'sleep.ended', ['until']),
    of(entries, 'group.ended', []),
  ]) {
    expect(once).toEqual([...new Set(once)]);
  }
  await verifyRun({ store, run: 'run', process });
  // The last pass, that of verifyRun, has seen everything; each one before it saw a part of that, in the same order.
  const whole = traces.at(-1) ?? [];
  for (const trace of traces) expect(trace).toEqual(whole.slice(0, trace.length));
  return entries;
}

async function undisturbed(body: Part) {
  const { process, traces } = tracing(body);
  const still = stage(process, script);
  const end = endOf(await finished(still));
  const entries = await expectSound(still, traces);
  return { end, entries };
}

/** The same in whatever order streams were written. */
const sorted = (texts: readonly string[]) => texts.toSorted();

async function expectSame(
  disturbed: Stage,
  traces: readonly (readonly string[])[],
  end: unknown,
  still: Awaited<ReturnType<typeof undisturbed>>,
) {
  expect(end).toEqual(still.end);
  const entries = await expectSound(disturbed, traces);
  const isComplete = (still.end as { status: string }).status === 'completed';
  // A failed process cancels what runs: how far that had come is a matter of time.
  if (!isComplete) return;
  for (const [type, fields] of [
    ['member.settled', ['member']],
    ['checkpoint', ['name', 'settled', 'total']],
    ['signal', ['id']],
    ['log', ['message']],
  ] as const) {
    expect(sorted(of(entries, type, fields))).toEqual(sorted(of(still.entries, type, fields)));
  }
}

const parameters = { numRuns: Number(process.env['TROUPE_RESTART_RUNS'] ?? 12) };

describe('a run that is killed', () => {
  test('at any append, with that append written or lost, ends as the undisturbed one', async () => {
    await fc.assert(
      fc.asyncProperty(part, async (body) => {
        const still = await undisturbed(body);
        for (const isWritten of [true, false]) {
          for (let atAppend = 1; ; atAppend += 1) {
            const { process, traces } = tracing(body);
            const disturbed = stage(process, script);
            if ((await killed(disturbed, { atAppend, isWritten })) !== undefined) break;
            disturbed.clock.advance(atAppend * 7);
            await expectSame(disturbed, traces, endOf(await finished(disturbed)), still);
          }
        }
      }),
      parameters,
    );
  });

  test('again and again ends as the undisturbed one', async () => {
    const death = fc.record({
      atAppend: fc.integer({ min: 1, max: 12 }),
      isWritten: fc.boolean(),
      awayMs: fc.integer({ min: 0, max: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(part, fc.array(death, { minLength: 2, maxLength: 8 }), async (body, deaths) => {
        const still = await undisturbed(body);
        const { process, traces } = tracing(body);
        const disturbed = stage(process, script);
        let end: RunResult | undefined;
        for (const one of deaths) {
          end ??= await killed(disturbed, one);
          disturbed.clock.advance(one.awayMs);
        }
        end ??= await finished(disturbed);
        await expectSame(disturbed, traces, endOf(end), still);
      }),
      { numRuns: parameters.numRuns * 6 },
    );
  });
});

describe('on the file journal', () => {
  test.each([
    ['flushed one by one', Number.POSITIVE_INFINITY],
    ['flushed together', 0],
  ])('%s, what a process sees live is what it sees again', async (_how, blockBelowMs) => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 2, maxLength: 4 }), async (parts) => {
        const { process, traces } = tracing({ type: 'all', parts });
        const still = stage(process, script);
        const store = fileStore({ dir: '/data', fs: memoryFileSystem(), blockBelowMs });
        const run = await open(still, { store });
        await passing(still.clock, run.drive());
        await run.close();
        await verifyRun({ store, run: 'run', process });
        const [live, again] = traces;
        expect(live).toEqual(again);
      }),
      parameters,
    );
  });
});
