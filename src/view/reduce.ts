/**
 * The ledger of the viewer: a run's entries folded into a {@link ViewState}. One function that writes into what it is
 * given: an immer draft where patches are wanted, a batch of them where only keyframes are.
 */
import type { Draft } from 'immer';
import type { Entry } from '../journal/port.ts';
import type { GroupEvents } from '../group/entries.ts';
import type { RunCreated, RunEnd } from '../process/run-view.ts';
import { reduceJudged, unjudged } from './judged.ts';
import { keyFor } from './key.ts';
import type { ViewState } from './model.ts';
import { answer, gate } from './reduce-gates.ts';
import { emptyGroup, endAttempt, endText, reduceGroup, short } from './reduce-group.ts';

/** A run of which nothing is known yet. */
export function emptyView(id: string): ViewState {
  return {
    position: 0,
    atMs: 0,
    run: { id, process: '', status: 'active', createdMs: 0, end: '', epoch: 0 },
    groups: {},
    gates: {},
    judged: unjudged,
  };
}

type State = Draft<ViewState>;

/** Folds one entry, the `position`-th of the run, into `state`. Unknown types only move the cursor. */
export function reduce(state: State, position: number, entry: Entry): void {
  state.position = position;
  state.atMs = entry.at;
  if (entry.epoch > state.run.epoch) state.run.epoch = entry.epoch;
  reduceJudged(state.judged, position, entry);
  if (entry.stream === 'run') reduceRun(state, position, entry);
  else if (entry.stream.startsWith('group:')) reduceGroup(groupAt(state, entry.stream), position, entry);
}

/** The group of a stream; made when there is none. */
export function groupAt(state: State, stream: string): State['groups'][string] {
  const name = stream.slice('group:'.length);
  const key = keyFor(name);
  state.groups[key] ??= emptyGroup(name) as Draft<ViewState>['groups'][string];
  return state.groups[key];
}

function reduceRun(state: State, position: number, entry: Entry): void {
  const data = (entry.data ?? {}) as Readonly<Record<string, unknown>>;
  switch (entry.type) {
    case 'run.created':
      state.run.process = (data as unknown as RunCreated).process;
      state.run.createdMs = entry.at;
      return;
    case 'epoch.taken':
      // A host that died took its attempts with it: what they are now, the next host finds out and records.
      if (data['takenFrom'] !== undefined && data['takenFrom'] !== null) lost(state, position, entry.at);
      return;
    case 'gate.opened':
      state.gates[keyFor(String(data['name']))] = gate(data as unknown as GroupEvents['gate.opened'], position);
      return;
    case 'gate.answered':
      answer(state.gates, data as unknown as GroupEvents['gate.answered'], position);
      return;
    case 'run.cancelled':
      state.run.end = `cancelled: ${short(data['reason'])}`;
      return;
    case 'run.ended': {
      const end = data as unknown as RunEnd;
      state.run.status = end.status;
      state.run.end = endText(end);
      return;
    }
    default:
  }
}

function lost(state: State, position: number, atMs: number): void {
  for (const group of Object.values(state.groups)) {
    if (group.status !== 'active') continue;
    for (const member of Object.values(group.members)) {
      if (member.status === 'running') endAttempt(member, 'lost', position, atMs);
    }
  }
}
