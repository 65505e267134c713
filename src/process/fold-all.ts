/** A recorded group folded in full: each part of its stream by the version that wrote it. */
import { definitionOf, type Definition } from '../group/definition.ts';
import type { GroupEvents } from '../group/entries.ts';
import { groupFold, type GroupFold } from '../group/fold.ts';
import type { GroupOptions } from '../group/group-context.ts';
import { migrationOf } from '../group/migrate.ts';
import { createdAs, refuseMismatch } from '../group/mismatch.ts';
import type { Entry } from '../journal/port.ts';

/** A group of a recorded run, folded to its end. */
export interface Replayed {
  readonly name: string;
  readonly fold: GroupFold;
  readonly entries: readonly Entry[];
  /** Recorded digests that the fold met. */
  readonly digests: number;
  /** Entries that were not folded, because the machine that wrote them, an older version, is not at hand. */
  readonly booked: number;
}

/** Folds it. Codes: NONDETERMINISM, GROUP_MISMATCH, JOURNAL_CORRUPT. */
export function foldAll(options: GroupOptions, entries: readonly Entry[]): Replayed {
  const { definition, name } = options;
  const [first] = entries;
  if (first === undefined) throw new Error(`group ${name} has no entries`);
  const migrations = entries.filter(({ type }) => type === 'group.migrated');
  if (migrations.length === 0) refuseMismatch(createdAs(first), options);
  let version = createdAs(first).machine.version;
  let from = 0;
  let digests = 0;
  let booked = 0;
  const digestsIn = (low: number, high: number) =>
    entries.filter(({ seq, fold }) => fold !== undefined && seq > low && seq <= high).length;
  // What stands before a takeover is the older version's, up to the digest that the takeover itself carries.
  for (const migration of migrations) {
    if (isAtHand(definition, version)) {
      const part = groupFold(definition, name, { foldsFrom: from });
      for (const entry of entries) if (entry.seq <= migration.seq) part.apply(entry);
      digests += digestsIn(from, migration.seq);
    } else booked += migration.seq - Math.max(1, from);
    version = (migration.data as unknown as GroupEvents['group.migrated']).to.version;
    from = migration.seq;
  }
  // To be taken over when it is opened next, and nobody can fold it until then.
  const isOnlyBooked = migrationOf(definition, version)?.events !== undefined && !isAtHand(definition, version);
  const fold = groupFold(definition, name, { foldsFrom: isOnlyBooked ? Number.POSITIVE_INFINITY : from });
  for (const entry of entries) fold.apply(entry);
  refuseMismatch(fold.ledger, options);
  const last = entries.at(-1)?.seq ?? 0;
  if (isOnlyBooked) booked += last - Math.max(0, from - 1);
  else digests += digestsIn(from, last);
  return { name, fold, entries, digests, booked };
}

/** Its entries booked in the ledger and folded by no machine: for whoever only wants to know what machine it is. */
export function bookAll({ definition, name }: GroupOptions, entries: readonly Entry[]): Replayed {
  const fold = groupFold(definition, name, { foldsFrom: Number.POSITIVE_INFINITY });
  for (const entry of entries) fold.apply(entry);
  return { name, fold, entries, digests: 0, booked: entries.length };
}

function isAtHand(definition: Definition, version: string): boolean {
  return definitionOf(definition, version).version === version;
}
