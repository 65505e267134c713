/**
 * The space-time diagram as geometry: time runs down (one row per entry that is shown), a lane per member, coordinator, process and host.
 * Idle time is a gap of fixed height with its length written in; nothing is dropped without being counted.
 */
import { keyFor, pairKey } from '../key.ts';
import type { Frame, ViewState } from '../model.ts';

/** A lane: who it is. */
export interface Lane {
  readonly key: string;
  readonly title: string;
  readonly kind: 'coordinator' | 'host' | 'member' | 'process';
}

/** A point on a lane. */
export interface Point {
  readonly lane: number;
  readonly row: number;
}

/** One row: an entry. */
export interface Row {
  readonly position: number;
  readonly frame: Frame;
  /** Time since the row before, ms, when it is long enough to be told. */
  readonly idleMs: number;
}

/** A message, from where it was sent to where it was heard. */
export interface Arrow {
  readonly from: Point;
  readonly to: Point;
  readonly label: string;
  readonly kind: 'deliver' | 'duplicate' | 'failed' | 'lost' | 'read' | 'settle';
  /** Position of the entry that delivered it. */
  readonly position: number;
}

/** An attempt. */
export interface Bar {
  readonly lane: number;
  readonly from: number;
  /** Undefined while it is under way. */
  readonly to: number | undefined;
  readonly end: string;
  readonly label: string;
}

/** The whole. */
export interface SpaceTime {
  readonly lanes: readonly Lane[];
  readonly rows: readonly Row[];
  readonly arrows: readonly Arrow[];
  readonly bars: readonly Bar[];
  /** Rows at which a host died, and the row at which the next one had taken over. */
  readonly crashes: readonly { readonly from: number; readonly to: number }[];
  /** Lanes of members, and of machines below a coordinator, that are not shown: there are more than fit. */
  readonly lanesHidden: number;
  /** Entries of the stretch that are filtered out. */
  readonly entriesHidden: number;
}

/** What is shown. */
export interface SpaceTimeOptions {
  readonly lanesMax: number;
  /** True for entries that get a row. */
  shows(frame: Frame): boolean;
  /** Idle time that is told, ms. Default 1,000. */
  readonly idleMs?: number;
}

/** The key of a lane: of the coordinator (address `''`), of a machine below it, or of a member. */
export const laneOf = pairKey;

