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

/** Of what a history is made. `mixed`: 85 % progress, 13 % signals that the coordinator handles, 1 % settlements with a respawn and its start. */
export type Kind = 'mixed' | 'progress' | 'signals';

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
  const signal = () => {
    const event = entries.length % 10 === 0 ? { type: 'review' } : { type: 'note', text: `note ${entries.length}` };
    add('signal', { id: `s${entries.length}`, from: 'outside', event });
    events.push({ to: undefined, event });
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
    if (kind === 'progress' || (kind === 'mixed' && share < 86)) progress(number);
    else if (kind === 'signals' || share < 99) signal();
    else settle(number);
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
