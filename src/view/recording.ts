/**
 * A run as a viewer walks through it: read once from its journal, kept as keyframes, and any stretch of it made again as
 * frames with patches forward and back. No state per entry is kept; entries are read again where they are looked at.
 */
import { enablePatches, Immer, type Draft } from 'immer';
import type { Definition } from '../group/definition.ts';
import type { System } from '../group/system.ts';
import type { Entry } from '../journal/port.ts';
import { summaryOf } from '../process/entry-line.ts';
import { deliveriesOf, faultOf, heardOf, isOkOf, markOf, whoOf } from './frame.ts';
import { batchOf } from './batch.ts';
import { causeStore } from './cause-store.ts';
import { causeTracker } from './causes.ts';
import { chartOf, type Chart } from './chart.ts';
import { propertyLane } from './judged.ts';
import { keyFor } from './key.ts';
import type { Cause, Frame, Mark, Overview, Patch, ViewState, Window } from './model.ts';
import { emptyView, groupAt, reduce } from './reduce.ts';
import { actorsAfter, machinesOf, turned, whole, writeActors, writeMail, type TurnedActor } from './turns.ts';

/** Where entries come from: `read(from, count)` gives those at positions `from` … in journal order. */
export interface EntrySource {
  read(from: number, count: number): Promise<readonly Entry[]>;
}

/** Options of {@link recording}. */
export interface RecordingOptions {
  readonly id: string;
  readonly source: EntrySource;
  /** The machine of a group by its name; undefined when it is not known: then its members and messages are shown all the same. */
  definitionOf(group: string): Definition | undefined;
  /** Entries between two keyframes. Default 1,000, at least 1. */
  readonly keyframeEvery?: number;
}

/** A run under view; entries are added as they come. */
export interface Recording {
  /** Takes the next entries, in journal order. */
  add(entries: readonly Entry[]): void;
  /** Entries so far. */
  readonly length: number;
  overview(): Omit<Overview, 'isComplete' | 'isLive' | 'title'>;
  /** The state at the end. */
  last(): ViewState;
  /** The state at a position, 0 to {@link length}. */
  stateAt(position: number): Promise<ViewState>;
  /** Frames `from` … `to`, both included and clipped to what is there. */
  window(from: number, to: number): Promise<Window>;
  /** What the entry at `position` follows from. */
  causesOf(position: number): readonly Cause[];
}

/** Most frames of one window. */
export const windowMax = 5_000;
/** Marks that are listed of one kind; further ones are counted. */
const marksMax = 2_000;
interface Keyframe {
  readonly position: number;
  readonly state: ViewState;
  readonly systems: ReadonlyMap<string, System>;
}

enablePatches();
const immer = new Immer({ autoFreeze: false });

