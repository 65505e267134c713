/**
 * Any XState app as a run to look at: what its inspector tells (Stately's protocol: actors, events, snapshots), one frame each. A root
 * actor is a group, its other actors are in it. What the protocol does not carry (microsteps, actions) is not there.
 */
import { enablePatches, Immer, type Draft } from 'immer';
import { createMachine, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import type { Entry } from '../journal/port.ts';
import type { JsonValue } from '../json.ts';
import { chartOf, type Chart } from './chart.ts';
import { emptyLane } from './judged.ts';
import { keyFor } from './key.ts';
import type { ActorState, Cause, DeliveryState, Frame, Mark, Patch, ViewState } from './model.ts';
import type { OpenedRecording } from './open-recording.ts';
import { overwrite } from './overwrite.ts';
import { plain } from './plain.ts';
import { emptyView, groupAt } from './reduce.ts';
import { visitsAfter, transitionsTaken } from './turns.ts';

enablePatches();
const immer = new Immer({ autoFreeze: false });

/** Frames that are kept; of an app that tells more, the first are, and the rest is counted. */
const framesMax = 50_000;

/** A message of the protocol, as far as it is read. Comes from outside: nothing of it is trusted. */
interface Told {
  readonly type: string;
  readonly sessionId: string;
  readonly rootId?: string;
  readonly createdAt?: string;
  readonly name?: string;
  readonly parentId?: string;
  readonly definition?: string;
  readonly sourceId?: string;
  readonly event?: { readonly type?: unknown };
  readonly snapshot?: { readonly status?: unknown; readonly value?: unknown; readonly context?: unknown };
}

/** An app under view. */
export interface StatelyApp extends OpenedRecording {
  /** Takes one message; false when it is none of the protocol. Never throws. */
  take(message: unknown): boolean;
  /** Messages beyond the bound. */
  readonly dropped: number;
}

/** An app of which nothing was told yet. */
export function statelyApp(id: string): StatelyApp {
  const states: ViewState[] = [emptyView(id)];
  const frames: Frame[] = [];
  const entries: Entry[] = [];
  const charts: Record<string, Chart> = {};
  const machines = new Map<string, AnyStateMachine>();
  const names = new Map<string, string>();
  const lastOf = new Map<string, number>();
  const marks: Mark[] = [];
  let dropped = 0;
  const last = () => states.at(-1) as ViewState;

  const chartFor = (told: Told): string | null => {
    const key = keyFor(told.sessionId);
    if (told.definition === undefined) return machines.has(told.sessionId) ? key : null;
    try {
      // The protocol carries the configuration with names in place of implementations.
      const machine = createMachine(JSON.parse(told.definition) as Parameters<typeof createMachine>[0]);
      charts[key] = chartOf(machine);
      machines.set(told.sessionId, machine);
      return key;
    } catch {
      return null;
    }
  };
  const activeIn = (told: Told): readonly string[] => {
    const machine = machines.get(told.sessionId);
    const value = told.snapshot?.value;
    if (machine === undefined || (typeof value !== 'string' && (typeof value !== 'object' || value === null)))
      return [];
    try {
      const { _nodes: nodes } = machine.resolveState({ value: value as never, context: {} }) as AnyMachineSnapshot & {
        readonly _nodes: readonly { readonly id: string; readonly order: number }[];
      };
      return [...nodes].sort((a, b) => a.order - b.order).map((node) => node.id);
    } catch {
      return [];
    }
  };

  const change = (draft: Draft<ViewState>, told: Told, position: number, atMs: number) => {
    draft.position = position;
    draft.atMs = atMs;
    const root = told.rootId ?? told.sessionId;
    const group = groupAt(draft, `group:${root}`);
    if (group.createdMs === 0) group.createdMs = atMs;
    group.machine = names.get(root) ?? root;
    const address = told.sessionId === root ? '' : told.sessionId;
    const before = last().groups[keyFor(root)]?.actors[keyFor(address)];
    const heard = told.event?.type;
    if (told.type === '@xstate.event') {
      if (typeof heard === 'string') group.signals += 1;
      return;
    }
    const active = activeIn(told);
    const chart = told.type === '@xstate.actor' ? chartFor(told) : (before?.chart ?? null);
    const events = typeof heard === 'string' ? [heard] : [];
    const was = before?.active ?? [];
    const actor: ActorState = {
      address,
      incarnation: 1,
      chart,
      status: typeof told.snapshot?.status === 'string' ? told.snapshot.status : (before?.status ?? 'active'),
      active: told.type === '@xstate.actor' && active.length === 0 ? activeIn(told) : active,
      context: plain(told.snapshot?.context ?? null),
      isRunning: told.snapshot?.status === undefined || told.snapshot.status === 'active',
      visits: visitsAfter(before?.visits ?? {}, was, active),
      lastTransitions: chart === null ? [] : transitionsTaken(charts[chart] as Chart, was, active, events),
      lastEvents: events,
      changedAt: position,
    };
    const held = group.actors[keyFor(address)];
    if (held === undefined) group.actors[keyFor(address)] = actor as Draft<ActorState>;
    else overwrite(held, actor as unknown as JsonValue);
    if (address === '')
      group.status = actor.status === 'done' ? 'completed' : actor.status === 'error' ? 'failed' : 'active';
  };

  return {
    notices: [],
    get dropped() {
      return dropped;
    },
    status: () => 'active',
    refresh: () => Promise.resolve(0),
    entryAt: (position) => Promise.resolve(entries[position - 1]),
    take(message) {
      const told = toldIn(message);
      if (told === undefined) return false;
      if (frames.length >= framesMax) {
        dropped += 1;
        return true;
      }
      const position = frames.length + 1;
      const atMs = Number(told.createdAt) || last().atMs;
      const root = told.rootId ?? told.sessionId;
      if (told.name !== undefined) names.set(told.sessionId, told.name);
      if (told.type === '@xstate.actor') chartFor(told);
      const [next, patches, inverse] = immer.produceWithPatches(last(), (draft) => change(draft, told, position, atMs));
      states.push(next);
      const who = told.sessionId === root ? '' : told.sessionId;
      const source = told.sourceId === undefined ? 'outside' : told.sourceId === root ? '' : told.sourceId;
      const type = typeof told.event?.type === 'string' ? told.event.type : '';
      const deliveries: readonly DeliveryState[] =
        told.type === '@xstate.event' ? [{ from: source, to: who, type }] : [];
      const before = lastOf.get(told.sessionId);
      const causes: readonly Cause[] = before === undefined ? [] : [{ position: before, why: 'state' }];
      lastOf.set(told.sessionId, position);
      if (told.type === '@xstate.actor') marks.push({ position, kind: 'group', label: told.name ?? told.sessionId });
      frames.push({
        position,
        stream: `group:${root}`,
        seq: position,
        atMs,
        type: told.type.slice('@xstate.'.length),
        who,
        summary: `${names.get(told.sessionId) ?? told.sessionId} ${type}`.slice(0, 200),
        deliveries,
        causes,
        patches: patches as unknown as Patch[],
        inverse: inverse as unknown as Patch[],
      });
      entries.push({
        v: 1,
        stream: `group:${root}`,
        seq: position,
        at: atMs,
        type: told.type,
        data: plain(message),
        epoch: 0,
      });
      return true;
    },
    recording: {
      add: () => {},
      get length() {
        return frames.length;
      },
      overview: () => ({
        id,
        entries: frames.length,
        firstMs: frames[0]?.atMs ?? 0,
        lastMs: frames.at(-1)?.atMs ?? 0,
        charts,
        marks,
        marksHidden: 0,
        lane: emptyLane,
        notices: dropped === 0 ? [] : [`${dropped} messages beyond the first ${framesMax} are not shown`],
      }),
      last,
      stateAt: (position) => Promise.resolve(states[Math.max(0, Math.min(position, frames.length))] as ViewState),
      window: (from, to) => {
        const first = Math.max(1, Math.min(from, frames.length + 1));
        return Promise.resolve({ base: states[first - 1] as ViewState, frames: frames.slice(first - 1, to) });
      },
      causesOf: (position) => frames[position - 1]?.causes ?? [],
    },
  };
}

const kinds = new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']);

/** A message of the protocol; undefined for anything else. */
function toldIn(message: unknown): Told | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, sessionId, rootId, name, definition, sourceId } = message as Readonly<Record<string, unknown>>;
  const isText = (value: unknown) => value === undefined || value === null || typeof value === 'string';
  if (typeof type !== 'string' || !kinds.has(type) || typeof sessionId !== 'string') return undefined;
  if (![rootId, name, definition, sourceId].every(isText)) return undefined;
  // Absent and null are the same to the protocol.
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null)) as unknown as Told;
}
