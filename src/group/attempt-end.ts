/** Records that an attempt has ended, and what it used: kept free until then, counted from then on. */
import type { Outcome, Usage } from '../harness/port.ts';
import type { GroupEvents, Push } from './entries.ts';
import type { Living } from './living.ts';
import type { Permits } from './permits.ts';

/** Entries that end an attempt. */
type EndType = 'attempt.cancelled' | 'attempt.failed' | 'member.settled';

/** Records an end; `applied` is called when it is durable and folded. */
export type PushEnd = <Type extends EndType>(
  member: Living,
  type: Type,
  data: GroupEvents[Type],
  applied?: () => void,
) => void;

/** An outcome that says nothing of what was used, with what the attempt has told of it. */
export function withTold(outcome: Outcome, told: Usage | undefined): Outcome {
  return outcome.usage === undefined && told !== undefined ? { ...outcome, usage: told } : outcome;
}

const usageOf = (end: { readonly usage?: Usage } | Pick<GroupEvents['member.settled'], 'outcome'>) =>
  'outcome' in end ? end.outcome.usage : end.usage;

/** Records ends of attempts of a group. */
export function pushEndOf(push: Push, permits: Permits): PushEnd {
  return (member, type, data, applied) => {
    const usage = usageOf(data);
    const booked = permits.over(member, usage);
    const over = () => {
      booked();
      if (usage !== undefined) permits.spent();
      applied?.();
    };
    push(type, data, over, booked);
  };
}
