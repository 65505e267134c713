/** Lines of a stream of bytes: split at `\n` and nowhere else, bounded, characters whole. */

/** Takes bytes, gives lines. */
export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** What stands after the last line break is a line too. */
  end(): void;
}

/** Who is given the lines, without their break. */
export interface LineTaker {
  onLine(line: string): void;
  /** A line of more than `bytesMax` bytes is left out; this many it had. */
  onTooLong(bytes: number): void;
}

const newline = 0x0a;

/** Holds at most `bytesMax` bytes and the present chunk. Bytes that are not UTF-8 become U+FFFD. */
export function lineSplitter(bytesMax: number, { onLine, onTooLong }: LineTaker): LineSplitter {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  const hold = (part: Uint8Array) => {
    heldBytes += part.length;
    if (heldBytes > bytesMax) held = [];
    // A copy: the chunk is its owner's.
    else if (part.length > 0) held.push(part.slice());
  };
  const finish = () => {
    const bytes = heldBytes;
    const parts = held;
    held = [];
    heldBytes = 0;
    if (bytes > bytesMax) return onTooLong(bytes);
    const line = decoder.decode(parts.length === 1 ? parts[0] : joined(parts, bytes));
    if (line.trim() !== '') onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  };
  return {
    push(chunk) {
      let from = 0;
      for (let to = chunk.indexOf(newline); to !== -1; to = chunk.indexOf(newline, from)) {
        hold(chunk.subarray(from, to));
        finish();
        from = to + 1;
      }
      hold(chunk.subarray(from));
    },
    end() {
      if (heldBytes > 0) finish();
    },
  };
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
