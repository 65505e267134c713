/** Reading what a program writes, without waiting for ever for whoever else holds its outputs. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { finishedBytes } from './tail.ts';

/** Takes what a program writes, in order; the stream waits while it is pending. Characters come whole. */
export type Taker = (from: 'stdout' | 'stderr', chunk: Uint8Array) => Promise<void> | void;

/** After exit, what the program wrote is already in the pipe: somebody else who holds it may be silent this long, ms. */
const silenceMs = 250;
/** And may write this long before it is swept, ms. */
const afterlifeMs = 2_000;
/** Once that is done, the rest is read for this long at most, ms: somebody may have escaped the sweep. */
const restMs = 10_000;

/** Begins to read both outputs of `child`; the result says how far that is. */
export function drain(child: ChildProcess, onOutput: Taker) {
  let chunks = 0;
  let taking = 0;
  let bug: { readonly error: unknown } | undefined;

  /** Goes on reading when a taker throws, so that the program does not hang; `end` tells. */
  const take = async (from: 'stdout' | 'stderr', chunk: Uint8Array) => {
    if (bug !== undefined) return;
    taking += 1;
    try {
      await onOutput(from, chunk);
    } catch (error) {
      bug = { error };
    }
    taking -= 1;
  };
  const pump = async (stream: Readable | null, from: 'stdout' | 'stderr') => {
    let held = Buffer.alloc(0);
    try {
      for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>) {
        chunks += 1;
        const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
        const finished = finishedBytes(bytes);
        held = Buffer.from(bytes.subarray(finished));
        if (finished > 0) await take(from, bytes.subarray(0, finished));
      }
    } catch {
      // Destroyed in the middle, see `end`: what came so far is what there is.
    }
    if (held.length > 0) await take(from, held);
  };
  const pumped = Promise.all([pump(child.stdout, 'stdout'), pump(child.stderr, 'stderr')]);

  /** Resolves at the end of both outputs, when nothing has come for a while (a slow disk is not silence), or after `longestMs`. */
  const silent = async (longestMs: number) => {
    const until = performance.now() + longestMs;
    let isAtEnd = false;
    for (let before = -1; !isAtEnd && (chunks !== before || taking > 0) && performance.now() < until;) {
      before = chunks;
      isAtEnd = await isSettledWithin(pumped, silenceMs);
    }
  };
  return {
    /** Resolves when the program's own output has come. */
    quiet: () => silent(afterlifeMs),
    /** Resolves when both outputs are at their end, or given up. Rejects with what `onOutput` threw. */
    async end() {
      await silent(restMs);
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.stderr?.destroy();
      await pumped;
      if (bug !== undefined) throw bug.error;
    },
  };
}

async function isSettledWithin(promise: Promise<unknown>, waitMs: number): Promise<boolean> {
  const patience = new AbortController();
  const waited = delay(waitMs, false, { signal: patience.signal }).catch(() => false);
  const isSettled = await Promise.race([promise.then(() => true), waited]);
  patience.abort();
  return isSettled;
}
