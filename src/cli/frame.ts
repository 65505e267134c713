/** The live picture of a run, as lines: pure, so that it can be looked at in tests. */
import type { Ledger, MemberRecord } from '../group/ledger.ts';
import { lineKey, type KnownRun } from './known-run.ts';
import { groupRow, isSettled, memberRow, rowWidths, tally } from './member-row.ts';
import { plainLine } from '../harness/program/last-line.ts';
import { openGatesOf } from '../process/unattended.ts';
import { approveCommand } from './waits-for.ts';
import type { Style } from './terminal.ts';
import { duration, fit, nameText } from './text.ts';

/** What a frame is made of. */
export interface FrameOptions {
  readonly known: Pick<KnownRun, 'lines' | 'view'>;
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
  /** Stands behind the run's name: `stopping …`. */
  readonly note?: string | undefined;
  /** Added to the commands that are suggested. */
  readonly flag: string;
}

/** `run 7k2f · review · 12s`, a line per group, a line per member; at most `rows` lines of at most `columns` columns. */
export function frameOf(options: FrameOptions): readonly string[] {
  const { known, now, columns, rows, style, note, flag } = options;
  const { view, lines: said } = known;
  const taken = duration((view.endedAt ?? now) - view.createdAt);
  const head = `run ${view.id} · ${view.created?.process ?? '…'}`;
  const first = fit(`${head} · ${taken}${note === undefined ? '' : `  ${note}`}`, columns);
  const lines = [style.bold(first.slice(0, head.length)) + first.slice(head.length)];
  const shares = share([...view.groups.values()], rows - 1);
  for (const { ledger, shown } of shares.groups) {
    lines.push(groupRow(ledger, options));
    if (shown.size === 0) continue;
    const widths = rowWidths(ledger.members.values(), columns);
    for (const member of ledger.members.values()) {
      if (!shown.has(member)) continue;
      lines.push(memberRow(member, { widths, columns, now, style, line: said.get(lineKey(ledger.name, member.id)) }));
    }
    const more = restOf(ledger, shown);
    if (more !== '' && ledger.status === 'active') lines.push(style.dim(fit(`    + ${more}`, columns)));
  }
  const gates = openGatesOf(view);
  for (const { name, question, group } of gates) {
    lines.splice(
      1,
      0,
      style.yellow(
        fit(
          `  ? ${group === undefined ? '' : `${nameText(group)}: `}${nameText(name)}  ${plainLine(question)}  ${nameText(approveCommand(view.id, { name, group }, gates))}${flag}`,
          columns,
        ),
      ),
    );
  }
  if (shares.hidden > 0) lines.push(style.dim(fit(`  + ${shares.hidden} more groups`, columns)));
  return lines.slice(0, Math.max(1, rows));
}

interface Share {
  readonly ledger: Ledger;
  readonly shown: ReadonlySet<MemberRecord>;
}

/** Who is shown in `rows` rows: everybody, if there is room; else running and recent members of groups that have not ended. */
function share(
  groups: readonly Ledger[],
  rows: number,
): { readonly groups: readonly Share[]; readonly hidden: number } {
  // A line for the group, one for each member, one for those to come.
  const all = groups.reduce((sum, { members, status }) => sum + 1 + members.size + (status === 'active' ? 1 : 0), 0);
  if (all <= rows)
    return { groups: groups.map((ledger) => ({ ledger, shown: new Set(ledger.members.values()) })), hidden: 0 };

  const active = groups.filter(({ status }) => status === 'active');
  const ended = groups.filter(({ status }) => status !== 'active');
  const roomForEnded = Math.max(0, rows - 1 - active.length * 2);
  const kept = new Set([
    ...active.slice(-Math.max(1, rows - 1)),
    ...(roomForEnded === 0 ? [] : ended.slice(-roomForEnded)),
  ]);
  const hidden = groups.length - kept.size;
  const keptActive = active.filter((ledger) => kept.has(ledger));
  const budget = rows - kept.size - keptActive.length - (hidden > 0 ? 1 : 0);

  const chosen = new Map(keptActive.map((ledger) => [ledger, new Set<MemberRecord>()]));
  for (const { ledger, member } of foremost(keptActive, budget)) chosen.get(ledger)?.add(member);
  const shown = groups
    .filter((ledger) => kept.has(ledger))
    .map((ledger) => ({ ledger, shown: chosen.get(ledger) ?? new Set<MemberRecord>() }));
  return { groups: shown, hidden };
}

interface Ranked {
  readonly ledger: Ledger;
  readonly member: MemberRecord;
  readonly rank: number;
}

/** The `count` members of highest rank: one pass, for there may be ten thousand, ten times a second. */
function foremost(ledgers: readonly Ledger[], count: number): readonly Ranked[] {
  const best: Ranked[] = [];
  if (count <= 0) return best;
  for (const ledger of ledgers) {
    for (const member of ledger.members.values()) {
      const rank = rankOf(member);
      if (best.length === count && rank <= (best.at(-1)?.rank ?? 0)) continue;
      const at = best.findIndex((other) => other.rank < rank);
      best.splice(at === -1 ? best.length : at, 0, { ledger, member, rank });
      if (best.length > count) best.pop();
    }
  }
  return best;
}

/** Running ones first, then those that back off, then the latest to end, then those that wait for a place. */
function rankOf(member: MemberRecord): number {
  if (member.status === 'running') return 4e15;
  if (member.status === 'waiting' || member.status === 'interrupted') return 3e15;
  return member.endedAt ?? 0;
}

/** Those that are not shown: `12 more (9 settled, 3 under way or queued), 5 to come`; empty when there are none. */
function restOf(ledger: Ledger, shown: ReadonlySet<MemberRecord>): string {
  const hidden = [...ledger.members.values()].filter((member) => !shown.has(member));
  const settled = hidden.filter(isSettled).length;
  const toCome = tally(ledger).total - ledger.members.size;
  const kinds = [
    ...(settled > 0 ? [`${settled} settled`] : []),
    ...(hidden.length > settled ? [`${hidden.length - settled} under way or queued`] : []),
  ];
  const parts = [
    ...(hidden.length > 0 ? [`${hidden.length} more (${kinds.join(', ')})`] : []),
    ...(toCome > 0 ? [`${toCome} to come`] : []),
  ];
  return parts.join(', ');
}
