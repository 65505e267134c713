/** Bytes to lines: split on `\n` only (U+2028 is a character like others), in bounded memory. */

/** Longest line taken from an agent, bytes: 8 MiB. A longer one ends the connection. */
export const lineBytesMax = 8 * 2 ** 20;

const newline = 0x0a;

/** Lines of one stream of bytes. */
export interface Lines {
  /** Calls `onLine` for each line that `chunk` finishes, without its end. Throws a RangeError at a line longer than `bytesMax`. */
  push(chunk: Uint8Array): void;
  /** Calls `onLine` for what came after the last line's end. */
  end(): void;
}

/** Splits a stream into lines; bytes that are not UTF-8 become U+FFFD. Holds at most `bytesMax` bytes (default 8 MiB). */
export function lines(onLine: (line: string) => void, bytesMax: number = lineBytesMax): Lines {
  let held: Uint8Array[] = [];
  let heldBytes = 0;

  const hold = (part: Uint8Array) => {
    heldBytes += part.length;
    if (heldBytes > bytesMax) {
      held = [];
      throw new RangeError(`a line longer than ${bytesMax} bytes`);
    }
    if (part.length > 0) held.push(part);
  };
  const finish = () => {
    const line = Buffer.concat(held).toString('utf8');
    held = [];
    heldBytes = 0;
    onLine(line);
  };

  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        hold(chunk.subarray(start, end));
        finish();
        start = end + 1;
      }
      // Copied: the chunk is the stream's own memory.
      hold(chunk.slice(start));
    },
    end: finish,
  };
}
