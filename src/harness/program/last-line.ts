/** What a program is doing now: its last line, fit for one line of somebody else's terminal. */
import { stripVTControlCharacters } from 'node:util';

/** Longest line reported, UTF-16 units. */
const lineMax = 200;
/** Bytes of an unfinished line that are remembered. */
const unfinishedMax = 4_096;

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Takes the chunks of one stream; returns the last non-empty line after each, finished or not, when it changed. Escape
 * sequences and control characters are taken out, 200 UTF-16 units are kept. A carriage return begins a new line.
 */
export function lastLine(): (chunk: Uint8Array) => string | undefined {
  let unfinished = Buffer.alloc(0);
  let reported: string | undefined;
  return (chunk) => {
    const bytes = Buffer.concat([unfinished, chunk.subarray(Math.max(0, chunk.length - unfinishedMax))]);
    let end = bytes.length;
    let line = '';
    let isFirst = true;
    while (end > 0 && line === '') {
      const start = lineStart(bytes, end);
      if (isFirst) unfinished = Buffer.from(bytes.subarray(start, Math.min(end, start + unfinishedMax)));
      isFirst = false;
      line = cleaned(bytes.subarray(start, Math.min(end, start + unfinishedMax)));
      end = start - 1;
    }
    if (line === '' || line === reported) return undefined;
    reported = line;
    return line;
  };
}

/** Where the line that ends at `end` begins. */
function lineStart(bytes: Uint8Array, end: number): number {
  let start = end;
  while (start > 0 && bytes[start - 1] !== newline && bytes[start - 1] !== carriageReturn) start -= 1;
  return start;
}

/** One line of plain text: no escape sequences, not even half a one, no control characters, no half characters. */
export function cleaned(line: Uint8Array): string {
  const text = new TextDecoder().decode(line, { stream: true });
  return plainLine(text);
}

/** Takes escape sequences and control characters out of one line and bounds it to 200 UTF-16 units. */
export function plainLine(text: string): string {
  const plain = plainText(text);
  return plain.length > lineMax ? `${plain.slice(0, lineMax - 1).replace(/[\ud800-\udbff]$/, '')}…` : plain;
}

/** Takes escape sequences and control characters out of a text, which is one line then, however long. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\u001b[^\u0040-\u007e]*$|\u001b\[[0-9;?]*$/, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim();
}
