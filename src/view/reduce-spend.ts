/** What attempts spend, as the viewer counts it: as the host's ledger does, no usage twice. */
import type { Draft } from 'immer';
import { addSpend, type Spend } from '../group/budget.ts';
import type { GroupState, MemberState } from './model.ts';

type Group = Draft<GroupState>;
type Member = Draft<MemberState>;
type Told = { readonly tokens?: number; readonly costUsd?: number } | undefined;

/** What an attempt that ends has spent: its time, and of its usage what it has not told before. */
export function charge(group: Group, member: Member, usage: Told, atMs: number): void {
  const isRunning = member.status === 'running';
  if (!isRunning && usage === undefined) return;
  spend(group, member, usage, isRunning ? Math.max(0, atMs - (member.startedMs ?? atMs)) : 0);
}

/** What it tells on the way, in all. */
export function spend(group: Group, member: Member, usage: Told, wallMs: number): void {
  const tokens = Math.max(0, (usage?.tokens ?? 0) - member.told.tokens);
  const costUsd = Math.max(0, (usage?.costUsd ?? 0) - member.told.costUsd);
  const spent: Partial<Spend> = { wallMs, tokens, costUsd };
  member.spend = addSpend(member.spend, spent);
  group.spend = addSpend(group.spend, spent);
  member.told = { tokens: member.told.tokens + tokens, costUsd: member.told.costUsd + costUsd };
}

/** What comes late, of an earlier incarnation, has cost the group something all the same. */
export function spendLate(group: Group, usage: Told): void {
  if (usage !== undefined)
    group.spend = addSpend(group.spend, { tokens: usage.tokens ?? 0, costUsd: usage.costUsd ?? 0 });
}
