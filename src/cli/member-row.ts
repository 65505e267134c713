/** One member, and one group, as a line of the terminal: shared by the live picture and by `troupe show`. */
import { messageCount, type Ledger, type MemberRecord, type MemberStatus } from '../group/ledger.ts';
import { plainLine } from '../harness/program/last-line.ts';
import type { Style } from './terminal.ts';
import { column, count, duration, fit, nameText, widthOf } from './text.ts';

/** A member's state in one character. */
const symbols: Readonly<Record<MemberStatus, string>> = {
  cancelled: '■',
  completed: '✓',
  failed: '✗',
  interrupted: '‖',
  queued: '·',
  running: '▶',
  waiting: '↻',
};

const paints: Readonly<Record<MemberStatus, keyof Style>> = {
  cancelled: 'yellow',
  completed: 'green',
  failed: 'red',
  interrupted: 'yellow',
  queued: 'dim',
  running: 'cyan',
  waiting: 'yellow',
};

/** Column widths that the members of one group share. */
export interface RowWidths {
  readonly id: number;
  readonly harness: number;
}

/** True when nothing more will come of the member. */
export function isSettled({ status }: MemberRecord): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Wide enough for these members, and not for ever. */
export function rowWidths(members: Iterable<MemberRecord>, columns: number): RowWidths {
  let id = 4;
  let harness = 7;
  for (const member of members) {
    id = Math.max(id, widthOf(nameText(member.id)));
    harness = Math.max(harness, widthOf(member.harness));
  }
  return { id: Math.min(id, Math.max(8, Math.floor(columns / 3))), harness: Math.min(harness, 16) };
}

/** `    src/a.ts  command  ✓ 41s     3 findings`, at most `columns` wide. `line` is fresher than the recorded one, if given. */
export function memberRow(
  member: MemberRecord,
  options: {
    readonly widths: RowWidths;
    readonly columns: number;
    readonly now: number;
    readonly style: Style;
    readonly line?: string | undefined;
  },
): string {
  const { widths, columns, now, style } = options;
  const paint = style[paints[member.status]];
  const left = `    ${column(nameText(member.id), widths.id)}  ${column(member.harness, widths.harness)}  `;
  const taken = member.startedAt === undefined ? '' : duration((member.endedAt ?? now) - member.startedAt);
  const state = column(`${symbols[member.status]} ${member.status === 'queued' ? '' : taken}`, 9);
  const cost = member.spend.costUsd > 0 ? `$${member.spend.costUsd.toFixed(2)}  ` : '';
  const room = columns - widthOf(left) - 9 - 1;
  const line = fit(cost + plainLine(lineOf(member, options.line, now)), room);
  return `${fit(left, columns)}${columns > widthOf(left) + 9 ? paint(state) : ''} ${member.status === 'failed' ? style.red(line) : style.dim(line)}`.trimEnd();
}

function lineOf(member: MemberRecord, line: string | undefined, now: number): string {
  const said = line ?? member.line ?? '';
  const told = (what: string) =>
    member.attempt > 1 ? `attempt ${member.attempt}${what === '' ? '' : `: ${what}`}` : what;
  switch (member.status) {
    case 'queued':
      return 'waits for a free place';
    case 'waiting':
      return `attempt ${member.attempt + 1} in ${duration((member.retryAt ?? now) - now)}: ${failureOf(member.error, '')}`;
    case 'failed':
      return told(failureOf(member.error, said));
    case 'interrupted':
      return 'its host stopped; it goes on after a resume';
    case 'cancelled':
    case 'completed':
    case 'running':
      return told(said);
  }
}

/** An error in one line: of a command its exit code and last line, not its long name. */
function failureOf(error: MemberRecord['error'], said: string): string {
  if (error === undefined) return said;
  const lines = error.message.split('\n');
  const code = /^EXIT_(\d+)$/.exec(error.code ?? '')?.[1];
  return code === undefined ? (lines[0] ?? '') : `exit code ${code}${lines.length > 1 ? `: ${lines.at(-1)}` : ''}`;
}

/** How many of a group's members have settled, and how many there are, as far as its stream tells. */
export function tally(ledger: Ledger): { readonly settled: number; readonly total: number } {
  let settled = 0;
  for (const member of ledger.members.values()) if (isSettled(member)) settled += 1;
  const checkpoint = ledger.checkpoints.at(-1);
  // A coordinator that lists its members in its input (as fan-out does) has not asked for all of them yet.
  const listed = (ledger.input as { readonly members?: unknown } | null)?.members;
  const total = Math.max(ledger.members.size, checkpoint?.total ?? 0, Array.isArray(listed) ? listed.length : 0);
  return { settled: Math.max(settled, checkpoint?.settled ?? 0), total };
}

/** `  reviewers  fan-out  2/3  ● checkpoint 1 (2 of 3)`. */
export function groupRow(
  ledger: Ledger,
  { columns, style }: { readonly columns: number; readonly style: Style },
): string {
  const { settled, total } = tally(ledger);
  const checkpoint = ledger.checkpoints.at(-1);
  const mark =
    checkpoint === undefined ? '' : `  ● ${nameText(checkpoint.name)} (${checkpoint.settled} of ${checkpoint.total})`;
  const status = ledger.status === 'active' ? '' : `  ${ledger.status}`;
  const why =
    ledger.end?.status === 'failed'
      ? `: ${ledger.end.error.message}`
      : ledger.end?.status === 'cancelled'
        ? `: ${ledger.end.reason}`
        : '';
  const dead = ledger.deadLetters === 0 ? '' : `  ${count(ledger.deadLetters, 'dead letter')}`;
  const cost = ledger.spend.costUsd > 0 ? `  $${ledger.spend.costUsd.toFixed(2)}` : '';
  const letters = messageCount(ledger) === 0 ? '' : `  ${count(messageCount(ledger), 'message')}`;
  const head = fit(`  ${fit(nameText(ledger.name), Math.max(8, columns - 30))}`, columns);
  const rest = fit(
    `  ${ledger.machine.id}  ${settled}/${total}${mark}${status}${plainLine(why)}${cost}${letters}${dead}`,
    columns - widthOf(head),
  );
  return `${style.bold(head)}${ledger.status === 'failed' ? style.red(rest) : rest}`;
}