/** A recording of nothing yet. */
export function recording(options: RecordingOptions): Recording {
  const { source, definitionOf, keyframeEvery = 1_000 } = options;
  const charts: Record<string, Chart> = {};
  const tracker = causeTracker();
  const causes = causeStore();
  const lane = propertyLane();
  const marks: Mark[] = [];
  let marksHidden = 0;
  const notices: string[] = [];
  let length = 0;
  let firstMs = 0;
  let lastMs = 0;
  let state = emptyView(options.id);
  const systems = new Map<string, System>();
  const keyframes: Keyframe[] = [{ position: 0, state, systems: new Map() }];
  /** Groups whose machine cannot be shown, and from which position on. */
  const failedAt = new Map<string, number>();

  const nameOf = (stream: string) => stream.slice('group:'.length);
  const isLost = (stream: string, position: number) => position >= (failedAt.get(stream) ?? Infinity);
  const known = (entry: Entry, position: number) => {
    if (!entry.stream.startsWith('group:') || isLost(entry.stream, position)) return undefined;
    const definition = definitionOf(nameOf(entry.stream));
    if (definition === undefined) return undefined;
    for (const version of [definition, ...definition.previous])
      for (const [key, { logic }] of machinesOf(version)) charts[key] ??= chartOf(logic, version.version);
    return definition;
  };
  /** At the entry that its machine does not take, a group's actors are gone; no others are. */
  const lostAt = (
    stream: string,
    position: number,
    addresses: Iterable<string>,
  ): readonly (readonly [string, null])[] =>
    failedAt.get(stream) === position ? [...addresses].map((address) => [address, null] as const) : [];
  const stepped = (into: Map<string, System>, entry: Entry, position: number) => {
    const newest = known(entry, position);
    if (newest === undefined) return undefined;
    const before = into.get(entry.stream);
    const turn = turned(newest, before, entry);
    const definition = turn.system?.definition ?? newest;
    if (turn.system !== undefined) into.set(entry.stream, turn.system);
    return { definition, before, turned: turn, position, charts, heard: heardOf(entry) };
  };
  const mark = (position: number, kind: Mark['kind'], label: string) => {
    if (marks.length >= marksMax) marksHidden += 1;
    else marks.push({ position, kind, label });
  };

  /** Reads what has no keyframe yet: many entries in one batch, actors beside it. */
  const index = (entries: readonly Entry[]) => {
    const changed = new Map<string, Set<string>>();
    const batch = batchOf(state);
    for (const entry of entries) {
      length += 1;
      batch.reduce(length, entry);
      lane.add(length, entry);
      const turn = steppedOrNoted(entry, length);
      if (turn !== undefined) {
        batch.mail(entry.stream, turn.turned.effects);
      }
      const actors = actorsOf(entry.stream);
      const after =
        turn === undefined
          ? lostAt(entry.stream, length, actors.keys())
          : actorsAfter({ ...turn, actorBefore: (one) => actors.get(one) });
      for (const [address, actor] of after) {
        if (actor === null) actors.delete(address);
        else actors.set(address, actor);
        changed.set(entry.stream, (changed.get(entry.stream) ?? new Set()).add(address));
      }
      causes.push(tracker.next(length, entry, turn?.turned.effects ?? []));
      if (firstMs === 0) firstMs = entry.at;
      lastMs = entry.at;
      const found = markOf(entry);
      if (found !== undefined) mark(length, found.kind, found.label);
    }
    // A draft: what is compared with what stands there must stand there.
    state = immer.produce(batch.end(), (draft) => {
      for (const [stream, addresses] of changed) {
        const actors = actorsOf(stream);
        const told = [...addresses].map((address) => {
          const actor = actors.get(address);
          return [address, actor === undefined ? null : whole(actor, systems.get(stream), charts)] as const;
        });
        writeActors(groupAt(draft, stream), told);
      }
    });
  };
  const live = new Map<string, Map<string, TurnedActor>>();
  const actorsOf = (stream: string) => {
    let actors = live.get(stream);
    if (actors === undefined) live.set(stream, (actors = new Map()));
    return actors;
  };
  const steppedOrNoted = (entry: Entry, position: number) => {
    try {
      const turn = stepped(systems, entry, position);
      const divergence = turn?.turned.divergence;
      if (divergence !== undefined) {
        const { recorded, folded } = divergence;
        mark(position - 1, 'violation', `${nameOf(entry.stream)}: recorded digest ${recorded}, folded ${folded}`);
      }
      return turn;
    } catch (error) {
      failedAt.set(entry.stream, position);
      systems.delete(entry.stream);
      notices.push(
        `group ${nameOf(entry.stream)}: its machine is not shown from entry ${position} on: ${messageOf(error)}`,
      );
      return undefined;
    }
  };

  const keyframeBefore = (position: number): Keyframe => {
    let low = 0;
    let high = keyframes.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((keyframes[middle] as Keyframe).position <= position) low = middle;
      else high = middle - 1;
    }
    return keyframes[low] as Keyframe;
  };

  /** Walks from the keyframe before `from`, telling each frame from `from` on. */
  const walk = async (from: number, to: number): Promise<Window> => {
    const keyframe = keyframeBefore(from - 1);
    const entries = await source.read(keyframe.position + 1, to - keyframe.position);
    const held = new Map(keyframe.systems);
    let now = keyframe.state;
    let base = now;
    const frames: Frame[] = [];
    entries.forEach((entry, offset) => {
      const position = keyframe.position + 1 + offset;
      if (position > to) return;
      let turn: ReturnType<typeof stepped>;
      try {
        turn = stepped(held, entry, position);
      } catch {
        held.delete(entry.stream);
      }
      const actors = now.groups[keyFor(nameOf(entry.stream))]?.actors ?? {};
      const addresses = Object.values(actors).map(({ address }) => address);
      const after =
        turn === undefined
          ? lostAt(entry.stream, position, addresses)
          : [...actorsAfter({ ...turn, actorBefore: (address) => actors[keyFor(address)] })];
      const change = (draft: Draft<ViewState>) => {
        reduce(draft, position, entry);
        if (turn === undefined && after.length === 0) return;
        const group = groupAt(draft, entry.stream);
        if (turn !== undefined) writeMail(group, turn.turned.effects);
        const system = turn?.turned.system;
        writeActors(
          group,
          after.map(([address, actor]) => [address, actor === null ? null : whole(actor, system, charts)] as const),
        );
      };
      if (position < from) {
        now = immer.produce(now, change);
        base = now;
        return;
      }
      const [next, patches, inverse] = immer.produceWithPatches(now, change);
      now = next;
      const fault = faultOf(entry);
      const isOk = isOkOf(entry);
      frames.push({
        position,
        stream: entry.stream,
        seq: entry.seq,
        atMs: entry.at,
        type: entry.type,
        who: whoOf(entry),
        summary: summaryOf(entry),
        deliveries: deliveriesOf(entry, turn?.turned.derived ?? []),
        causes: causes.at(position),
        patches: patches as unknown as Patch[],
        inverse: inverse as unknown as Patch[],
        ...(isOk === undefined ? {} : { isOk }),
        ...(fault === undefined ? {} : { fault }),
      });
    });
    return { base, frames };
  };

  return {
    add(entries) {
      for (let at = 0; at < entries.length;) {
        const room = keyframeEvery - (length % keyframeEvery);
        index(entries.slice(at, at + room));
        at += room;
        if (length % keyframeEvery === 0) keyframes.push({ position: length, state, systems: new Map(systems) });
      }
    },
    get length() {
      return length;
    },
    overview: () => ({
      id: options.id,
      entries: length,
      firstMs,
      lastMs,
      charts,
      marks,
      marksHidden,
      lane: lane.lane(),
      notices,
    }),
    last: () => state,
    async stateAt(position) {
      if (position >= length) return state;
      if (position <= 0) return (keyframes[0] as Keyframe).state;
      const { base } = await walk(position + 1, position);
      return base;
    },
    async window(from, to) {
      const first = Math.max(1, Math.min(from, length + 1));
      const last = Math.min(to, length, first + windowMax - 1);
      return walk(first, last);
    },
    causesOf: (position) => causes.at(position),
  };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
