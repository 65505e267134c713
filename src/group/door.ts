/** What an attempt asks of its group besides mail: that its agent's session be remembered, and that somebody approves. */
import { TroupeError } from '../error.ts';
import type { Attempt, GateAnswer, Question, Usage } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import { checkedData } from './checked-data.ts';
import type { ActorKey } from './effect.ts';
import type { Push } from './entries.ts';
import type { GroupFold } from './fold.ts';
import type { Gates } from './gates.ts';

/** The door of one attempt; see `Attempt` of the harness port. */
export interface Door {
  session(id: string, data?: JsonValue): Promise<void>;
  gate(question: Question): Promise<GateAnswer>;
  /** What earlier attempts left, as it was when the door was made. */
  previous(): {
    readonly session: string | undefined;
    readonly sessionData: JsonValue | undefined;
    readonly sessionSpent: Usage;
    readonly spent: Usage;
    readonly refused: Attempt['refusedOutput'];
  };
  /** The attempt has ended: whoever waits is sent away. */
  close(): void;
}

/** What {@link doorOf} needs. */
export interface DoorOptions {
  readonly context: { readonly payloadBytesMax: number };
  readonly member: ActorKey;
  readonly attempt: number;
  readonly harness: string;
  readonly fold: GroupFold;
  readonly gates: Gates;
  readonly push: Push;
}

/** Makes the door of an attempt. */
export function doorOf({ context, member, attempt, harness, fold, gates, push }: DoorOptions): Door {
  const { address, incarnation } = member;
  const { payloadBytesMax } = context;
  let isClosed = false;
  /** Sends those away who wait. */
  const leave = new Set<() => void>();

  const closed = () =>
    new TroupeError('CANCELLED', `attempt ${attempt} of member \`${address}\` has ended; it can ask for nothing more.`);

  const record = fold.ledger.members.get(address);
  const ours = record?.incarnation === incarnation ? record : undefined;
  const before = ours?.sessions?.find((one) => one.harness === harness);
  const previous = {
    session: before?.id,
    sessionData: before?.data,
    sessionSpent: { tokens: before?.tokens ?? 0, costUsd: before?.costUsd ?? 0 },
    spent: { tokens: ours?.spend.tokens ?? 0, costUsd: ours?.spend.costUsd ?? 0 },
    refused: ours?.refused,
  };

  return {
    async session(id, data) {
      if (isClosed) throw closed();
      const told = { session: id, ...(data === undefined ? {} : { data }) };
      const session = checkedData(told, `session of member \`${address}\``, payloadBytesMax) as unknown as typeof told;
      await new Promise<void>((resolve, reject) => {
        const lost = () => reject(closed());
        push('attempt.session', { member: address, incarnation, attempt, ...session }, resolve, lost);
      });
    },
    gate: (asked) =>
      new Promise((resolve, reject) => {
        if (isClosed) throw closed();
        const question = checkedData(
          asked,
          `question of member \`${address}\``,
          payloadBytesMax,
        ) as unknown as Question;
        const sentAway = () => {
          callOff();
          reject(closed());
        };
        const callOff = gates.ask(member, question, (answer) => {
          leave.delete(sentAway);
          resolve(answer);
        });
        leave.add(sentAway);
      }),
    previous: () => previous,
    close() {
      isClosed = true;
      for (const sentAway of leave) sentAway();
      leave.clear();
    },
  };
}
