/** How a member's record changes: by what the fold asks, and by what happens in the world. */
import { toJson, type JsonValue } from '../../json.ts';
import type { Effect } from '../../group/effect.ts';
import { retryDelayMs } from '../../group/retry.ts';
import type { Invocation } from '../../harness/port.ts';
import { textsOf } from '../kernel/texts.ts';
import type { Behaviours, MemberStep } from './behaviours.ts';
import { noRecord, released, withFlying, withGivenUp, withoutAt, type Change, type SlotRecord } from './slots.ts';

/** A named change. */
export interface NamedChange {
  readonly name: JsonValue;
  readonly change: Change;
}

/** What the world remembers. */
export interface WorldOptions {
  readonly behaviours: Behaviours;
  /** Attempts that were given up may tell after all. */
  readonly keepsGivenUp: boolean;
  readonly countsExecutions: boolean;
}

/** The changes of members' records. */
export interface World {
  ofEffect(effect: Effect): (NamedChange & { readonly address: string }) | undefined;
  /** The running attempt comes to this outcome. */
  ended(outcome: number): NamedChange;
  /** The result at `place` has been taken: the member is settled, or (a stale one) nothing else changes. */
  taken(place: number, isSettled: boolean): NamedChange;
  /** The result at `place` is one that is tried again. */
  retried(place: number, address: string): NamedChange;
  /** The group was told the result, and it is still on its way. */
  kept(isSettled: boolean): NamedChange;
  /** The result at `place` is lost. */
  lost(place: number): NamedChange;
  /** An attempt that was given up tells. */
  told(place: number): NamedChange;
  hostCrashed(address: string): NamedChange;
  /** The group has ended: nothing more comes of the member, and what it took is still known. */
  over(): NamedChange;
  /** What a member's machine did; `read`: by reading its next letter. */
  minded(step: MemberStep, read: boolean): NamedChange;
  sent(place: number): NamedChange;
  letterOf(id: number): JsonValue;
  invocationOf(id: number): Invocation;
  /** Is this failure one that is tried again by the invocation's own policy? */
  isRetried(record: SlotRecord, outcome: number): boolean;
}

