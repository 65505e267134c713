/** Names of worktrees: made of run, group and member alone, so that one is found again whatever the journal says of it. */
import { createHash } from 'node:crypto';
import type { WorktreeOf } from './port.ts';

const lengthMax = 40;

/**
 * Part of a branch and of a path: lower-case letters, digits, `_` and `-` stay; a text with anything else gets a hash of itself behind what is
 * left of it, so that two texts never share a part.
 */
function part(text: string): string {
  const kept = text.replaceAll(/[^a-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  if (kept === text && text.length <= lengthMax) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 10);
  return `${kept.slice(0, lengthMax) || 'x'}.${hash}`;
}

/** The member's parts: run, group, member; a later incarnation is told apart. */
export function partsOf({ run, group, member, incarnation }: WorktreeOf): readonly [string, string, string] {
  return [part(run), part(group), incarnation === 1 ? part(member) : `${part(member)}.again-${incarnation}`];
}

/** Branch of a member's worktree: `troupe/<run>/<group>/<member>`, safe for git and for file systems. */
export function worktreeBranch(
  of: Pick<WorktreeOf, 'group' | 'member' | 'run'> & { readonly incarnation?: number },
): string {
  return ['troupe', ...partsOf({ incarnation: 1, ...of })].join('/');
}
