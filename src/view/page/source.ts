/** What the page has a run from; and a run that stands in a file. Without the browser, so that it is tested without one. */
import { applyPatches, enablePatches, type Patch } from 'immer';
import type { Entry } from '../../journal/port.ts';
import type { Divergence } from '../divergence.ts';
import type { Choice, Overview, ViewState, Window } from '../model.ts';

enablePatches();

/** An overview as the page gets it. */
export interface PageOverview extends Overview {
  /** What may be done from the page; empty when it only looks. */
  readonly canControl: readonly string[];
  /** There is another run that it is compared with. */
  readonly isCompared?: boolean;
}

/** A run's data. */
export interface DataSource {
  /** Position before the first entry that is here: 0, but in a file of the end of a large run. */
  readonly start: number;
  overview(): Promise<PageOverview>;
  window(from: number, to: number): Promise<Window>;
  entry(position: number): Promise<Entry>;
  /** Positions that an entry follows from, itself included. */
  why(position: number): Promise<readonly number[]>;
  /** Calls back when there is more, and when nobody tells any more whether there is; returns how to stop. */
  follow(changed: (pulse: Pulse) => void, lost: () => void): () => void;
  /** Where this run and the one that it is compared with part, the earliest first. */
  differences(): Promise<readonly Divergence[]>;
  /** What could happen next, where that is chosen by hand. */
  choices(): Promise<readonly Choice[]>;
  /** Does something to the run; resolves to what was done, in words. */
  act(name: string, argument: object): Promise<string>;
}

/** What is told while a run grows. */
export type Pulse = Pick<Overview, 'entries' | 'id' | 'isLive' | 'lastMs' | 'notices'>;

/** The whole of an exported run. */
export interface Exported {
  readonly overview: PageOverview;
  readonly window: Window;
  readonly entries: readonly Entry[];
}

/** A run that stands in this document: nothing of it changes, and nothing is fetched. */
export function exported({ overview, window, entries }: Exported): DataSource {
  const first = window.base.position;
  /** States of which one was asked for before; the file holds only the one before its first entry. */
  const states = [window.base];
  const stateAt = (position: number): ViewState => {
    const near = states.findLast((one) => one.position <= position) ?? window.base;
    const frames = window.frames.slice(near.position - first, position - first);
    const state = frames.reduce((now, { patches }) => applyPatches(now, patches as unknown as Patch[]), near);
    if (near !== state) states.splice(states.indexOf(near) + 1, 0, state);
    return state;
  };
  return {
    start: first,
    overview: () => Promise.resolve(overview),
    window(from, to) {
      const base = stateAt(Math.max(first, Math.min(from - 1, overview.entries)));
      return Promise.resolve({ base, frames: window.frames.slice(base.position - first, Math.max(0, to - first)) });
    },
    entry(position) {
      const entry = entries[position - first - 1];
      return entry === undefined
        ? Promise.reject(new Error(`entry ${position} is not in this file`))
        : Promise.resolve(entry);
    },
    why(position) {
      const found = new Set([position]);
      for (const next of found)
        for (const cause of window.frames[next - first - 1]?.causes ?? []) found.add(cause.position);
      return Promise.resolve([...found].sort((a, b) => a - b));
    },
    follow: () => () => {},
    choices: () => Promise.resolve([]),
    differences: () => Promise.resolve([]),
    act: () => Promise.reject(new Error('this is a file: nothing can be done to the run from here')),
  };
}
