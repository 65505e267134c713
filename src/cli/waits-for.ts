/** What a run waits for, as far as its journal tells. */
import type { MemberStatus } from '../group/ledger.ts';
import type { RunView } from '../process/run-view.ts';
import { openGatesOf, type OpenGate } from '../process/unattended.ts';
import { quoted } from './quoted.ts';
import { count, nameText } from './text.ts';

/** A member that has not settled, or the process function itself (a sleep, or code between groups). */
export type WaitsFor =
  | { readonly type: 'member'; readonly group: string; readonly member: string; readonly status: MemberStatus }
  | { readonly type: 'group'; readonly group: string }
  /** An approval; `group` is absent for a gate of the run's own. `command` answers it. */
  | {
      readonly type: 'gate';
      readonly group?: string;
      readonly gate: string;
      readonly question: string;
      readonly command: string;
    }
  | { readonly type: 'process' };

/** In the order of the journal; empty for a run that has ended. */
export function waitsFor(view: RunView): readonly WaitsFor[] {
  if (view.end !== undefined) return [];
  const gates = openGatesOf(view);
  const found: WaitsFor[] = gates.map(({ name: gate, question, group }) => ({
    type: 'gate',
    ...(group === undefined ? {} : { group }),
    gate,
    // What a machine computes may have been left out.
    question: (question as string | undefined) ?? '',
    command: approveCommand(view.id, { name: gate, group }, gates),
  }));
  for (const ledger of view.groups.values()) {
    if (ledger.status !== 'active' && ledger.goingOn.size === 0) continue;
    const open = [...ledger.members.values()].filter(
      ({ id, status }) =>
        status !== 'completed' &&
        status !== 'failed' &&
        status !== 'cancelled' &&
        (ledger.status === 'active' || ledger.goingOn.has(id)),
    );
    if (open.length === 0 && !gates.some(({ group }) => group === ledger.name))
      found.push({ type: 'group', group: ledger.name });
    for (const { id, status } of open) found.push({ type: 'member', group: ledger.name, member: id, status });
  }
  return found.length === 0 ? [{ type: 'process' }] : found;
}

/** What to type to approve a gate; its group where `open` has several of its name. */
export function approveCommand(
  run: string,
  { name, group }: Pick<OpenGate, 'group' | 'name'>,
  open: readonly Pick<OpenGate, 'name'>[],
): string {
  const isOneOfMany = group !== undefined && open.filter((one) => one.name === name).length > 1;
  return `npx troupe approve ${run} ${quoted(name)}${isOneOfMany ? ` --group ${quoted(group)}` : ''}`;
}

const namedMax = 5;

/** The same in words: `src/c.ts (running), + 3 members`. */
export function waitsForText(view: RunView): string {
  const all = waitsFor(view);
  const words = all.slice(0, namedMax).map((one) => {
    if (one.type === 'process') return 'the process itself';
    if (one.type === 'gate') return `an answer at gate ${one.gate}`;
    return one.type === 'group' ? `a timer or a signal of group ${one.group}` : `${one.member} (${one.status})`;
  });
  return nameText(
    [...words, ...(all.length > namedMax ? [`and ${count(all.length - namedMax, 'more member')}`] : [])].join(', '),
  );
}
