/** A run as JSON: what `show --json` prints. Fields are added, never renamed. */
import { messageCount, type Ledger, type MemberRecord } from '../group/ledger.ts';
import type { JsonValue } from '../json.ts';
import type { PlainError } from '../harness/port.ts';
import type { Holder } from '../journal/port.ts';
import type { RunView } from '../process/run-view.ts';
import { waitsFor, type WaitsFor } from './waits-for.ts';

/** `{run, groups, waitsFor}`. Times are milliseconds since 1970. */
export interface RunJson {
  readonly run: {
    readonly id: string;
    readonly status: RunView['status'];
    readonly process: string | null;
    readonly file?: string;
    readonly input: JsonValue;
    readonly output?: JsonValue;
    readonly error?: PlainError;
    readonly reason?: string;
    readonly startedAt: number;
    readonly endedAt?: number;
    readonly entries: number;
    readonly epoch: number;
    /** Who drives it now; null when nobody does. Absent when that was not asked. */
    readonly holder?: Holder | null;
  };
  readonly groups: readonly {
    readonly name: string;
    readonly status: Ledger['status'];
    readonly machine: string;
    readonly members: readonly (Pick<MemberRecord, 'id' | 'status' | 'harness' | 'attempt'> & Partial<MemberRecord>)[];
    readonly checkpoints: readonly JsonValue[];
    readonly deadLetters: number;
    /** Recorded messages, one per recipient. */
    readonly messages: number;
    /** Gates, the last of each name; `answer` is absent while one is open. */
    readonly gates: readonly JsonValue[];
    readonly spend: Ledger['spend'];
    readonly output?: JsonValue;
    readonly error?: PlainError;
    readonly reason?: string;
  }[];
  /** The run's own gates (`ctx.breakpoint`). */
  readonly gates: readonly JsonValue[];
  readonly waitsFor: readonly WaitsFor[];
}

/** The run as JSON. */
export function runJson(view: RunView, holder?: Holder | null): RunJson {
  const { id, status, created, createdAt, endedAt, end, entries, epoch } = view;
  const shape = {
    run: {
      id,
      status,
      process: created?.process ?? null,
      file: created?.file,
      input: created?.input ?? null,
      ...ended(end),
      startedAt: createdAt,
      endedAt,
      entries,
      epoch,
      holder,
    },
    groups: [...view.groups.values()].map((ledger) => ({
      name: ledger.name,
      status: ledger.status,
      machine: ledger.machine.id,
      machineVersion: ledger.machine.version,
      members: [...ledger.members.values()],
      checkpoints: ledger.checkpoints,
      deadLetters: ledger.deadLetters,
      messages: messageCount(ledger),
      gates: [...ledger.gates.values()],
      spend: ledger.spend,
      ...ended(ledger.end),
    })),
    gates: [...view.gates.values()],
    waitsFor: waitsFor(view),
  };
  // Leaves out what is undefined: the fields marked `?` above.
  return JSON.parse(JSON.stringify(shape)) as RunJson;
}

type End = RunView['end'] | Ledger['end'];

function ended(end: End): { readonly output?: JsonValue; readonly error?: PlainError; readonly reason?: string } {
  switch (end?.status) {
    case undefined:
      return {};
    case 'completed':
      return { output: end.output };
    case 'failed':
      return { error: end.error };
    case 'cancelled':
      return { reason: end.reason };
  }
}
