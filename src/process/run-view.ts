/** A run as its journal tells it, without process or machines: what `troupe show` prints. A fold over all entries. */
import type { Entry } from '../journal/port.ts';
import type { JsonValue } from '../json.ts';
import type { GroupEvents } from '../group/entries.ts';
import type { PlainError } from '../harness/port.ts';
import { emptyLedger, foldLedger, type GateRecord, type Ledger } from '../group/ledger.ts';

/** How a run stands: `active` while it has not ended, whether or not a host drives it now. */
export type RunStatus = 'active' | 'cancelled' | 'completed' | 'failed';

/** Data of `run.ended`. */
export type RunEnd =
  | { readonly status: 'completed'; readonly output: JsonValue }
  | { readonly status: 'failed'; readonly error: PlainError }
  | { readonly status: 'cancelled'; readonly reason: string };

/** Data of `run.created`. */
export interface RunCreated {
  readonly process: string;
  /** The process file, as given to the command line; absent when started through the API. */
  readonly file?: string;
  /** The folder of commands without one of their own: relative to the one that holds the data folder, or absolute. */
  readonly cwd?: string;
  readonly input: JsonValue;
  readonly engine: string;
}

/** A run, folded. Owned by whoever folds it: {@link foldRun} changes it in place. */
export interface RunView {
  readonly id: string;
  status: RunStatus;
  created: RunCreated | undefined;
  createdAt: number;
  endedAt: number | undefined;
  end: RunEnd | undefined;
  cancelReason: string | undefined;
  entries: number;
  epoch: number;
  groups: Map<string, Ledger>;
  /** The run's own gates (`ctx.breakpoint`), by name. */
  gates: Map<string, GateRecord>;
}

/** A run of which nothing is known yet. */
export function emptyRun(id: string): RunView {
  return {
    id,
    status: 'active',
    created: undefined,
    createdAt: 0,
    endedAt: undefined,
    end: undefined,
    cancelReason: undefined,
    entries: 0,
    epoch: 0,
    groups: new Map(),
    gates: new Map(),
  };
}

/** Folds one entry into `view`. */
export function foldRun(view: RunView, entry: Entry): void {
  view.entries += 1;
  view.epoch = entry.epoch;
  if (entry.stream.startsWith('group:')) {
    const name = entry.stream.slice('group:'.length);
    let ledger = view.groups.get(name);
    if (ledger === undefined) {
      ledger = emptyLedger(name);
      view.groups.set(name, ledger);
    }
    foldLedger(ledger, entry);
  } else if (entry.type === 'run.created') {
    view.created = entry.data as unknown as RunCreated;
    view.createdAt = entry.at;
  } else if (entry.type === 'gate.opened') {
    const opened = entry.data as unknown as Pick<GateRecord, 'data' | 'name' | 'question'>;
    view.gates.set(opened.name, { ...opened, openedAt: entry.at, answer: undefined });
  } else if (entry.type === 'gate.answered') {
    const { name, ...answer } = entry.data as unknown as GroupEvents['gate.answered'];
    const gate = view.gates.get(name);
    if (gate !== undefined) gate.answer = { ...answer, at: entry.at };
  } else if (entry.type === 'run.cancelled') {
    view.cancelReason = (entry.data as { readonly reason: string }).reason;
  } else if (entry.type === 'run.ended') {
    view.end = entry.data as unknown as RunEnd;
    view.status = view.end.status;
    view.endedAt = entry.at;
  }
}
