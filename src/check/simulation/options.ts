/** What is simulated, and what may go wrong. */
import type { Answer } from '../../process/outside.ts';
import type { Process } from '../../process/define-process.ts';
import type { RunOptions } from '../../process/held-run.ts';
import type { Attempt, Outcome } from '../../harness/port.ts';
import type { JsonValue } from '../../json.ts';
import type { Entry } from '../../journal/port.ts';
import type { Random } from './random.ts';

/** How much of what goes wrong. Each is a most; how often and when is up to the seed. */
export interface SimulatedFaults {
  /** Hosts that are killed, each at any call of the file system. Default 3. */
  readonly kills?: number;
  /** After a kill the machine may have lost power: what was not flushed is gone. Default true. */
  readonly powerCuts?: boolean;
  /** Hosts whose disk fails once, or for good (EIO, ENOSPC, EACCES). Default 1. */
  readonly diskErrors?: number;
  /** An attempt takes up to so long, ms of the simulated time. Default 10,000. */
  readonly slowMs?: number;
  /** Share of attempts that come to their end although they were told to stop. Default 0.2. */
  readonly late?: number;
  /** Between two hosts the machine's clock is set on, or back, by up to so much, ms. Default 600,000. */
  readonly clockJumpMs?: number;
}

/** What {@link simulate} needs. */
export interface SimulateOptions {
  /** Whatever is the same of two simulations is so because their seed is. */
  readonly seed: string;
  readonly process: Process<never, unknown>;
  readonly input?: JsonValue;
  /**
   * What an attempt comes to; decided by the seed and the attempt's key alone, so that one that is made again after a crash comes to
   * the same. Default: well in four of five cases, else a failure of any class.
   */
  outcome?(attempt: Pick<Attempt, 'attempt' | 'group' | 'invocation' | 'member'>, random: Random): Outcome;
  /** What an attempt does before that: sends, reads. Default nothing. */
  play?(attempt: Attempt, random: Random): Promise<void>;
  /** How an open gate is answered. Default: approved in three of four cases. */
  answer?(gate: Pick<Answer, 'gate' | 'group'>, random: Random): boolean;
  readonly faults?: SimulatedFaults;
  /** Anything else of the run: schemas, budget, breaker, more harnesses. */
  readonly options?: Partial<Omit<RunOptions, 'clock' | 'observer' | 'process' | 'run' | 'store'>>;
  /** Entries after which a run is given up as one that never ends. Default 20,000. */
  readonly entriesMax?: number;
}

/** How a simulation went. */
export interface Simulated {
  readonly seed: string;
  /** `waiting`: for something of the outside that no answer of ours is for. */
  readonly status: 'cancelled' | 'completed' | 'failed' | 'waiting';
  /** Of a run that completed. */
  readonly output?: JsonValue;
  readonly entries: readonly Entry[];
  readonly hosts: number;
  readonly killed: number;
  readonly diskErrors: number;
  /** Attempts that were performed, those made again included. */
  readonly performed: number;
  /** Simulated time, ms. */
  readonly tookMs: number;
}
