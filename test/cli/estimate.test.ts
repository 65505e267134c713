import { describe, expect, test } from 'vitest';
import { defineProcess, openRun, type JsonValue, type Usage } from 'troupe';
import { fn } from 'troupe/harness';
import { fileStore } from 'troupe/journal';
import { fanOut } from 'troupe/machines';
import { emptyLedger } from '../../src/group/ledger.ts';
import { emptyRun, type RunView } from '../../src/process/run-view.ts';
import { estimateCommand } from '../../src/cli/estimate-command.ts';
import { estimateOf } from '../../src/cli/estimate.ts';
import { lastJson, project } from './support.ts';

interface Input {
  readonly uses: readonly Usage[];
  /** After that the run fails. */
  readonly fails?: boolean;
}

/** As the file below: members use what the input says. */
async function inProcess(dir: string, run: string, input: Input): Promise<void> {
  const process = defineProcess('spending', async (ctx, { uses, fails }: Input) => {
    const members = uses.map((use, index) => ({ id: `m${index}`, harness: 'thinker', input: use as JsonValue }));
    await ctx.group('thoughts', fanOut, { members }).output;
    if (fails === true) throw new Error('after all');
    return 'done';
  });
  const thinker = fn((invocation, { spent }) => spent(invocation.input as Usage));
  const opened = await openRun({ store: fileStore({ dir }), run, process, input, harnesses: { thinker } });
  await opened.drive();
  await opened.close();
}

const spending = `
import { defineProcess } from 'troupe';
import { fn } from 'troupe/harness';
import { fanOut } from 'troupe/machines';

export const harnesses = { thinker: fn((invocation, { spent }) => spent(invocation.input)) };
export default defineProcess('spending', async (ctx, { uses }) => {
  const members = uses.map((use, index) => ({ id: 'm' + index, harness: 'thinker', input: use }));
  await ctx.group('thoughts', fanOut, { members }).output;
  return 'done';
});
`;

test('says what the completed runs of a process used, by its name or its file', async () => {
  const it = project({ 'spending.process.mjs': spending });
  const runs = [
    { uses: [{ costUsd: 0.5, tokens: 1_000 }] },
    {
      uses: [
        { costUsd: 0.25, tokens: 2_000 },
        { costUsd: 0.75, tokens: 3_010 },
      ],
    },
    { uses: [{ costUsd: 2, tokens: 100 }] },
    { uses: [{ costUsd: 100, tokens: 100_000 }], fails: true },
  ];
  for (const [index, input] of runs.entries()) if (index !== 2) await inProcess(it.path('.troupe'), `r${index}`, input);
  await it.troupe('run', 'spending.process.mjs', '--run-id', 'r2', '--input', JSON.stringify(runs[2]));

  const byName = await it.troupe('estimate', 'spending');
  expect(byName).toMatchObject({ code: 0, stderr: '' });
  const table = byName.stdout.replaceAll(/^took .*\n/gm, '');
  expect(table).toMatch(/^spending · by 3 completed runs, the newest r2 of [-\d]+ [\d:]+\n/);
  expect(table.slice(table.indexOf('\n'))).toBe(`

                    least     median       most
members                 1          1          2
attempts                1          1          2
tokens                100      1,000      5,010
cost                $0.50      $1.00      $2.00

one attempt of thinker (4 members)
tokens                100      2,000      3,010
cost                $0.25      $0.75      $2.00

to hold the next run to the dearest: budget: { costUsd: 2, expects: { costUsd: 0.75 } }
`);

  const byFile = await it.troupe('estimate', './spending.process.mjs', '--last', '1', '--json');
  expect(lastJson(byFile)).toMatchObject({
    process: 'spending',
    runs: ['r2'],
    costUsd: { least: 2, median: 2, most: 2 },
    members: { least: 1, median: 1, most: 1 },
    perAttempt: [{ harness: 'thinker', members: 1, tokens: { least: 100, median: 100, most: 100 } }],
  });
});

test('what was never completed has no estimate, and it is said why', async () => {
  const it = project();
  await inProcess(it.path('.troupe'), 'r1', { uses: [], fails: true });
  expect(await it.troupe('estimate', 'spending')).toMatchObject({
    code: 7,
    stdout: '',
    stderr: expect.stringMatching(/^RUN_UNKNOWN: No estimate for `spending` from .*: its one run was not completed, /),
  });
  const data = it.path('.troupe');
  const asked = (what: string, last = '20') => estimateCommand(what, { last, data });
  await expect(asked('spendin')).rejects.toThrow('did you mean `spending`?');
  await expect(asked('reviews')).rejects.toThrow('run it once');
  await expect(asked('spending', 'all')).rejects.toThrow(
    'BAD_INPUT: expected --last to be a whole number >= 1, got `all`',
  );
});

describe('one attempt', () => {
  const run = (member: { readonly attempts: number; readonly costUsd: number }): RunView => {
    const view = emptyRun('r');
    const ledger = emptyLedger('g');
    const spend = { ...member, wallMs: 0, tokens: 0 };
    ledger.members.set('m', { harness: 'h', spend } as never);
    view.groups.set('g', ledger);
    return view;
  };

  test('is what a member used by the number of its attempts; one that never began counts for nothing', () => {
    const estimate = estimateOf([run({ attempts: 4, costUsd: 1 }), run({ attempts: 0, costUsd: 0 })]);
    expect(estimate.perAttempt).toMatchObject([
      { harness: 'h', members: 1, costUsd: { least: 0.25, median: 0.25, most: 0.25 } },
    ]);
  });

  test('the median of an even number is the greater of the two in the middle', () => {
    const runs = [1, 4, 2, 3].map((costUsd) => run({ attempts: 1, costUsd }));
    expect(estimateOf(runs).perAttempt[0]?.costUsd).toEqual({ least: 1, median: 3, most: 4 });
  });
});
