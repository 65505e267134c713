/**
 * What the world knows of one member: its attempt, results on their way, letters. One integer of the vector stands for all of it;
 * every change is worked out once for each (record, change).
 */
import { canonical, type JsonValue } from '../../json.ts';
import { PairMap } from '../engine/pair-map.ts';
import { textsOf } from '../kernel/texts.ts';

/** A result on its way: incarnation, attempt, and number of the outcome. */
export type Flying = readonly [incarnation: number, attempt: number, outcome: number];

/** A member's record. A type, not an interface, so that it is JSON. */
export type SlotRecord = {
  /** The incarnation that is wanted and unsettled; 0: none. */
  readonly incarnation: number;
  /** Number of its invocation; 0 when there is none. */
  readonly invocation: number;
  readonly attempt: number;
  /** An attempt is under way. */
  readonly isRunning: boolean;
  /** Failures of its own, which retries count. */
  readonly failures: number;
  /** Attempts begun; counted only where a bound is asked for. */
  readonly executions: number;
  readonly flying: readonly Flying[];
  /** Attempts that were given up and may still tell; kept only where that is a fault to be tried. */
  readonly givenUp: readonly (readonly [incarnation: number, attempt: number])[];
  /** Local state of the member's machine; -1: it has none. */
  readonly mind: number;
  /** Numbers of all letters of this incarnation, and how many this attempt has read. */
  readonly mail: readonly number[];
  readonly read: number;
  /** Numbers of its messages that are not recorded yet. */
  readonly outbox: readonly number[];
};

/** The record of a member that nobody knows of. */
export const noRecord: SlotRecord = {
  incarnation: 0,
  invocation: 0,
  attempt: 0,
  isRunning: false,
  failures: 0,
  executions: 0,
  flying: [],
  givenUp: [],
  mind: -1,
  mail: [],
  read: 0,
  outbox: [],
};

/** A change of a record, made the same way each time. */
export type Change = (record: SlotRecord) => SlotRecord;

/** Records and changes by number; record 0 is {@link noRecord}. */
export interface Slots {
  recordOf(id: number): SlotRecord;
  textOf(id: number): string;
  /** The number of a change; equal names are equal changes. */
  changeOf(name: JsonValue, change: Change): number;
  apply(record: number, change: number): number;
  idOf(record: SlotRecord): number;
  readonly size: number;
}

/** An empty table of records. */
export function slotsOf(): Slots {
  const texts = textsOf();
  const names = textsOf();
  const records: SlotRecord[] = [];
  const changes: Change[] = [];
  const memo = new PairMap();
  const idOf = (record: SlotRecord): number => {
    const id = texts.idOf(canonical(record));
    if (id === records.length) records.push(record);
    return id;
  };
  idOf(noRecord);
  return {
    recordOf: (id) => records[id] as SlotRecord,
    textOf: (id) => texts.textOf(id),
    changeOf(name, change) {
      const id = names.idOf(canonical(name));
      if (id === changes.length) changes.push(change);
      return id;
    },
    apply(record, change) {
      const known = memo.get(record, change);
      if (known >= 0) return known;
      const next = idOf((changes[change] as Change)(records[record] as SlotRecord));
      memo.set(record, change, next);
      return next;
    },
    idOf,
    get size() {
      return records.length;
    },
  };
}

/** Without the wanted incarnation: what else is known of the member stays. */
export function released(record: SlotRecord): SlotRecord {
  const { flying, givenUp, executions } = record;
  return { ...noRecord, flying, givenUp, executions };
}

/** With another result on its way, in the one order that equal ones have. */
export function withFlying(flying: readonly Flying[], one: Flying): readonly Flying[] {
  return [...flying, one].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
}

/** Without the result at `place`. */
export function withoutAt<Item>(items: readonly Item[], place: number): readonly Item[] {
  return items.filter((_item, index) => index !== place);
}

/** With another attempt given up. */
export function withGivenUp(record: SlotRecord): SlotRecord['givenUp'] {
  const { givenUp, incarnation, attempt } = record;
  return [...givenUp, [incarnation, attempt] as const].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}
