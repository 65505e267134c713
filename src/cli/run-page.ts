/** A run on a page: what `troupe show` prints, and `troupe run` when it is over. */
import type { Ledger, MemberRecord } from '../group/ledger.ts';
import type { PlainError } from '../harness/port.ts';
import { plainLine } from '../harness/program/last-line.ts';
import type { Holder } from '../journal/port.ts';
import type { RunView } from '../process/run-view.ts';
import { lineKey, type KnownRun } from './known-run.ts';
import { outputLines } from './output-lines.ts';
import { groupRow, memberRow, rowWidths } from './member-row.ts';
import { nearPath, placeInStack } from './stack-place.ts';
import type { Style } from './terminal.ts';
import { count, duration, fit, momentOf, nameText } from './text.ts';
import { waitsFor, waitsForText } from './waits-for.ts';

/** What the page needs to know besides the run. */
export interface PageOptions {
  readonly columns: number;
  readonly now: number;
  readonly style: Style;
  /** Who drives the run; undefined when nobody does. */
  readonly holder: Holder | undefined;
  /** Added to the commands that are suggested. */
  readonly flag: string;
}

/** With more members than this, a group shows those that did not complete. */
const membersMax = 40;
/** Lines of the run's output. */
const outputLinesMax = 40;

/** The whole page, line by line. */
export function runPage(known: KnownRun, options: PageOptions): readonly string[] {
  const { style, columns } = options;
  const { view } = known;
  return [
    headOf(view, options),
    ...[...view.groups.values()].flatMap((ledger) => groupLines(ledger, known, options)),
    ...endLines(view, options),
    ...(view.status === 'active' ? [fit(`waits for  ${waitsForText(view)}`, columns)] : []),
    ...gateLines(view, options),
    '',
    ...nextCommands(view, options).map((command) => `  ${style.cyan(command)}`),
  ];
}

function headOf(view: RunView, { style, now, holder, columns }: PageOptions): string {
  const { id, created, createdAt, endedAt, status } = view;
  const head = `run ${id} · ${created?.process ?? 'not begun'}`;
  const paint = status === 'completed' ? style.green : status === 'active' ? style.cyan : style.red;
  const word = status === 'active' && holder === undefined ? 'resumable' : status;
  const driven = holder === undefined ? 'nobody drives it' : `driven by process ${holder.pid} on ${holder.host}`;
  const since = createdAt === 0 ? '' : ` · since ${momentOf(createdAt)}`;
  const rest =
    status === 'active'
      ? `${since} · ${driven}`
      : ` in ${duration((endedAt ?? now) - createdAt)} · ${count(view.entries, 'entry').replace('entrys', 'entries')}`;
  return `${style.bold(head)} · ${paint(word)}${fit(rest, Math.max(0, columns - head.length - word.length - 3))}`;
}

function groupLines(ledger: Ledger, { lines }: KnownRun, options: PageOptions): readonly string[] {
  const { columns, now, style } = options;
  const members = [...ledger.members.values()];
  const shown = (members.length <= membersMax ? members : members.filter(({ status }) => status !== 'completed')).slice(
    0,
    membersMax,
  );
  const widths = rowWidths(shown, columns);
  const more = members.length - shown.length;
  return [
    groupRow(ledger, options),
    ...shown.flatMap((member) => [
      memberRow(member, { widths, columns, now, style, line: lines.get(lineKey(ledger.name, member.id)) }),
      ...lastWords(member, options),
    ]),
    ...(more > 0 ? [style.dim(`    + ${count(more, 'more member')}`)] : []),
  ];
}

/** What a failed member wrote last: the further lines of its error. */
function lastWords({ status, error }: MemberRecord, { columns, style }: PageOptions): readonly string[] {
  if (status !== 'failed' || error === undefined) return [];
  return error.message
    .split('\n')
    .slice(1, 9)
    .map((line) => style.dim(fit(`      │ ${plainLine(line)}`, columns)));
}

/** Questions that wait for somebody, and how to answer. */
function gateLines(view: RunView, { columns, style, flag }: PageOptions): readonly string[] {
  return waitsFor(view).flatMap((one) => {
    if (one.type !== 'gate') return [];
    const whose = one.group === undefined ? '' : `${nameText(one.group)}: `;
    return [
      fit(`  ? ${whose}${nameText(one.gate)}  ${plainLine(one.question)}`, columns),
      `    ${style.cyan(nameText(`${one.command}${flag}`))}`,
    ];
  });
}

function endLines({ end }: RunView, { columns, style }: PageOptions): readonly string[] {
  switch (end?.status) {
    case undefined:
      return [];
    case 'completed':
      return ['', ...summarised(outputLines(end.output)).map((line) => fit(line, columns))];
    case 'failed':
      return [
        '',
        ...`failed: ${end.error.message}`.split('\n').map((line) => style.red(nameText(line))),
        ...placeOf(end.error).map((line) => style.dim(nameText(line))),
      ];
    case 'cancelled':
      return ['', style.yellow(`cancelled: ${plainLine(end.reason)}`)];
  }
}

/** Where the process function threw what nobody expected; what we say of its groups and inputs needs no place. */
function placeOf({ name, stack = '' }: PlainError): readonly string[] {
  const place = name === 'TroupeError' ? undefined : placeInStack(stack);
  return place === undefined ? [] : [`  at ${nearPath(place.file)}:${place.line}`];
}

function summarised(lines: readonly string[]): readonly string[] {
  if (lines.length <= outputLinesMax) return lines;
  return [...lines.slice(0, outputLinesMax), `… ${lines.length - outputLinesMax} more lines: troupe show --json`];
}

/** What to try next with this run. */
export function nextCommands(
  { id, status, entries }: Pick<RunView, 'id' | 'status' | 'entries'>,
  { flag, holder }: Pick<PageOptions, 'flag' | 'holder'>,
): readonly string[] {
  const name = `${id}${flag}`;
  if (status !== 'active') return [`npx troupe show ${name}`, `npx troupe log ${name}`, `npx troupe verify ${name}`];
  const log = holder === undefined || entries === 0 ? `npx troupe log ${name}` : `npx troupe log ${name} --follow`;
  return [...(holder === undefined ? [`npx troupe resume ${name}`] : []), log, `npx troupe cancel ${name}`];
}
