/** Attempts that an earlier host began and nobody wants any longer: ended and recorded, so that nothing dangles. */
import type { ActorKey } from './effect.ts';
import type { Push } from './entries.ts';
import type { Ledger, StrayAttempt } from './ledger.ts';

/** What {@link endLeftovers} needs. */
export interface LeftoversOptions {
  readonly ledger: Ledger;
  isWanted(key: ActorKey): boolean;
  /** Ends what an attempt has left running, then calls back, however that went. */
  sweep(left: StrayAttempt, done: () => void): void;
  readonly push: Push;
}

/** Sweeps what runs, and records the end of it and of what waited to run. */
export function endLeftovers({ ledger, isWanted, sweep, push }: LeftoversOptions): void {
  const end = ({ member, incarnation, attempt }: StrayAttempt) =>
    push('attempt.cancelled', { member, incarnation, attempt, reason: 'no longer wanted' });
  for (const stray of ledger.strays) sweep(stray, () => end(stray));
  for (const { id: member, incarnation, attempt, harness, status } of ledger.members.values()) {
    if (isWanted({ address: member, incarnation })) continue;
    const left = { member, incarnation, attempt, harness };
    if (status === 'running') sweep(left, () => end(left));
    else if (status === 'queued' || status === 'waiting' || status === 'interrupted') end(left);
  }
}
