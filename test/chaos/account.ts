/** What a host is told, and what it says: lines of a file that outlives it. */
import { crc32 } from 'node:zlib';
import { canonical, type Entry, type JsonValue } from '../../src/index.ts';
import type { ChaosInput } from './job.ts';
import type { Death } from './mortal.ts';

/** What a host is told to do. */
export interface HostOrders {
  readonly dir: string;
  readonly run: string;
  /** Where it says things, see {@link Said}. */
  readonly says: string;
  readonly input: ChaosInput;
  readonly snapshotEvery: number;
  readonly segmentBytesMax: number;
  readonly death?: Death;
  /** It takes every other holder for one on another machine, given up after so many ms of silence, and waits. */
  readonly foreignAfterMs?: number;
  /** It waits for a run that another host holds, looking every few ms. */
  readonly waits?: boolean;
  readonly leaseTtlMs?: number;
  readonly graceMs?: { readonly interrupt: number; readonly terminate: number };
}

/** One line of a host's account. */
export type Said =
  | {
      readonly type: 'acknowledged';
      readonly stream: string;
      readonly seq: number;
      readonly epoch: number;
      readonly sum: number;
      readonly at: number;
    }
  | { readonly type: 'alive'; readonly key: string; readonly pid: number; readonly earlier: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly details: JsonValue }
  | { readonly type: 'waiting' }
  | { readonly type: 'ended'; readonly result: JsonValue };

/** Checksum of an entry's content. */
export function sumOf(entry: Entry): number {
  return crc32(canonical(entry as unknown as JsonValue));
}
