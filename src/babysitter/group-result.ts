/** What a group's effect is resolved with: how it ended, and whose end it is, so that no process takes another group's result for its own. */
import type { GroupEnd } from '../group/effect.ts';
import type { PlainError } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';

/** How a group ended, as its process is told when it asks for the failure as a value. */
export type GroupOutcome<Output> =
  | { readonly status: 'completed'; readonly output: Output }
  | { readonly status: 'failed'; readonly error: PlainError }
  | { readonly status: 'cancelled'; readonly reason: string };

/** What a group is, beside its end. */
export interface GroupAbout {
  readonly group: string;
  readonly groupId: string;
  readonly inputHash: string;
  /** The group's own journal, relative to the run directory. */
  readonly journal: string;
}

/** A group's result, as it stands in `result.json`. */
export type GroupResult = GroupAbout & GroupEnd;

/** The group's own journal, relative to the run directory. */
export function journalOf(groupId: string): string {
  return `troupe/runs/${groupId}`;
}

/** The same as plain JSON. */
export function resultJson(about: GroupAbout, end: GroupEnd): { readonly [field: string]: JsonValue } {
  return { ...about, ...end } as unknown as { readonly [field: string]: JsonValue };
}

/** A value as a group's result: itself, or what a program printed of it. Undefined for anything else. */
export function resultIn(value: unknown): GroupResult | undefined {
  if (typeof value === 'string') {
    try {
      return resultIn(JSON.parse(value));
    } catch {
      return undefined;
    }
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { groupId, group, inputHash, status, stdout, value: inner } = value as Readonly<Record<string, unknown>>;
  if (typeof groupId === 'string' && typeof group === 'string' && typeof inputHash === 'string' && isEnd(status))
    return value as GroupResult;
  return resultIn(stdout) ?? resultIn(inner);
}

const isEnd = (status: unknown) => status === 'completed' || status === 'failed' || status === 'cancelled';
