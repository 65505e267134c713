/** The least that durable writing costs: the same bytes to a file, flushed, and nothing else. */
import { closeSync, constants, fdatasync, fdatasyncSync, openSync, write, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** One after the other, blocking: write, fdatasync. Returns ms. */
export function blockingLoop(path: string, lines: readonly string[]): number {
  const file = openSync(path, 'a');
  const startedMs = performance.now();
  for (const line of lines) {
    writeSync(file, Buffer.from(line));
    fdatasyncSync(file);
  }
  const ms = performance.now() - startedMs;
  closeSync(file);
  return ms;
}

/** As {@link blockingLoop}, with a file whose writes are flushed by themselves (O_DSYNC): one call instead of two. Linux only. */
export function oneCallLoop(path: string, lines: readonly string[]): number {
  const file = openSync(path, constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND | constants.O_DSYNC);
  const startedMs = performance.now();
  for (const line of lines) writeSync(file, Buffer.from(line));
  const ms = performance.now() - startedMs;
  closeSync(file);
  return ms;
}

function flushed(file: number, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  return new Promise((resolve, reject) => {
    write(file, bytes, 0, bytes.length, null, (failed) => {
      if (failed) reject(failed);
      else fdatasync(file, (error) => (error ? reject(error) : resolve()));
    });
  });
}

/** One after the other through the thread pool: write, fdatasync, each awaited; a text may hold several lines. Returns ms. */
export async function flushEach(path: string, lines: readonly string[]): Promise<number> {
  const file = openSync(path, 'a');
  const startedMs = performance.now();
  for (const line of lines) await flushed(file, line);
  const ms = performance.now() - startedMs;
  closeSync(file);
  return ms;
}

/** Group commit and nothing else: what waits goes together in one write and one fdatasync. `inFlight` lines wait at a time. Returns ms. */
export function groupCommit(path: string, lines: readonly string[], inFlight: number): Promise<number> {
  return commitAll(path, lines, inFlight, (line) => line);
}

/**
 * {@link groupCommit} of entries that are still objects: each becomes JSON with a CRC-32 behind it when it is appended, which is the least
 * that any log of checked lines does. Nothing is folded, validated or fenced.
 */
export function groupCommitEncoding(path: string, entries: readonly object[], inFlight: number): Promise<number> {
  return commitAll(path, entries, inFlight, (entry) => {
    const text = JSON.stringify(entry).slice(0, -1);
    return `${text},"crc":"${crc32(text).toString(16).padStart(8, '0')}"}\n`;
  });
}

async function commitAll<Item>(
  path: string,
  items: readonly Item[],
  inFlight: number,
  encode: (item: Item) => string,
): Promise<number> {
  const file = openSync(path, 'a');
  let waiting: { readonly line: string; readonly resolve: () => void }[] = [];
  let isBusy = false;

  const flush = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await flushed(file, batch.map(({ line }) => line).join(''));
      for (const { resolve } of batch) resolve();
      // Those who were just answered may join the next batch.
      await Promise.resolve();
    }
    isBusy = false;
  };
  const append = (line: string) =>
    new Promise<void>((resolve) => {
      waiting.push({ line, resolve });
      if (isBusy) return;
      isBusy = true;
      queueMicrotask(() => void flush());
    });

  let next = 0;
  const loop = async () => {
    while (next < items.length) {
      const item = items[next] as Item;
      next += 1;
      await append(encode(item));
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, loop));
  const ms = performance.now() - startedMs;
  closeSync(file);
  return ms;
}
