/**
 * The cursor, and the run at it. Stretches of frames are fetched as they are needed and kept; the state moves by their patches,
 * forward and back, so that a step costs what it changes.
 */
import { applyPatches, enablePatches, type Patch } from 'immer';
import type { Frame, ViewState, Window } from '../model.ts';
import type { DataSource, PageOverview } from './source.ts';

enablePatches();

/** What the page draws from. */
export interface Shown {
  readonly overview: PageOverview;
  /** The first position of the cursor: {@link DataSource.start}. */
  readonly start: number;
  /** The run at the cursor. */
  readonly state: ViewState;
  /** The frame at the cursor; undefined at 0. */
  readonly frame: Frame | undefined;
  /** True while frames are being fetched. */
  readonly isLoading: boolean;
  /** The cursor follows the end while the run grows. */
  readonly isFollowing: boolean;
  readonly isPlaying: boolean;
  /** Why what is shown may not be all: what went wrong when more was asked for; empty when nothing did. */
  readonly trouble: string;
}

/** The page's one cursor. */
export interface Player {
  shown(): Shown;
  /** Calls back after each change; returns how to stop. */
  subscribe(changed: () => void): () => void;
  /** Moves the cursor; clipped to {@link Shown.start} … the number of entries. The last of several under way wins. */
  go(position: number): Promise<void>;
  /** Frames `from` … `to`, fetched as needed; fewer where the run ends. */
  frames(from: number, to: number): Promise<readonly Frame[]>;
  /** A frame that is here already. */
  frameAt(position: number): Frame | undefined;
  /** The next position after (`by` > 0) or before the cursor whose frame passes; looked for in at most 20,000 frames. */
  find(by: -1 | 1, passes: (frame: Frame) => boolean): Promise<number | undefined>;
  play(entriesPerSecond: number): void;
  stop(): void;
  followEnd(isFollowing: boolean): void;
}

/** Frames of one stretch, and how many stretches are kept. */
const stretch = 500;
const stretchesMax = 60;
const findMax = 20_000;