/** Lays out the frames of a stretch. Whoever occurs in them has a lane; `state`, of any position, says in which order. */
export function spaceTime(frames: readonly Frame[], state: ViewState, options: SpaceTimeOptions): SpaceTime {
  const { lanesMax, shows, idleMs = 1_000 } = options;
  const shown = frames.filter(shows);
  const lanes: Lane[] = [
    { key: 'host', title: 'host', kind: 'host' },
    { key: 'process', title: 'process', kind: 'process' },
  ];
  const index = new Map(lanes.map(({ key }, at) => [key, at]));
  const mentioned = mentionedIn(shown, state.position);
  const known = Object.values(state.groups).map(({ name }) => name);
  const groups = [...new Set([...known, ...mentioned.keys()])].filter((group) => mentioned.has(group));
  // Where not all have room, those do that occur nearest to the cursor.
  const room = Math.max(0, lanesMax - lanes.length - groups.length);
  const all = [...mentioned.values()].flatMap((addresses) => [...addresses.values()]);
  const drawn = new Set(all.sort((a, b) => a.distance - b.distance).slice(0, room));
  const lanesHidden = all.length - drawn.size;
  for (const group of groups) {
    const addresses = mentioned.get(group) ?? new Map<string, Mentioned>();
    add({ key: laneOf(group, ''), title: group, kind: 'coordinator' });
    const members = Object.values(state.groups[keyFor(group)]?.members ?? {}).map(({ id }) => id);
    const inOrder = new Set([...members.filter((id) => addresses.has(id)), ...addresses.keys()].flatMap(withAbove));
    for (const address of inOrder) {
      const one = addresses.get(address);
      if (one === undefined || !drawn.has(one)) continue;
      add({ key: laneOf(group, address), title: address, kind: one.isMember ? 'member' : 'coordinator' });
    }
  }
  function add(lane: Lane) {
    index.set(lane.key, lanes.length);
    lanes.push(lane);
  }

  const rows: Row[] = shown.map((frame, at) => {
    const before = shown[at - 1];
    const idle = before === undefined ? 0 : frame.atMs - before.atMs;
    return { position: frame.position, frame, idleMs: idle >= idleMs ? idle : 0 };
  });
  const rowOf = new Map(rows.map(({ position }, row) => [position, row]));
  const arrows: Arrow[] = [];
  const bars: Bar[] = [];
  const open = new Map<string, { lane: number; from: number; label: string }>();
  const crashes: { from: number; to: number }[] = [];
  rows.forEach(({ frame, position }, row) => {
    const group = frame.stream.startsWith('group:') ? frame.stream.slice('group:'.length) : '';
    const lane = (who: string) =>
      index.get(
        who === 'process' || who === 'outside' || group === ''
          ? 'process'
          : laneOf(group, who === 'coordinator' ? '' : who),
      );
    if (frame.type === 'epoch.taken' && row > 0 && frame.summary.includes('died'))
      crashes.push({ from: row - 1, to: row });
    const key = laneOf(group, frame.who);
    if (frame.type === 'attempt.started') {
      const at = index.get(key);
      if (at !== undefined) open.set(key, { lane: at, from: row, label: frame.summary });
    }
    if (['attempt.cancelled', 'attempt.failed', 'member.settled'].includes(frame.type)) {
      const bar = open.get(key);
      open.delete(key);
      const at = index.get(key);
      const end =
        frame.type === 'member.settled' ? (frame.isOk === true ? 'ok' : 'failed') : frame.type.slice('attempt.'.length);
      if (bar !== undefined) bars.push({ ...bar, to: row, end });
      else if (at !== undefined) bars.push({ lane: at, from: -1, to: row, end, label: frame.summary });
    }
    for (const { from, to, type } of frame.deliveries) {
      const a = lane(from);
      const b = lane(to);
      if (a === undefined || b === undefined || a === b || type.startsWith('xstate.init')) continue;
      const cause = frame.type === 'message' ? position : undefined;
      arrows.push({
        from: { lane: a, row },
        to: { lane: b, row },
        label: nameOf(type),
        kind: type.startsWith('xstate.error.')
          ? 'failed'
          : type.startsWith('xstate.')
            ? 'settle'
            : frame.fault === 'duplicate'
              ? 'duplicate'
              : 'deliver',
        position: cause ?? position,
      });
    }
    if (frame.type === 'message.read') {
      for (const { position: sent, why } of frame.causes) {
        const at = rowOf.get(sent);
        const sender = at === undefined ? undefined : rows[at];
        const b = lane(frame.who);
        if (why !== 'message' || at === undefined || sender === undefined || b === undefined) continue;
        arrows.push({ from: { lane: b, row: at }, to: { lane: b, row }, label: '', kind: 'read', position: sent });
      }
    }
    if (frame.type === 'letter.dead') {
      const a = lane(frame.who);
      if (a !== undefined)
        arrows.push({ from: { lane: a, row }, to: { lane: a, row }, label: frame.summary, kind: 'lost', position });
    }
  });
  for (const bar of open.values()) bars.push({ ...bar, to: undefined, end: 'running' });
  return { lanes, rows, arrows, bars, crashes, lanesHidden, entriesHidden: frames.length - shown.length };
}

/** An event type without XState's wrapping. */
function nameOf(type: string): string {
  const settled = /^xstate\.(done|error)\.actor\.(.*)$/s.exec(type);
  return settled === null ? type : `${settled[1]}: ${settled[2]}`;
}

/** An address and the machines above it, the outermost first: who asked for work stands before those that do it. */
const withAbove = (address: string): readonly string[] => {
  const parts = address.split('::');
  return parts.map((_, index) => parts.slice(0, index + 1).join('::'));
};

/** Who occurs in a stretch. */
interface Mentioned {
  /** False for a machine below the coordinator. */
  isMember: boolean;
  /** Entries between the cursor and the nearest at which it occurs. */
  distance: number;
}

/** Addresses below the coordinator by group, in the order in which they occur. */
function mentionedIn(frames: readonly Frame[], cursor: number): ReadonlyMap<string, ReadonlyMap<string, Mentioned>> {
  const groups = new Map<string, Map<string, Mentioned>>();
  const outside = new Set(['', 'coordinator', 'outside', 'process']);
  for (const { position, stream, who, type, deliveries } of frames) {
    if (!stream.startsWith('group:')) continue;
    const group = stream.slice('group:'.length);
    const addresses = groups.get(group) ?? new Map<string, Mentioned>();
    groups.set(group, addresses);
    const heard = deliveries.flatMap(({ from, to }) => [from, to]);
    for (const address of isTheirs.test(type) ? [who, ...heard] : heard) {
      if (outside.has(address)) continue;
      const one = addresses.get(address) ?? { isMember: false, distance: Infinity };
      one.isMember ||= address === who && isOfMember.test(type);
      one.distance = Math.min(one.distance, Math.abs(position - cursor));
      addresses.set(address, one);
    }
  }
  return groups;
}

/** Types of entries that are about a member; and those that are about a member or a machine. */
const isOfMember = /^(attempt\.|member\.|message|worktree\.)/;
const isTheirs = /^(attempt\.|checkpoint|letter\.dead|member\.|message|timer\.fired|worktree\.)/;
