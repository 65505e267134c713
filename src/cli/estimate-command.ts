/** `troupe estimate`. */
import { resolve } from 'node:path';
import { TroupeError } from '../error.ts';
import { nearest } from '../nearest.ts';
import type { RunView } from '../process/run-view.ts';
import { dataFolder, type DataFolder } from './data-folder.ts';
import { estimateOf, type Estimate, type Spread } from './estimate.ts';
import { exitCodes } from './exit-codes.ts';
import { runsNewestFirst } from './runs.ts';
import { print, styleFor } from './terminal.ts';
import { column, count, duration, grouped, momentOf, nameText, widthOf } from './text.ts';

/** Options of `troupe estimate`. */
export interface EstimateCommandOptions {
  /** How many runs, the newest, it goes by. */
  readonly last: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** At least one, the newest first. */
type Runs = readonly [RunView, ...RunView[]];

/**
 * Says what a process, by its name or its file, has used in the runs that were completed. Returns the exit code. Codes: BAD_INPUT, RUN_UNKNOWN
 * when none was.
 */
export async function estimateCommand(what: string, options: EstimateCommandOptions): Promise<number> {
  const last = Number(options.last);
  if (!Number.isInteger(last) || last < 1)
    throw new TroupeError('BAD_INPUT', `expected --last to be a whole number >= 1, got \`${options.last}\`.`);
  const data = dataFolder(options.data);
  const runs = await completedRuns(data, what, last);
  const name = runs[0].created?.process ?? what;
  const estimate = estimateOf(runs);
  if (options.json === true) print(JSON.stringify({ process: name, runs: runs.map(({ id }) => id), ...estimate }));
  else printEstimate(name, runs, estimate);
  return exitCodes.ok;
}

async function completedRuns(data: DataFolder, what: string, max: number): Promise<Runs> {
  const file = resolve(what);
  const found: RunView[] = [];
  const others = new Set<string>();
  let notCompleted = 0;
  for await (const run of runsNewestFirst(data)) {
    if (!('view' in run) || run.view.created === undefined) continue;
    const { created, status } = run.view;
    const isIt = created.process === what || (created.file !== undefined && data.found(created.file) === file);
    if (!isIt) others.add(created.process);
    else if (status !== 'completed') notCompleted += 1;
    else if (found.push(run.view) === max) break;
  }
  const [newest, ...older] = found;
  if (newest !== undefined) return [newest, ...older];
  const near = nearest(what, [...others])[0];
  const why =
    notCompleted > 0
      ? `${notCompleted === 1 ? 'its one run was not completed' : `none of its ${grouped(notCompleted)} runs was completed`}, and what it takes is known when one was`
      : `there is no run of it; ${near === undefined ? 'run it once, on little input' : `did you mean \`${near}\`?`}`;
  throw new TroupeError('RUN_UNKNOWN', `No estimate for \`${what}\` from ${data.path}: ${why}.`, { process: what });
}

const labelColumns = 14;
const figureColumns = 11;

function printEstimate(name: string, runs: Runs, estimate: Estimate): void {
  const style = styleFor(process.stdout);
  const [newest] = runs;
  const of = runs.length === 1 ? 'by its one completed run' : `by ${runs.length} completed runs, the newest`;
  print(`${nameText(name)} · ${of} ${newest.id} of ${momentOf(newest.createdAt)}`);
  const width = Math.min(32, Math.max(labelColumns, ...estimate.perAttempt.map(({ harness }) => widthOf(harness) + 2)));
  const line = (label: string, cells: readonly string[]) =>
    column(label, width) + cells.map((cell) => cell.padStart(figureColumns)).join('');
  const row = (label: string, { least, median, most }: Spread, said: (value: number) => string) => {
    if (most > 0) print(line(label, [least, median, most].map(said)));
  };
  const whole = (value: number) => grouped(Math.round(value));

  print(`\n${style.dim(line('', ['least', 'median', 'most']))}`);
  row('took', estimate.tookMs, duration);
  row('members', estimate.members, whole);
  row('attempts', estimate.attempts, whole);
  row('messages', estimate.messages, whole);
  row('tokens', estimate.tokens, whole);
  row('cost', estimate.costUsd, dollars);

  for (const { harness, members, wallMs, tokens, costUsd } of estimate.perAttempt) {
    print(`\none attempt of ${nameText(harness)} (${count(members, 'member')})`);
    row('took', wallMs, duration);
    row('tokens', tokens, whole);
    row('cost', costUsd, dollars);
  }
  const budget = budgetFor(estimate);
  if (budget !== undefined)
    print(`\nenough for the dearest of them, and no more than one attempt besides: budget: ${budget}`);
}

const dollars = (value: number) => `$${value < 0.1 && value > 0 ? value.toPrecision(1) : value.toFixed(2)}`;

/**
 * A budget that the dearest run would have kept to: what it took, and what an attempt is expected to use besides, which must be free whenever
 * one begins, also the last.
 */
function budgetFor({ costUsd, tokens, perAttempt }: Estimate): string | undefined {
  const [what, { most }, grain] =
    costUsd.most > 0 ? (['costUsd', costUsd, 0.01] as const) : (['tokens', tokens, 100] as const);
  if (most === 0) return undefined;
  const dearest = (of: 'median' | 'most') => Math.max(...perAttempt.map(({ [what]: spread }) => spread[of]));
  // Where most used nothing, as much as any did: over a budget that is just used up nobody begins.
  const each = roundedUp(dearest('median') || dearest('most'), grain);
  return `{ ${what}: ${exact(roundedUp(most, grain) + each)}, expects: { ${what}: ${each} } }`;
}

/** To whole grains, or two digits where that is finer. */
function roundedUp(value: number, grain: number): number {
  if (value === 0) return 0;
  const finer = Math.min(grain, 10 ** (Math.floor(Math.log10(value)) - 1));
  return exact(Math.ceil(exact(value / finer)) * finer);
}

/** Without what sums and products of fractions are off by. */
const exact = (value: number) => Number(value.toPrecision(12));
