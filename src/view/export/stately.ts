/**
 * Stately's inspection protocol (`@statelyai/inspect`), as lines of JSON: actors, events and snapshots of a run's machines. Microsteps
 * and actions are not part of it. Addresses stand for session ids, so that the same run gives the same lines.
 */
import type { Chart } from '../chart.ts';
import { keyFor } from '../key.ts';
import type { Frame, ViewState, Window } from '../model.ts';
import { applyPatches, enablePatches, type Patch } from 'immer';

enablePatches();

/** Version of the protocol that is spoken; its receivers require one. */
const protocolVersion = '0.7.2';

/** One message of the protocol. */
export interface StatelyEvent {
  readonly type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot';
  readonly sessionId: string;
  readonly rootId: string;
  /** Milliseconds since 1970, as text. */
  readonly createdAt: string;
  readonly id: null;
  readonly _version: string;
  readonly [key: string]: unknown;
}

/** A machine's configuration as the protocol has it: a text of JSON, from which the receiver draws. */
export function definitionOf(chart: Chart): string {
  const node = (id: string): Record<string, unknown> => {
    const own = chart.nodes.find((one) => one.id === id);
    const children = chart.nodes.filter(({ parent }) => parent === id);
    // A machine's events may be called as every object's own properties are.
    const on = new Map<string, unknown[]>();
    const always: unknown[] = [];
    for (const { source, event, targets, guard, actions } of chart.transitions) {
      if (source !== id) continue;
      const one = {
        ...(targets.length === 0 ? {} : { target: targets.map((target) => `#${target}`) }),
        ...(guard === '' ? {} : { guard }),
        actions: actions.map((type) => ({ type })),
      };
      if (event === '') always.push(one);
      else on.set(event, [...(on.get(event) ?? []), one]);
    }
    const initial = own?.initial === null ? undefined : chart.nodes.find((one) => one.id === own?.initial)?.key;
    return {
      id,
      key: own?.key,
      type: own?.type,
      ...(initial === undefined ? {} : { initial }),
      ...(own?.history === null ? {} : { history: own?.history }),
      entry: own?.entry.map((type) => ({ type })),
      exit: own?.exit.map((type) => ({ type })),
      invoke: own?.invokes.map((text) => ({ src: text.split(' as ')[0], id: text.split(' as ')[1] })),
      on: Object.fromEntries(on),
      always,
      states: Object.fromEntries(children.map((child) => [child.key, node(child.id)])),
    };
  };
  return JSON.stringify(node(chart.nodes[0]?.id ?? chart.id));
}

/** The protocol's messages for a stretch of a run; actors that live where it begins have been told with the stretches before. */
export function* statelyEvents(
  run: string,
  { base, frames }: Window,
  charts: Readonly<Record<string, Chart>>,
): Generator<StatelyEvent> {
  let state: ViewState = base;
  const known = new Set<string>();
  for (const { name, actors } of Object.values(base.groups))
    for (const { address, incarnation } of Object.values(actors)) known.add(sessionId(run, name, address, incarnation));
  for (const frame of frames) {
    const before = state;
    state = applyPatches(state, frame.patches as unknown as Patch[]);
    if (!frame.stream.startsWith('group:')) continue;
    yield* ofGroup(run, frame, before, state, charts, known);
  }
}

const sessionId = (run: string, group: string, address: string, incarnation: number) =>
  `${run}/${group}/${address === '' ? 'coordinator' : address}#${incarnation}`;

function* ofGroup(
  run: string,
  { stream, atMs, deliveries }: Frame,
  before: ViewState,
  after: ViewState,
  charts: Readonly<Record<string, Chart>>,
  known: Set<string>,
): Generator<StatelyEvent> {
  const name = stream.slice('group:'.length);
  const group = after.groups[keyFor(name)];
  if (group === undefined) return;
  const sessionOf = (address: string) => {
    const incarnation = group.actors[keyFor(address)]?.incarnation ?? group.members[keyFor(address)]?.incarnation ?? 1;
    return sessionId(run, name, address, incarnation);
  };
  const rootId = sessionOf('');
  const common = (address: string) => ({
    sessionId: sessionOf(address),
    rootId,
    createdAt: String(atMs),
    id: null,
    _version: protocolVersion,
  });
  const snapshotOf = (address: string) => {
    const actor = group.actors[keyFor(address)];
    return actor === undefined
      ? null
      : { status: actor.status, value: valueOf(actor.active, charts[actor.chart ?? '']), context: actor.context };
  };
  for (const actor of Object.values(group.actors)) {
    const { address } = actor;
    if (known.has(sessionOf(address))) continue;
    known.add(sessionOf(address));
    const chart = charts[actor.chart ?? ''];
    yield {
      type: '@xstate.actor',
      ...common(address),
      name: address === '' ? name : address,
      parentId: address === '' ? undefined : rootId,
      ...(chart === undefined ? {} : { definition: definitionOf(chart) }),
      snapshot: snapshotOf(address),
    };
  }
  for (const { from, to, type } of deliveries) {
    const source =
      group.actors[keyFor(from)] === undefined && group.members[keyFor(from)] === undefined
        ? {}
        : { sourceId: sessionOf(from) };
    yield { type: '@xstate.event', ...common(to), event: { type }, ...source };
  }
  for (const actor of Object.values(group.actors)) {
    const { address } = actor;
    if (before.groups[keyFor(name)]?.actors[keyFor(address)] === actor) continue;
    yield {
      type: '@xstate.snapshot',
      ...common(address),
      event: { type: actor.lastEvents.at(-1) ?? 'xstate.init' },
      snapshot: snapshotOf(address),
    };
  }
}

/** The state value of XState: a key, or an object of them. */
export function valueOf(active: readonly string[], chart: Chart | undefined): unknown {
  if (chart === undefined) return active.at(-1) ?? null;
  const now = new Set(active);
  const of = (id: string): unknown => {
    const node = chart.nodes.find((one) => one.id === id);
    const children = chart.nodes.filter(({ parent, id: own }) => parent === id && now.has(own));
    if (children.length === 0) return undefined;
    const one = children[0];
    if (node?.type !== 'parallel' && one !== undefined) {
      const below = of(one.id);
      return below === undefined ? one.key : { [one.key]: below };
    }
    return Object.fromEntries(children.map((child) => [child.key, of(child.id) ?? {}]));
  };
  return of(chart.nodes[0]?.id ?? '') ?? {};
}
