import { describe, expect, test } from 'vitest';
import { defineProcess, openRun, type BudgetPolicy, type JsonValue, type RunResult, type Usage } from 'troupe';
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
  readonly budget?: BudgetPolicy;
}

/** As the file below: members use what the input says. */
async function inProcess(dir: string, run: string, input: Input): Promise<RunResult> {
  const process = defineProcess('spending', async (ctx, { uses, fails, budget }: Input) => {
    const members = uses.map((use, index) => ({ id: `m${index}`, harness: 'thinker', input: use as JsonValue }));
    const { failed } = await ctx.group('thoughts', fanOut, { members }, budget === undefined ? {} : { budget }).output;
    if (fails === true || failed.length > 0) throw new Error('after all');
    return 'done';
  });
  const thinker = fn((invocation, { spent }) => spent(invocation.input as Usage));
  const opened = await openRun({ store: fileStore({ dir }), run, process, input, harnesses: { thinker } });
  const end = await opened.drive();
  await opened.close();
  return end;
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

enough for the dearest of them, and no more than one attempt besides: budget: { costUsd: 2.75, expects: { costUsd: 0.75 } }
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

test.each([
  ['dollars', [0.5, 0.5, 0.5, 0.1, 0.1].map((costUsd) => ({ costUsd })), { costUsd: 2.2, expects: { costUsd: 0.5 } }],
  ['fractions of a cent', Array(3).fill({ costUsd: 0.00123 }), { costUsd: 0.005, expects: { costUsd: 0.0013 } }],
  ['tokens', [900, 900, 57].map((tokens) => ({ tokens })), { tokens: 2_800, expects: { tokens: 900 } }],
  ['few that use any', [5_000, 0, 0].map((tokens) => ({ tokens })), { tokens: 10_000, expects: { tokens: 5_000 } }],
  ['few tokens', [7, 7].map((tokens) => ({ tokens })), { tokens: 21, expects: { tokens: 7 } }],
])('a run that uses the same keeps to the budget that is told: %s', async (_, uses, budget) => {
  const it = project();
  const data = it.path('.troupe');
  await inProcess(data, 'first', { uses });
  const [what, limit] = Object.entries(budget)[0] as [string, number];
  const { [what as keyof Usage]: each } = budget.expects as Usage;
  expect((await it.troupe('estimate', 'spending')).stdout).toContain(
    `besides: budget: { ${what}: ${limit}, expects: { ${what}: ${each} } }\n`,
  );
  expect(await inProcess(data, 'again', { uses, budget })).toMatchObject({ status: 'completed' });
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
