/**
 * The line codec. Every line of every file here is one JSON object whose last member is its own checksum:
 *
 *     {"v":1,"stream":"group:checks","seq":12, … ,"epoch":3,"crc":"1a2b3c4d"}\n
 *
 * `crc` is CRC-32 (ISO-HDLC, as in zlib) over the UTF-8 bytes of the line before `,"crc":"`, as eight lower-case hex digits.
 * So the checksum's place is known from the line's end, and `JSON.parse`, `jq` and `grep` read the line as it stands.
 */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../error.ts';
import { quoted } from '../json.ts';
import type { JournalEvent } from './port.ts';

/** Version of the entries written here. Older ones are upcast when read; newer ones are JOURNAL_FORMAT. */
export const entryVersion = 1;

/** Bytes from `,"crc":"` to the closing brace. */
export const tailBytes = 18;
const newline = 10;

/** What ends a line, before its checksum, when the next line belongs to the same append. */
export const moreText = ',"more":true';
const moreMark = Buffer.from(moreText);

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(crc: number): string {
  return `${hexPairs[crc >>> 24]}${hexPairs[(crc >>> 16) & 255]}${hexPairs[(crc >>> 8) & 255]}${hexPairs[crc & 255]}`;
}

/** CRC-32 of `bytes`, behind others whose CRC-32 is `before`. */
export function crcOf(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

/** Closes a JSON object, given without its last brace, with its checksum and a newline. */
export function sealLine(open: string): string {
  return `${open},"crc":"${hex(crc32(open))}"}\n`;
}

/** The line of an object that has no `crc` of its own; `blanks` stand before the checksum. */
export function encodeObject(value: object, blanks = ''): string {
  return sealLine(JSON.stringify(value).slice(0, -1) + blanks);
}

/** The first part of every line of a stream; it never changes, so it is kept. */
export function linePrefix(stream: string): string {
  return `{"v":${entryVersion},"stream":${JSON.stringify(stream)},"seq":`;
}

function typeText(type: string): string {
  if (typeof type !== 'string')
    throw new TroupeError('BAD_INPUT', `Expected an event type to be a string, got \`${String(type)}\`.`);
  return quoted(type);
}

function dataText(event: JournalEvent): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(event.data);
  } catch (error) {
    throw new TroupeError(
      'NOT_JSON',
      `The data of \`${event.type}\` cannot be written as JSON.`,
      { type: event.type },
      error,
    );
  }
  if (text === undefined)
    throw new TroupeError('NOT_JSON', `The data of \`${event.type}\` is ${typeof event.data}, not a JSON value.`, {
      type: event.type,
    });
  return text;
}

/** An event's line. `more` says that the next line belongs to the same append. Codes: BAD_INPUT, NOT_JSON, ENTRY_TOO_LARGE. */
export function encodeEntry(
  prefix: string,
  seq: number,
  epoch: number,
  event: JournalEvent,
  more: boolean,
  entryBytesMax: number,
): string {
  if (!Number.isFinite(event.at))
    throw new TroupeError(
      'BAD_INPUT',
      `Expected \`at\` of \`${event.type}\` to be a finite number of milliseconds, got \`${event.at}\`.`,
    );
  const fold = event.fold === undefined ? '' : `,"fold":${JSON.stringify(event.fold)}`;
  const line = sealLine(
    `${prefix}${seq},"at":${event.at},"type":${typeText(event.type)},"data":${dataText(event)}${fold},"epoch":${epoch}${more ? moreText : ''}`,
  );
  // A UTF-16 unit is at most three bytes: most lines need no count.
  if (line.length * 3 > entryBytesMax) {
    const bytes = Buffer.byteLength(line);
    if (bytes > entryBytesMax) {
      throw new TroupeError(
        'ENTRY_TOO_LARGE',
        `\`${event.type}\` takes ${bytes} bytes, more than entryBytesMax = ${entryBytesMax}.`,
        { type: event.type, bytes, entryBytesMax },
      );
    }
  }
  return line;
}

/** Parses a line into an object. Throws SyntaxError when it is none. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not a JSON object');
  // Members of a parsed object are unknown until read one by one.
  return value as Readonly<Record<string, unknown>>;
}

/** True when `mark` stands at `start`. */
export function startsWith(bytes: Buffer, start: number, mark: Buffer): boolean {
  for (let index = 0; index < mark.length; index++) if (bytes[start + index] !== mark[index]) return false;
  return true;
}

/** True when `mark` stands before `end`. */
export function endsWith(bytes: Buffer, end: number, mark: Buffer): boolean {
  for (let index = 0; index < mark.length; index++) if (bytes[end - mark.length + index] !== mark[index]) return false;
  return true;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  if (byte >= 97 && byte <= 102) return byte - 87;
  return -1;
}

const tailStart = Buffer.from(',"crc":"');

/** Why the line in [start, end) (without its newline) is not intact; undefined when it is. */
export function lineDamage(bytes: Buffer, start: number, end: number): string | undefined {
  const body = end - tailBytes;
  if (body <= start) return end === start ? 'the line is empty' : 'the line has no checksum';
  for (let index = 0; index < tailStart.length; index++) {
    if (bytes[body + index] !== tailStart[index]) return 'the line has no checksum at its end';
  }
  let written = 0;
  for (let index = body + 8; index < body + 16; index++) {
    const digit = hexDigit(bytes[index] ?? 0);
    if (digit < 0) return 'its checksum is not eight lower-case hex digits';
    written = (written << 4) | digit;
  }
  if (bytes[body + 16] !== 34 || bytes[body + 17] !== 125) return 'the line does not end with its checksum';
  const actual = crc32(bytes.subarray(start, body));
  return actual === written >>> 0
    ? undefined
    : `its checksum is ${hex(actual)}, but ${hex(written >>> 0)} is written in it`;
}

/**
 * Looks at an unfinished last line. `complete`: an append's last line that lacks only its newline. `damaged`: a whole line with something else
 * where its newline should be, which no torn write can leave. `torn`: anything else, such as the beginning of a line.
 */
export function judgeTail(bytes: Buffer): 'complete' | 'damaged' | 'torn' {
  for (let at = bytes.indexOf(tailStart); at >= 0; at = bytes.indexOf(tailStart, at + 1)) {
    const end = at + tailBytes;
    if (end > bytes.length || lineDamage(bytes, 0, end) !== undefined) continue;
    if (end < bytes.length) return 'damaged';
    return endsWith(bytes, at, moreMark) ? 'torn' : 'complete';
  }
  return 'torn';
}

/** Index of the next newline at or after `from`, -1 when there is none. */
export function nextNewline(bytes: Buffer, from: number): number {
  return bytes.indexOf(newline, from);
}
