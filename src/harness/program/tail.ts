/** The end of a stream of bytes, in bounded memory. */
export interface Tail {
  push(chunk: Uint8Array): void;
  /** What is kept, as text: bytes that are not UTF-8 become U+FFFD, a character cut by the bound is left out. */
  text(): string;
  /** More came than is kept. */
  isCut(): boolean;
}

/** Keeps the last `bytesMax` bytes; holds at most twice as many. */
export function tail(bytesMax: number): Tail {
  let kept = Buffer.alloc(0);
  let used = 0;
  let isCut = false;

  const makeRoom = (bytes: number) => {
    if (used + bytes <= kept.length) return;
    if (used + bytes > bytesMax * 2) {
      const keep = Math.max(0, bytesMax - bytes);
      kept.copyWithin(0, used - Math.min(keep, used), used);
      used = Math.min(keep, used);
    }
    if (used + bytes <= kept.length) return;
    const larger = Buffer.allocUnsafe(Math.min(bytesMax * 2, Math.max(1_024, (used + bytes) * 2)));
    kept.copy(larger, 0, 0, used);
    kept = larger;
  };

  return {
    push(chunk) {
      const end = chunk.length > bytesMax ? chunk.subarray(chunk.length - bytesMax) : chunk;
      if (used + chunk.length > bytesMax) isCut = true;
      makeRoom(end.length);
      kept.set(end, used);
      used += end.length;
    },
    text() {
      const end = kept.subarray(Math.max(0, used - bytesMax), used);
      return end.toString('utf8', isCut ? characterStart(end) : 0);
    },
    isCut: () => isCut,
  };
}

/** Bytes at the beginning that continue a character whose first byte is gone: at most 3. */
function characterStart(bytes: Uint8Array): number {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}

/**
 * How many bytes of `bytes` come before a UTF-8 character that is begun but not finished at its end: all but the
 * last 3 at least. Bytes that are not UTF-8 count as finished.
 */
export function finishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
