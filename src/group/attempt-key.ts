import type { ActorKey } from './effect.ts';

/** The idempotency key of one attempt (G4): `<run>/<group>/<member>#<incarnation>/<attempt>`. */
export function attemptKey(run: string, group: string, { address, incarnation }: ActorKey, attempt: number): string {
  return `${run}/${group}/${address}#${incarnation}/${attempt}`;
}
