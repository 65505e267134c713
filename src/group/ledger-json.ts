/** The ledger as JSON and back, for snapshots. */
import type { JsonValue } from '../json.ts';
import { emptyLedger, type GateRecord, type Ledger, type MemberRecord } from './ledger.ts';
import { IdSet, Recipients } from './noted.ts';
import type { WorktreeRecord } from './worktree-record.ts';

/** The ledger as JSON, for snapshots. */
export function ledgerToJson(ledger: Ledger): JsonValue {
  const members = Array.from(ledger.members.values(), (record) => ({ ...record, failed: [...record.failed] }));
  const plain = {
    ...ledger,
    members,
    goingOn: [...ledger.goingOn],
    worktrees: Array.from(ledger.worktrees, ([key, record]) => [key, { ...record }]),
    strays: [...ledger.strays],
    checkpoints: [...ledger.checkpoints],
    signals: [...ledger.signals],
    messages: [...ledger.messages],
    gates: Array.from(ledger.gates.values(), (gate) => ({ ...gate })),
    warned: [...ledger.warned],
  };
  // Copied as deep as it is changed in place; the rest is JSON. What is undefined is left out when it is written.
  return plain as unknown as JsonValue;
}

/** The ledger that {@link ledgerToJson} wrote. */
export function ledgerFromJson(json: JsonValue): Ledger {
  // Written by us, guarded by the snapshot's checksum and maker. Copied as deep as it is changed in place.
  const plain = json as unknown as Omit<
    Ledger,
    'gates' | 'goingOn' | 'warned' | 'worktrees' | 'members' | 'messages' | 'signals'
  > & {
    readonly messages: readonly (readonly [string, readonly string[]])[];
    readonly gates: readonly GateRecord[];
    readonly warned: readonly string[];
    readonly members: readonly MemberRecord[];
    readonly signals: readonly string[];
    /** Absent in those of older versions, as is the next. */
    readonly goingOn?: readonly string[];
    readonly worktrees?: readonly (readonly [string, WorktreeRecord])[];
  };
  return {
    ...emptyLedger(plain.name),
    ...plain,
    members: new Map(plain.members.map((record) => [record.id, { ...record, failed: [...record.failed] }])),
    goingOn: new Set(plain.goingOn),
    worktrees: new Map((plain.worktrees ?? []).map(([key, record]) => [key, { ...record }])),
    strays: [...plain.strays],
    checkpoints: [...plain.checkpoints],
    signals: new IdSet(plain.signals),
    messages: new Recipients(plain.messages),
    warned: new Set(plain.warned),
    gates: new Map(plain.gates.map((gate) => [gate.name, { ...gate }])),
  };
}
