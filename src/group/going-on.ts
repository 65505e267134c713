/** Background members of a group that has ended: which of them still go on, by the entries since. */
import type { ActorKey, Address } from './effect.ts';

/** What of a member counts here. */
interface MemberStanding {
  readonly id: Address;
  readonly incarnation: number;
  readonly status: string;
}

/** What of the books counts here. */
interface Standing<Member extends MemberStanding> {
  readonly members: ReadonlyMap<Address, Member>;
  readonly goingOn: Set<Address>;
}

/** Those that have settled between the turn that ended the group and the entry that says so go on no more. */
export function stillOn({ members }: Standing<MemberStanding>): (key: ActorKey) => readonly Address[] {
  return ({ address, incarnation }) => {
    const record = members.get(address);
    const isSettled =
      record?.incarnation === incarnation && (record.status === 'completed' || record.status === 'failed');
    return isSettled ? [] : [address];
  };
}

/** It has settled, or is wanted no more. */
export function noLongerOn(ledger: Standing<MemberStanding>, record: MemberStanding): void {
  if (ledger.members.get(record.id) === record) ledger.goingOn.delete(record.id);
}

/** The group was cancelled after its end: who does not run any more goes on no more; of those under way it is said when they have ended. */
export function calledOff<Member extends MemberStanding>(ledger: Standing<Member>): readonly Member[] {
  const over: Member[] = [];
  for (const id of ledger.goingOn) {
    const record = ledger.members.get(id);
    if (record?.status === 'running') continue;
    ledger.goingOn.delete(id);
    if (record !== undefined) over.push(record);
  }
  return over;
}