/** Opens a source: at its end. */
export async function player(source: DataSource): Promise<Player> {
  let overview = await source.overview();
  const stretches = new Map<number, Window>();
  const loading = new Map<number, Promise<Window>>();
  const { start } = source;
  const listeners = new Set<() => void>();
  let state: ViewState;
  let wanted = overview.entries;
  let isFollowing = overview.isLive;
  let timer: ReturnType<typeof setInterval> | undefined;
  let cached: Shown | undefined;
  let trouble = '';

  const changed = () => {
    cached = undefined;
    for (const listener of listeners) listener();
  };
  const failed = (error: unknown) => {
    trouble = `What is asked for does not come: ${error instanceof Error ? error.message : String(error)}`;
    changed();
  };
  const indexOf = (position: number) => Math.floor((Math.max(1, position) - 1) / stretch);
  const frameAt = (position: number): Frame | undefined => {
    const window = stretches.get(indexOf(position));
    const first = window?.frames[0]?.position;
    return first === undefined ? undefined : window?.frames[position - first];
  };
  const load = async (index: number): Promise<Window> => {
    const known = stretches.get(index);
    const last = known?.frames.at(-1)?.position ?? 0;
    if (known !== undefined && (last === (index + 1) * stretch || (last > 0 && last >= overview.entries))) {
      stretches.delete(index);
      stretches.set(index, known);
      return known;
    }
    const under = loading.get(index);
    if (under !== undefined) {
      await under;
      // It may have been asked for before the run grew.
      return load(index);
    }
    const first = index * stretch + 1;
    const asked = source.window(first, first + stretch - 1).finally(() => loading.delete(index));
    loading.set(index, asked);
    const window = await asked;
    stretches.set(index, window);
    for (const oldest of stretches.keys()) {
      if (stretches.size <= stretchesMax) break;
      stretches.delete(oldest);
    }
    return window;
  };
  const moved = (from: ViewState, frames: readonly Frame[]) =>
    frames.reduce((now, { patches }) => applyPatches(now, patches as unknown as Patch[]), from);

  /** The state at `position`, from where the cursor is when the way is short, else from the stretch's beginning. */
  const stateAt = (position: number, window: Window): ViewState => {
    const { base, frames } = window;
    const isNear = state !== undefined && Math.abs(state.position - position) <= position - base.position;
    let now = isNear ? state : base;
    while (now.position < position) {
      const frame = frameAt(now.position + 1) ?? frames[now.position - base.position];
      if (frame === undefined) break;
      now = applyPatches(now, frame.patches as unknown as Patch[]);
    }
    while (now.position > position) {
      const frame = frameAt(now.position);
      if (frame === undefined) return moved(base, frames.slice(0, position - base.position));
      now = applyPatches(now, frame.inverse as unknown as Patch[]);
    }
    return now;
  };

  const go = async (position: number): Promise<void> => {
    const clipped = Math.max(start, Math.min(position, overview.entries));
    wanted = clipped;
    const index = indexOf(clipped);
    const here = stretches.get(index);
    const isHere = here !== undefined && (clipped === start || frameAt(clipped) !== undefined);
    if (!isHere) changed();
    let window = here;
    try {
      if (!isHere || window === undefined) window = await load(index);
    } catch (error) {
      if (wanted === clipped) wanted = state.position;
      failed(error);
      return;
    }
    if (wanted !== clipped) return;
    if (!isHere) trouble = '';
    state = stateAt(clipped, window);
    changed();
  };

  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    changed();
  };

  state = (await load(indexOf(overview.entries))).base;
  // A counterexample is opened where it is one.
  const violation = overview.marks.find(({ kind }) => kind === 'violation');
  if (violation !== undefined) isFollowing = false;
  await go(violation?.position ?? overview.entries);
  source.follow(
    (pulse) => {
      const grew = pulse.entries !== overview.entries || pulse.isLive !== overview.isLive;
      overview = { ...overview, ...pulse };
      trouble = '';
      changed();
      if (!grew) return;
      // Charts and marks come with new groups; the pulse does not carry them.
      source.overview().then((next) => {
        overview = next;
        changed();
        if (isFollowing) void go(overview.entries);
      }, failed);
    },
    () => failed('the program that serves this page has ended, or cannot be reached'),
  );

  const frames = async (from: number, to: number): Promise<readonly Frame[]> => {
    const last = Math.min(to, overview.entries);
    const found: Frame[] = [];
    try {
      for (let index = indexOf(Math.max(from, start + 1)); index * stretch < last; index += 1) {
        const window = await load(index);
        for (const frame of window.frames) if (frame.position >= from && frame.position <= last) found.push(frame);
      }
    } catch (error) {
      failed(error);
    }
    return found;
  };

  return {
    shown() {
      cached ??= {
        overview,
        start,
        state,
        frame: frameAt(state.position),
        isLoading: wanted !== state.position,
        isFollowing,
        isPlaying: timer !== undefined,
        trouble,
      };
      return cached;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    go(position) {
      if (position < overview.entries) isFollowing = false;
      return go(position);
    },
    frames,
    frameAt,
    async find(by, passes) {
      for (let position = wanted + by, tried = 0; tried < findMax; position += by, tried += 1) {
        if (position <= start || position > overview.entries) return undefined;
        if (frameAt(position) === undefined) await frames(position, position);
        const frame = frameAt(position);
        if (frame === undefined) return undefined;
        if (passes(frame)) return position;
      }
      return undefined;
    },
    play(entriesPerSecond) {
      clearInterval(timer);
      const everyMs = Math.max(16, 1000 / entriesPerSecond);
      const by = Math.max(1, Math.round((entriesPerSecond * everyMs) / 1000));
      timer = setInterval(() => {
        if (wanted >= overview.entries) stop();
        else void go(wanted + by);
      }, everyMs);
      changed();
    },
    stop,
    followEnd(follows) {
      isFollowing = follows;
      changed();
      if (follows) void go(overview.entries);
    },
  };
}
