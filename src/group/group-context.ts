/** What a living group needs of the host that drives it. */
import type { Clock } from '../clock.ts';
import type { Harnesses } from '../harness/port.ts';
import type { Journal } from '../journal/port.ts';
import type { JsonValue } from '../json.ts';
import type { Bounds } from './bounds.ts';
import type { Definition } from './definition.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Observer } from './observer.ts';
import type { Timers } from './timers.ts';

/** One per host. */
export interface GroupContext {
  readonly run: string;
  readonly journal: Journal;
  readonly epoch: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly dispatcher: Dispatcher;
  readonly harnesses: Harnesses;
  readonly defaultHarness: string | undefined;
  readonly observer: Required<Observer>;
  /** A snapshot is written after this many entries. */
  readonly snapshotEvery: number;
  /** Largest outcome or signal that is taken, bytes of JSON. */
  readonly payloadBytesMax: number;
  /** Signals that may wait for the journal at once, per group. */
  readonly inboxMax: number;
  /** Least time between two recorded progress reports of one member, ms. */
  readonly progressEveryMs: number;
  /** Attempts of one invocation that may be lost to host crashes. */
  readonly interruptionsMax: number;
  /** False for an outside orchestrator: nothing is performed here, wants are listed instead. */
  readonly performs: boolean;
  /** Where a harness may write; trouble with it is the host's, and stops it. */
  sideFile(name: string): Promise<string | undefined>;
  /** Tells the observer what the journal has found since it was last asked. */
  tellNotices(): void;
  /** The journal failed, or a fold diverged: the host stops. */
  fatal(error: unknown): void;
}

/** What a group is opened with. */
export interface GroupOptions {
  readonly name: string;
  readonly definition: Definition;
  readonly input: JsonValue;
  /** Attempts at once. */
  readonly concurrency: number;
  readonly bounds: Bounds;
}
