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
import type { Entry, JournalEvent } from './port.ts';

/** Version of the entries written here. Older ones are upcast when read; newer ones are JOURNAL_FORMAT. */
export const entryVersion = 1;

/** Bytes from `,"crc":"` to the closing brace. */
const tailBytes = 18;
const newline = 10;

const startText = `{"v":${entryVersion},"stream":"`;
const seqMark = '","seq":';
const atMark = ',"at":';
const typeMark = ',"type":"';
const dataMark = '","data":';
const epochText = ',"epoch":';
const moreText = ',"more":true';

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(crc: number): string {
  return `${hexPairs[crc >>> 24]}${hexPairs[(crc >>> 16) & 255]}${hexPairs[(crc >>> 8) & 255]}${hexPairs[crc & 255]}`;
}

/** Closes a JSON object, given without its last brace, with its checksum and a newline. */
export function sealLine(open: string): string {
  return `${open},"crc":"${hex(crc32(open))}"}\n`;
}

/** The line of an object that has no `crc` of its own. */
export function encodeObject(value: object): string {
  return sealLine(JSON.stringify(value).slice(0, -1));
}

/** The first part of every line of a stream; it never changes, so it is kept. */
export function linePrefix(stream: string): string {
  return `{"v":${entryVersion},"stream":${JSON.stringify(stream)},"seq":`;
}

const typeTexts = new Map<string, string>();

