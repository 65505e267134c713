import { pathPart } from './address.ts';
import type { ActorKey } from './effect.ts';

/**
 * The idempotency key of one attempt (G4): `<run>/<group>/<member>#<incarnation>/<attempt>`. A slash in the group's name is written `%2F`:
 * member `b/c` of group `a` is not member `c` of group `a/b`.
 */
export function attemptKey(run: string, group: string, { address, incarnation }: ActorKey, attempt: number): string {
  return `${run}/${pathPart(group)}/${address}#${incarnation}/${attempt}`;
}
