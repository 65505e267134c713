/** A history of a desk: as a group's entries, and as the same events for live actors. Always the same for the same options. */
import { createActor, type AnyActorRef } from 'xstate';
import { rootAddress } from '../../../src/group/address.ts';
import { defaultBounds } from '../../../src/group/bounds.ts';
import { define } from '../../../src/group/definition.ts';
import { groupFold } from '../../../src/group/fold.ts';
import { snapshotAt } from '../../../src/group/system.ts';
import type { JsonValue } from '../../../src/json.ts';
import type { Entry } from '../../../src/journal/port.ts';
import { deskMachine, memberId, type DeskInput } from './desk.ts';

/**
 * Of what a history is made.
 *
 * - `coordinator`: of 100 inputs 60 are signals and messages that the coordinator notes, 25 change its state, 10 are settlements with
 *   a respawn (and the start that is recorded for it), 5 are progress.
 * - `mixed`: of 100 inputs 86 are progress, 13 are signals, 1 is a settlement with a respawn and its start.
 * - `progress`, `signals`: nothing else; a tenth of the signals changes the coordinator's state.
 */
export type Kind = 'coordinator' | 'mixed' | 'progress' | 'signals';

/** Of 100 inputs: notes by signal, notes by message, changes of state, settlements; the rest is progress. */
const shares: Readonly<Record<Kind, readonly [number, number, number, number]>> = {
  coordinator: [30, 30, 25, 10],
  mixed: [13, 0, 0, 1],
  progress: [0, 0, 0, 0],
  signals: [90, 0, 10, 0],
};

/** An event for a live actor. */
export interface LiveEvent {
  /** Id of the member; undefined for the coordinator. */
  readonly to: string | undefined;
  readonly event: { readonly type: string };
}

/** A history. */
export interface History {
  readonly input: DeskInput;
  readonly entries: readonly Entry[];
  readonly events: readonly LiveEvent[];
}

/** Entries of one append, hence between two recorded digests. */
const entriesPerAppend = 64;

/** Name of the group. */
export const groupName = 'desk';
const definition = define(deskMachine);
const startMs = Date.UTC(2026, 0, 1);

/** Makes a history of `length` entries. */
export function historyOf(kind: Kind, length: number): History {
  const input = { members: 8 };
  const entries: Entry[] = [];
  const events: LiveEvent[] = [];
  const incarnations = Array.from({ length: input.members + 1 }, () => 1);
  const fold = groupFold(definition, groupName);

  const add = (type: string, data: unknown) => {
    const seq = entries.length + 1;
    const event = { v: 1, stream: fold.stream, seq, at: startMs + seq, type, data: data as JsonValue, epoch: 1 };
    const stamp = seq % entriesPerAppend === 0 ? fold.stamp() : undefined;
    const entry: Entry = stamp === undefined ? event : { ...event, fold: stamp };
    fold.apply(entry);
    entries.push(entry);
  };
  const started = (number: number) =>
    add('attempt.started', { ...attempt(number), harness: 'agent', outputFile: `desk/${memberId(number)}.log` });
  const attempt = (number: number) => ({
    member: memberId(number),
    incarnation: incarnations[number] ?? 1,
    attempt: 1,
  });
  const progress = (number: number) => {
    const told = { line: `step ${entries.length} of member ${number}: reading the next file of the change` };
    add('member.progress', { ...attempt(number), progress: told });
    events.push({ to: memberId(number), event: { type: 'troupe.progress', progress: told } as LiveEvent['event'] });
  };
  const signal = (event: LiveEvent['event']) => {
    add('signal', { id: `s${entries.length}`, from: 'outside', event });
    events.push({ to: undefined, event });
  };
  const noteText = () => `note ${entries.length}`;
  const note = () => signal({ type: 'note', text: noteText() } as LiveEvent['event']);
  const review = () => signal({ type: 'review' });
  const message = (number: number) => {
    const told = { id: `m${entries.length}`, from: memberId(number), type: 'note', body: noteText() };
    const { id, from, type, body } = told;
    // As the post writes it.
    add('message', { id, from, to: rootAddress, type, body });
    events.push({ to: undefined, event: told });
  };
  const settle = (number: number) => {
    const outcome = { status: 'ok', output: { files: entries.length } };
    add('member.settled', { ...attempt(number), outcome });
    events.push({ to: memberId(number), event: { type: 'troupe.settled', outcome } as LiveEvent['event'] });
    incarnations[number] = (incarnations[number] ?? 1) + 1;
    started(number);
  };

  const { id, version } = definition;
  add('group.created', {
    name: groupName,
    machine: { id, version },
    input,
    concurrency: 256,
    bounds: { ...defaultBounds, incarnationsMax: 1_000_000 },
  });
  for (let number = 1; number <= input.members; number += 1) started(number);
  for (let turn = 0; entries.length < length; turn += 1) {
    const number = (turn % input.members) + 1;
    const share = (turn * 37) % 100;
    const [notes, messages, reviews, settlements] = shares[kind];
    if (share < notes) note();
    else if (share < notes + messages) message(number);
    else if (share < notes + messages + reviews) review();
    else if (share < notes + messages + reviews + settlements) settle(number);
    else progress(number);
  }
  return { input, entries, events };
}

/** Folds entries as the host does at a resume; returns ms. */
export function foldAll({ entries }: History): { readonly ms: number; readonly coordinator: string } {
  const startedMs = performance.now();
  const fold = groupFold(definition, groupName);
  for (const entry of entries) fold.apply(entry);
  return {
    ms: performance.now() - startedMs,
    coordinator: stateOf(fold.system === undefined ? undefined : snapshotAt(fold.system, rootAddress)),
  };
}

/** Sends the same events to live actors, no journal; returns ms. */
export function sendAll({ input, events }: History): { readonly ms: number; readonly coordinator: string } {
  const startedMs = performance.now();
  const root = createActor(deskMachine, { input });
  root.start();
  for (const { to, event } of events) {
    const { children } = root.getSnapshot() as { readonly children: Record<string, AnyActorRef | undefined> };
    const actor = to === undefined ? (root as AnyActorRef) : children[to];
    actor?.send(event);
  }
  const ms = performance.now() - startedMs;
  const coordinator = stateOf(root.getSnapshot());
  root.stop();
  return { ms, coordinator };
}

/** State of a coordinator, to see that both have come to the same. */
function stateOf(snapshot: unknown): string {
  const { value, context } = snapshot as { readonly value: unknown; readonly context: unknown };
  return JSON.stringify([value, context]);
}