/** Makes them. */
export function worldOf({ behaviours, keepsGivenUp, countsExecutions }: WorldOptions): World {
  const invocations = textsOf();
  invocations.idOf('null');
  const letters = textsOf();
  const parsed: Invocation[] = [];
  const invocationOf = (id: number) => (parsed[id] ??= JSON.parse(invocations.textOf(id)) as Invocation);

  /** Begins an attempt. */
  const begun = (record: SlotRecord, address: string): SlotRecord => {
    const executions = countsExecutions ? record.executions + 1 : 0;
    const running: SlotRecord = { ...record, executions, isRunning: true, mind: -1, read: 0, outbox: [] };
    const behaviour = behaviours.of(address);
    if (behaviour.steps === undefined) return running;
    const step = behaviours.begin(behaviour, invocationOf(record.invocation) as unknown as JsonValue);
    return acted(running, step);
  };
  const acted = (record: SlotRecord, { mind, sent, outcome }: MemberStep): SlotRecord => {
    const after: SlotRecord = { ...record, mind, outbox: [...record.outbox, ...sent] };
    return outcome === undefined ? after : endedBy(after, outcome);
  };
  const endedBy = (record: SlotRecord, outcome: number): SlotRecord => ({
    ...record,
    isRunning: false,
    mind: -1,
    flying: withFlying(record.flying, [record.incarnation, record.attempt, outcome]),
  });
  /** Gives up the wanted incarnation's attempt. */
  const stopped = (record: SlotRecord): SlotRecord => {
    const isUnderWay = record.isRunning || record.flying.some(([incarnation]) => incarnation === record.incarnation);
    const givenUp = keepsGivenUp && isUnderWay ? withGivenUp(record) : record.givenUp;
    // What the host holds of a stopped member's result, it throws away.
    const flying = record.flying.filter(([incarnation]) => incarnation !== record.incarnation);
    return { ...released({ ...record, flying, givenUp }), flying, givenUp };
  };

  /** The host knows of the invocation no more; what is on its way comes too late. */
  const settled = (record: SlotRecord): SlotRecord => ({
    ...released(record),
    givenUp: keepsGivenUp && record.isRunning ? withGivenUp(record) : record.givenUp,
  });

  return {
    ofEffect(effect) {
      if (effect.type === 'invoke') {
        const { address, incarnation, input } = effect;
        const invocation = invocations.idOf(JSON.stringify(toJson(input, 'input')));
        return {
          address,
          name: ['invoke', address, incarnation, invocation],
          change: (record) => begun({ ...released(record), incarnation, invocation, attempt: 1 }, address),
        };
      }
      if (effect.type === 'cancel') {
        const { address, incarnation } = effect;
        return {
          address,
          name: ['cancel', incarnation],
          change: (record) => (record.incarnation === incarnation ? stopped(record) : record),
        };
      }
      if (effect.type === 'deliver') {
        const { address, incarnation, from, event } = effect;
        if (behaviours.of(address).steps === undefined) return undefined;
        // A message of a member has an id of its own; here it would only tell states apart.
        const { id: _id, ...heard } = event;
        const letter = letters.idOf(JSON.stringify({ from, ...heard }));
        return {
          address,
          name: ['letter', incarnation, letter],
          change: (record) =>
            record.incarnation === incarnation ? { ...record, mail: [...record.mail, letter] } : record,
        };
      }
      return undefined;
    },
    ended: (outcome) => ({ name: ['ended', outcome], change: (record) => endedBy(record, outcome) }),
    taken: (place, isSettled) => ({
      name: ['taken', place, isSettled],
      change(record) {
        const without = { ...record, flying: withoutAt(record.flying, place) };
        return isSettled ? settled(without) : without;
      },
    }),
    kept: (isSettled) => ({ name: ['kept', isSettled], change: (record) => (isSettled ? settled(record) : record) }),
    retried: (place, address) => ({
      name: ['retried', place, address],
      change: (record) =>
        begun(
          {
            ...record,
            flying: withoutAt(record.flying, place),
            failures: record.failures + 1,
            attempt: record.attempt + 1,
          },
          address,
        ),
    }),
    lost: (place) => ({
      name: ['lost', place],
      change: (record) => ({ ...record, flying: withoutAt(record.flying, place) }),
    }),
    told: (place) => ({
      name: ['told', place],
      change: (record) => ({ ...record, givenUp: withoutAt(record.givenUp, place) }),
    }),
    hostCrashed: (address) => ({
      name: ['host crashed', address],
      change(record) {
        const { incarnation } = record;
        if (incarnation === 0) return { ...released(record), flying: [] };
        const givenUp = keepsGivenUp ? withGivenUp(record) : record.givenUp;
        const again = { ...record, flying: [], givenUp, outbox: [] };
        if (invocationOf(record.invocation).restartable ?? true)
          return begun({ ...again, attempt: record.attempt + 1 }, address);
        return endedBy({ ...again, flying: [] }, behaviours.interrupted);
      },
    }),
    over: () => ({ name: 'over', change: ({ executions }) => ({ ...noRecord, executions }) }),
    minded: (step, read) => ({
      name: ['minded', step.mind, [...step.sent], step.outcome ?? -1, read],
      change: (record) => acted(read ? { ...record, read: record.read + 1 } : record, step),
    }),
    sent: (place) => ({
      name: ['sent', place],
      change: (record) => ({ ...record, outbox: withoutAt(record.outbox, place) }),
    }),
    letterOf: (id) => JSON.parse(letters.textOf(id)) as JsonValue,
    invocationOf,
    isRetried(record, outcome) {
      const settling = behaviours.outcomeOf(outcome);
      if (settling.status === 'ok' || outcome === behaviours.interrupted) return false;
      const { retry } = invocationOf(record.invocation) ?? {};
      return retryDelayMs(retry, record.failures + 1, settling.class, '') !== undefined;
    },
  };
}
