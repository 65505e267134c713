/** `troupe ls`. */
import type { TroupeError } from '../error.ts';
import type { Holder } from '../journal/port.ts';
import type { RunView } from '../process/run-view.ts';
import { dataAbove } from './data-above.ts';
import { dataFolder, type DataFolder } from './data-folder.ts';
import { quoted } from './quoted.ts';
import { exitCodes } from './exit-codes.ts';
import { holderOf } from './holder.ts';
import { isSettled } from './member-row.ts';
import { runsNewestFirst } from './runs.ts';
import { print, styleFor } from './terminal.ts';
import { column, count, duration, fit, momentOf, widthOf } from './text.ts';

/** Options of `troupe ls`. */
export interface ListCommandOptions {
  readonly all?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

/** Runs shown without --all. */
const shownMax = 20;

/** A run in a list. */
export interface RunRow {
  readonly id: string;
  readonly status: RunView['status'] | 'damaged';
  /** Who drives it now. */
  readonly holder: Holder | null;
  readonly process: string | null;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly groups?: number;
  readonly members?: number;
  readonly settled?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Lists runs, newest first. Returns the exit code. */
export async function listCommand({ all = false, data: given, json = false }: ListCommandOptions): Promise<number> {
  const data = dataFolder(given);
  const { rows, hasMore } = await listRuns(data, all ? Number.POSITIVE_INFINITY : shownMax);
  if (json) {
    print(JSON.stringify({ runs: rows }));
    return exitCodes.ok;
  }
  if (rows.length > 0) printTable(rows);
  else {
    const above = given === undefined ? dataAbove() : undefined;
    const next = above === undefined ? 'run review.process.ts' : `ls --data ${quoted(above)}`;
    print(
      `no runs in ${given ?? data.path}; ${above === undefined ? 'start one' : 'there are some above'}: npx troupe ${next}`,
    );
  }
  if (hasMore) print(`older runs: npx troupe ls --all${data.flag}`);
  return exitCodes.ok;
}

/** Up to `max` runs, newest first, those that cannot be read included. */
export async function listRuns(
  data: DataFolder,
  max: number,
): Promise<{ readonly rows: readonly RunRow[]; readonly hasMore: boolean }> {
  const rows: RunRow[] = [];
  for await (const run of runsNewestFirst(data)) {
    if (rows.length === max) return { rows, hasMore: true };
    rows.push('view' in run ? await rowOf(data, run.view) : damaged(run.id, run.trouble));
  }
  return { rows, hasMore: false };
}

function printTable(rows: readonly RunRow[]): void {
  const style = styleFor(process.stdout);
  const columns = process.stdout.columns || 120;
  const wide = (cells: readonly string[]) => Math.min(32, Math.max(...cells.map(widthOf)));
  const idWidth = wide(rows.map(({ id }) => id));
  const processWidth = wide(rows.map((row) => row.process ?? '–'));
  const paints = {
    active: style.cyan,
    cancelled: style.yellow,
    completed: style.green,
    damaged: style.red,
    failed: style.red,
    resumable: style.yellow,
  };
  for (const row of rows) {
    const status = row.status === 'active' && row.holder === null ? 'resumable' : row.status;
    const left = `${column(row.id, idWidth)}  `;
    const rest = fit(`  ${column(row.process ?? '–', processWidth)}  ${about(row)}`, columns - idWidth - 11);
    print(left + paints[status](column(status, 9)) + rest.trimEnd());
  }
}

function about({ error, startedAt, endedAt, settled, members }: RunRow): string {
  if (error !== undefined) return error.message;
  if (startedAt === undefined) return 'had not begun';
  const took = endedAt === undefined ? '' : ` · ${duration(endedAt - startedAt)}`;
  return `${momentOf(startedAt)}${took} · ${settled} of ${count(members ?? 0, 'member')} settled`;
}

async function rowOf(data: DataFolder, view: RunView): Promise<RunRow> {
  const { id, created, createdAt, endedAt, status } = view;
  const holder = status === 'active' ? await holderOf(data, id) : undefined;
  const members = [...view.groups.values()].flatMap((ledger) => [...ledger.members.values()]);
  return {
    id,
    status,
    holder: holder ?? null,
    process: created?.process ?? null,
    ...(created === undefined ? {} : { startedAt: createdAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    groups: view.groups.size,
    members: members.length,
    settled: members.filter(isSettled).length,
  };
}

function damaged(id: string, { code, message }: TroupeError): RunRow {
  return { id, status: 'damaged', holder: null, process: null, error: { code, message } };
}
