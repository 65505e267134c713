/** What the protocols of the machines that ship have in common. */
import type { JsonValue } from 'troupe';
import { fail, ok, outcomes } from 'troupe/check';
import type { OpenState, State } from './faulty.ts';

/** Members of the protocols. */
export const ids = ['a', 'b', 'c'];
/** As inputs name them. */
export const members = ids.map((id) => ({ id }));
/** What may go wrong in them. */
export const faults = { hostCrash: 1, duplicate: 1 } as const;
/** Each fares well, or badly. */
export const fine = { '*': outcomes(ok('fine'), fail('failed', 'bad')) };

/** What the machines keep, as far as faults read it. */
interface Kept {
  readonly [name: string]: unknown;
}
/** What a guard or an action of theirs is told. */
export interface Args {
  readonly context: Kept;
  readonly event: { readonly type: string; readonly actorId: string; readonly output: JsonValue };
}
/** What a state reacts to. */
export const on = (state: OpenState | undefined): Record<string, unknown> => state?.on ?? {};
/** The group completes. */
export const completes = (s: State<unknown>) => s.status === 'completed';
