/** `troupe rm`. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../nearest.ts';
import { TroupeError } from '../error.ts';
import type { RunStatus } from '../process/run-view.ts';
import { dataFolder, type DataFolder } from './data-folder.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { isSegment } from './lone-journal.ts';
import { runsNewestFirst, type ListedRun } from './runs.ts';
import { complain, print } from './terminal.ts';

/** Options of `troupe rm`. */
export interface RemoveCommandOptions {
  readonly olderThan?: string;
  readonly status?: string;
  readonly dryRun?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

type Status = RunStatus | 'damaged';

const statuses: readonly Status[] = ['active', 'cancelled', 'completed', 'damaged', 'failed'];
const ended: readonly Status[] = ['cancelled', 'completed', 'failed'];

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function ageOf(given: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(given) ?? [];
  if (number === '') {
    throw new TroupeError('BAD_INPUT', `expected --older-than to be an age such as 30d, 12h or 2w, got \`${given}\`.`);
  }
  return Number(number) * (unitMs[unit] ?? 0);
}

function statusOf(given: string): Status {
  const status = statuses.find((one) => one === given);
  if (status !== undefined) return status;
  throw new TroupeError('BAD_INPUT', `expected --status to be one of ${statuses.join(', ')}, got \`${given}\`.`);
}

/** When the run ended, or was last written to, ms since 1970. */
async function lastMoved(data: DataFolder, run: ListedRun): Promise<number> {
  if ('view' in run && run.view.endedAt !== undefined) return run.view.endedAt;
  const folder = data.run(run.id);
  const segments = (await readdir(folder).catch(() => [])).filter(isSegment);
  const stats = segments.map((file) => stat(join(folder, file)).catch(() => undefined));
  const times = (await Promise.all(stats)).flatMap((one) => (one === undefined ? [] : [one.mtimeMs]));
  return times.length === 0 ? Date.now() : Math.max(...times);
}

/** What a run is; undefined for one that is sound as far as anybody knows, and cannot be read here or now: it is removed by its name only. */
function statusFor(run: ListedRun, isNamed: boolean): Status | undefined {
  if ('view' in run) return run.view.status;
  return isNamed || run.trouble.code === 'JOURNAL_CORRUPT' ? 'damaged' : undefined;
}

async function chosen(
  data: DataFolder,
  ids: readonly string[],
  { olderThan, status }: RemoveCommandOptions,
): Promise<readonly string[]> {
  const minMs = olderThan === undefined ? undefined : ageOf(olderThan);
  const wanted = status === undefined ? undefined : statusOf(status);
  if (ids.length === 0 && minMs === undefined && wanted === undefined) {
    throw new TroupeError('BAD_INPUT', 'expected runs to remove: their ids, or --older-than 30d, or --status failed.');
  }
  const found: string[] = [];
  const known = new Set<string>();
  for await (const run of runsNewestFirst(data)) {
    known.add(run.id);
    const isNamed = ids.includes(run.id);
    if (ids.length > 0 && !isNamed) continue;
    const is = statusFor(run, isNamed);
    if (is === undefined) continue;
    const isOver = ended.includes(is) || (isNamed && is === 'damaged');
    const isMeant = wanted === undefined ? isOver : is === wanted;
    if (isNamed && wanted === undefined && !isOver) {
      throw new TroupeError(
        'BAD_INPUT',
        `run ${run.id} has not ended, and nothing was removed. End it first (npx troupe cancel ${run.id}${data.flag}), or remove it as it is: --status active.`,
        { run: run.id },
      );
    }
    if (isMeant && (minMs === undefined || Date.now() - (await lastMoved(data, run)) >= minMs)) found.push(run.id);
  }
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) {
    const near = nearest(unknown, [...known]).map((id) => `\`${id}\``);
    const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
    throw new TroupeError(
      'RUN_UNKNOWN',
      `there is no run \`${unknown}\` in ${data.path}, and nothing was removed.${hint}`,
      { run: unknown },
    );
  }
  return found;
}

/** Removes runs: the named ones, or those that have ended and match. Returns the exit code: that of the first one that could not be removed, if there is one. */
export async function removeCommand(ids: readonly string[], options: RemoveCommandOptions): Promise<number> {
  const { dryRun = false, json = false } = options;
  const data = dataFolder(options.data);
  const removed: string[] = [];
  const refused: { readonly id: string; readonly code: string; readonly message: string }[] = [];
  let exitCode: number = exitCodes.ok;
  for (const id of await chosen(data, ids, options)) {
    try {
      if (!dryRun) await data.store.remove?.(id);
      removed.push(id);
      if (!json) print(`${dryRun ? 'would remove' : 'removed'} ${id}`);
    } catch (error) {
      if (!(error instanceof TroupeError)) throw error;
      refused.push({ id, code: error.code, message: error.message });
      if (exitCode === exitCodes.ok) exitCode = exitCodeOf(error);
      if (!json) complain(`not removed: ${id}: ${error.message}`);
    }
  }
  if (json) print(JSON.stringify({ dryRun, removed, refused }));
  else if (removed.length + refused.length === 0) print('no run matches; nothing was removed');
  return exitCode;
}