function typeText(type: string): string {
  let text = typeTexts.get(type);
  if (text === undefined) {
    if (typeof type !== 'string')
      throw new TroupeError('BAD_INPUT', `Expected an event type to be a string, got \`${String(type)}\`.`);
    if (typeTexts.size >= 1000) typeTexts.clear();
    typeTexts.set(type, (text = JSON.stringify(type)));
  }
  return text;
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
    `${prefix}${seq},"at":${event.at},"type":${typeText(event.type)},"data":${dataText(event)}${fold},"epoch":${epoch}${more ? ',"more":true' : ''}`,
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

/** What order is checked by, taken from a line without parsing all of it. */
export interface LineFacts {
  v: number;
  stream: string;
  seq: number;
  epoch: number;
  more: boolean;
}

const prefixStart = Buffer.from(startText);
const prefixEnd = Buffer.from(seqMark);
const moreMark = Buffer.from(',"more":true');
const epochMark = Buffer.from(',"epoch":');

function startsWith(bytes: Buffer, start: number, mark: Buffer): boolean {
  for (let index = 0; index < mark.length; index++) if (bytes[start + index] !== mark[index]) return false;
  return true;
}

function endsWith(bytes: Buffer, end: number, mark: Buffer): boolean {
  for (let index = 0; index < mark.length; index++) if (bytes[end - mark.length + index] !== mark[index]) return false;
  return true;
}

/**
 * Makes a reader of {@link LineFacts} for intact lines in [start, end): by bytes where a line looks as `encodeEntry` writes it, and by
 * `JSON.parse` otherwise. The same object is filled each time.
 */
export function factsReader(): (bytes: Buffer, start: number, end: number) => LineFacts {
  const facts: LineFacts = { v: 0, stream: '', seq: 0, epoch: 0, more: false };
  const streams = keeper();

  const fastFacts = (bytes: Buffer, start: number, end: number): boolean => {
    if (!startsWith(bytes, start, prefixStart)) return false;
    const from = start + prefixStart.length;
    let at = from;
    while (at < end && !(bytes[at] === 34 && bytes[at - 1] !== 92)) at++;
    if (!startsWith(bytes, at, prefixEnd)) return false;
    const stream = streams(bytes.toString('utf8', from, at));
    if (stream === undefined) return false;
    facts.stream = stream;
    at += prefixEnd.length;
    facts.v = 1;
    facts.seq = 0;
    for (; at < end; at++) {
      const digit = (bytes[at] ?? 0) - 48;
      if (digit < 0 || digit > 9) break;
      facts.seq = facts.seq * 10 + digit;
    }
    at = end - tailBytes;
    facts.more = endsWith(bytes, at, moreMark);
    if (facts.more) at -= moreMark.length;
    facts.epoch = 0;
    for (let scale = 1; at > start; at--, scale *= 10) {
      const digit = (bytes[at - 1] ?? 0) - 48;
      if (digit < 0 || digit > 9) break;
      facts.epoch += digit * scale;
    }
    return endsWith(bytes, at, epochMark);
  };

  return (bytes, start, end) => {
    if (fastFacts(bytes, start, end)) return facts;
    const raw = parseObject(bytes.toString('utf8', start, end));
    facts.v = Number(raw['v']);
    facts.stream = String(raw['stream']);
    facts.seq = Number(raw['seq']);
    facts.epoch = Number(raw['epoch']);
    facts.more = raw['more'] === true;
    return facts;
  };
}

/** Parses a line into an object. Throws SyntaxError when it is none. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not a JSON object');
  // Members of a parsed object are unknown until read one by one.
  return value as Readonly<Record<string, unknown>>;
}

/** How an entry of an older version becomes one of the next version; the key is the version it comes from. */
export type Upcasts = Readonly<
  Record<number, (old: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>>
>;

/** Parses a line's text, of any shape and version, into an entry of today's version. */
function decodeSlowly(text: string, upcasts: Upcasts): Entry {
  let raw = parseObject(text);
  while (raw['v'] !== entryVersion) {
    const version = raw['v'];
    const upcast = typeof version === 'number' && version < entryVersion ? upcasts[version] : undefined;
    if (upcast === undefined)
      throw new TroupeError(
        'JOURNAL_FORMAT',
        `An entry has version ${String(version)}; this troupe reads up to ${entryVersion}.`,
        { version },
      );
    raw = { ...upcast(raw), v: Number(version) + 1 };
  }
  const { stream, seq, at, type, data, fold, epoch } = raw;
  if (
    typeof stream !== 'string' ||
    typeof seq !== 'number' ||
    typeof at !== 'number' ||
    typeof type !== 'string' ||
    typeof epoch !== 'number' ||
    data === undefined
  ) {
    throw new SyntaxError('not an entry: a member is missing or of another type');
  }
  // Parsed JSON is JSON.
  const json = data as Entry['data'];
  return typeof fold === 'string'
    ? { v: entryVersion, stream, seq, at, type, data: json, fold, epoch }
    : { v: entryVersion, stream, seq, at, type, data: json, epoch };
}

/**
 * Makes a store of the few names that come again and again: from the inside of a JSON string to the string itself; undefined for one
 * that is not the inside of a JSON string. What is kept does not hold the line it was cut from.
 */
function keeper(): (inside: string) => string | undefined {
  const kept = new Map<string, string>();
  return (inside) => {
    const known = kept.get(inside);
    if (known !== undefined) return known;
    if (!/^(?:[^"\\]|\\.)*$/.test(inside)) return undefined;
    const text = String(JSON.parse(`"${inside}"`));
    if (kept.size >= 10_000) kept.clear();
    kept.set(Buffer.from(inside).toString(), text);
    return text;
  };
}

/**
 * Makes a reader of intact lines' texts. A line that looks as `encodeEntry` writes it has only its data parsed (that is most of the
 * cost); any other one is parsed whole. Throws SyntaxError for a line that is no entry, JOURNAL_FORMAT for a newer version.
 */
export function entryReader(upcasts: Upcasts): (text: string) => Entry {
  const streams = keeper();
  const types = keeper();

  /** The number between two places, NaN when something else stands there. */
  const integer = (text: string, from: number, to: number): number => {
    let value = from < to && to - from < 16 ? 0 : Number.NaN;
    for (let at = from; at < to; at++) {
      const digit = text.charCodeAt(at) - 48;
      value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN;
    }
    return value;
  };

  const decodeFast = (text: string): Entry | undefined => {
    const seqAt = text.indexOf(seqMark, startText.length);
    const atAt = text.indexOf(atMark, seqAt);
    const typeAt = text.indexOf(typeMark, atAt);
    const dataAt = text.indexOf(dataMark, typeAt);
    let end = text.length - tailBytes;
    if (text.endsWith(moreText, end)) end -= moreText.length;
    const epochAt = text.lastIndexOf(epochText, end);
    if (seqAt < 0 || atAt < 0 || typeAt < 0 || dataAt < 0 || epochAt < dataAt) return undefined;
    const seq = integer(text, seqAt + seqMark.length, atAt);
    const at = integer(text, atAt + atMark.length, typeAt);
    const epoch = integer(text, epochAt + epochText.length, end);
    const stream = streams(text.slice(startText.length, seqAt));
    const type = types(text.slice(typeAt + typeMark.length, dataAt));
    if (stream === undefined || type === undefined) return undefined;
    if (Number.isNaN(seq + at + epoch)) return undefined;
    if (text.charCodeAt(epochAt - 1) === 34) {
      // The data is a string, or a fold follows it.
      const { data, fold } = JSON.parse(`{${text.slice(dataAt + 2, epochAt)}}`) as Pick<Entry, 'data' | 'fold'>;
      return fold === undefined
        ? { v: entryVersion, stream, seq, at, type, data, epoch }
        : { v: entryVersion, stream, seq, at, type, data, fold, epoch };
    }
    return {
      v: entryVersion,
      stream,
      seq,
      at,
      type,
      data: JSON.parse(text.slice(dataAt + dataMark.length, epochAt)),
      epoch,
    };
  };

  return (text) => (text.startsWith(startText) ? decodeFast(text) : undefined) ?? decodeSlowly(text, upcasts);
}

/** Index of the next newline at or after `from`, -1 when there is none. */
export function nextNewline(bytes: Buffer, from: number): number {
  return bytes.indexOf(newline, from);
}
