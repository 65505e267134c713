import { assertJson, canonical, type JsonValue } from '../../json.ts';
import { asked } from '../checkable.ts';
import { deepFreeze } from '../kernel/freeze.ts';
import { PairMap } from '../engine/pair-map.ts';
import { textsOf } from '../kernel/texts.ts';
import type { Rewriter } from './renamed-state.ts';
import type { Envelope, History } from './history.ts';
import { envelopeAt, type Tables } from './look.ts';
import type { Records } from './space.ts';

/** Histories by number, and back. */
export interface RecordTable<Record> extends Records {
  recordOf(id: number): Record;
  /** A predicate that is asked once for each history. Code: BAD_INPUT. */
  memoised(name: string, holds: (record: Record) => boolean, rewriters: readonly Rewriter[]): (id: number) => boolean;
  count(): number;
  textOf(id: number): string;
}

/** The table of a model's histories. */
export function recordsOf<Record extends JsonValue>(
  { initial, sent, delivered }: History<Record>,
  tables: Tables,
): RecordTable<Record> {
  const texts = textsOf();
  const records: Record[] = [];
  const idOf = (record: Record): number => {
    assertJson(record, 'history');
    const id = texts.idOf(canonical(record));
    if (id === records.length) records.push(deepFreeze(record));
    return id;
  };
  const memo = (change: ((record: Record, envelope: Envelope) => Record) | undefined) => {
    const known = new PairMap();
    return (record: number, envelope: number): number => {
      if (change === undefined) return record;
      let next = known.get(record, envelope);
      if (next < 0) {
        next = idOf(change(records[record] as Record, envelopeAt(tables, envelope)));
        known.set(record, envelope, next);
      }
      return next;
    };
  };
  return {
    initial: idOf(initial),
    sent: memo(sent),
    delivered: memo(delivered),
    recordOf: (id) => records[id] as Record,
    memoised(name, holds, rewriters) {
      const verdicts: boolean[] = [];
      const askedOf = (record: Record) => asked(name, holds, record, () => rewriters.map(({ data }) => data(record)));
      return (id) => (verdicts[id] ??= askedOf(records[id] as Record));
    },
    count: () => records.length,
    textOf: (id) => texts.textOf(id),
  };
}
