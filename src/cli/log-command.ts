/** `troupe log`. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { TroupeError } from '../error.ts';
import type { Entry, Journal } from '../journal/port.ts';
import { dataFolder } from './data-folder.ts';
import { lookAt } from './looked-at.ts';
import { entryJson, summaryOf } from '../process/entry-line.ts';
import { exitCodes } from './exit-codes.ts';
import { styleFor, type Style } from './terminal.ts';
import { column, fit, nameText, timeOf } from './text.ts';

/** Options of `troupe log`. */
export interface LogCommandOptions {
  readonly group?: string;
  readonly follow?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

/** How often --follow looks for new entries, ms. */
const lookEveryMs = 200;

/** Prints a run's entries; with `follow` those to come as well, until the run ends. Returns the exit code. */
export async function logCommand(
  run: string,
  { group, follow = false, data: given, json = false }: LogCommandOptions,
): Promise<number> {
  const data = dataFolder(given);
  const { journal, sizeOf } = await lookAt(data, run);
  const stream = group === undefined ? undefined : `group:${group}`;
  const style = styleFor(process.stdout);
  const columns = process.stdout.isTTY ? process.stdout.columns || undefined : undefined;
  const print = async (entry: Entry, position: number) => {
    const text = json ? JSON.stringify({ position, ...entryJson(entry) }) : line(entry, position, style, columns);
    if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
  };
  try {
    const printed = printer(journal, stream, print);
    let isOver = await printed();
    let size = '';
    while (follow && !isOver) {
      const now = await sizeOf();
      // Nothing is left of it: whoever opens it is told why.
      if (now === '') await (await lookAt(data, run)).journal.close();
      if (now === size) await delay(lookEveryMs);
      else isOver = await printed();
      size = now;
    }
    if (stream !== undefined && printed.seen() === 0) await refuseUnknownGroup(journal, run, group ?? '');
  } finally {
    await journal.close();
  }
  return exitCodes.ok;
}

/**
 * Prints what it has not printed yet, each entry with its position: its place among all entries of the run, 1-based. True when
 * the run (or the one group that is asked for) has ended.
 */
function printer(
  journal: Journal,
  stream: string | undefined,
  print: (entry: Entry, position: number) => Promise<void>,
) {
  let done = 0;
  let seen = 0;
  const printed = async (): Promise<boolean> => {
    let isOver = false;
    let position = 0;
    for await (const entries of journal.read()) {
      for (const entry of entries) {
        position += 1;
        const isMeant = stream === undefined || entry.stream === stream;
        if (entry.type === 'run.ended' || (stream === entry.stream && entry.type === 'group.ended')) isOver = true;
        if (position <= done) continue;
        done = position;
        if (!isMeant) continue;
        seen += 1;
        await print(entry, position);
      }
    }
    return isOver;
  };
  return Object.assign(printed, { seen: () => seen });
}

function line(entry: Entry, position: number, style: Style, columns: number | undefined): string {
  const place = `${column(nameText(entry.stream), 18)} ${String(entry.seq).padStart(4)}`;
  const head = `${String(position).padStart(5)}  ${timeOf(entry.at)}  ${place}  `;
  const type = column(entry.type, 17);
  const summary = summaryOf(entry);
  const room = columns === undefined ? Number.POSITIVE_INFINITY : columns - head.length - type.length - 2;
  return `${style.dim(head)}${style.bold(type)}  ${fit(summary, room)}`.trimEnd();
}

async function refuseUnknownGroup(journal: Journal, run: string, group: string): Promise<void> {
  const groups = new Set<string>();
  for await (const entries of journal.read())
    for (const { stream } of entries) if (stream.startsWith('group:')) groups.add(stream.slice(6));
  throw new TroupeError(
    'UNKNOWN_GROUP',
    `run ${run} has no group \`${group}\`. Groups: ${[...groups].join(', ') || 'none yet'}.`,
  );
}
