/** What a run waits for, as far as its journal tells. */
import type { MemberStatus } from '../group/ledger.ts';
import type { RunView } from '../process/run-view.ts';
import { count } from './text.ts';

/** A member that has not settled, or the process function itself (a sleep, or code between groups). */
export type WaitsFor =
  | { readonly type: 'member'; readonly group: string; readonly member: string; readonly status: MemberStatus }
  | { readonly type: 'group'; readonly group: string }
  | { readonly type: 'process' };

/** In the order of the journal; empty for a run that has ended. */
export function waitsFor(view: RunView): readonly WaitsFor[] {
  if (view.end !== undefined) return [];
  const found: WaitsFor[] = [];
  for (const ledger of view.groups.values()) {
    if (ledger.status !== 'active') continue;
    const open = [...ledger.members.values()].filter(
      ({ status }) => status !== 'completed' && status !== 'failed' && status !== 'cancelled',
    );
    if (open.length === 0) found.push({ type: 'group', group: ledger.name });
    for (const { id, status } of open) found.push({ type: 'member', group: ledger.name, member: id, status });
  }
  return found.length === 0 ? [{ type: 'process' }] : found;
}

const namedMax = 5;

/** The same in words: `src/c.ts (running), + 3 members`. */
export function waitsForText(view: RunView): string {
  const all = waitsFor(view);
  const words = all.slice(0, namedMax).map((one) => {
    if (one.type === 'process') return 'the process itself';
    return one.type === 'group' ? `a timer or a signal of group ${one.group}` : `${one.member} (${one.status})`;
  });
  return [...words, ...(all.length > namedMax ? [`and ${count(all.length - namedMax, 'more member')}`] : [])].join(
    ', ',
  );
}
