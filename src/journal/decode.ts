/**
 * Reading lines known to be intact. Most of the cost is `JSON.parse`, so lines that look as `encodeEntry` writes them have only their data
 * parsed, or nothing when another stream is wanted; any other line is parsed whole.
 */
import { TroupeError } from '../error.ts';
import { endsWith, entryVersion, moreText, parseObject, startsWith, tailBytes } from './line.ts';
import type { Entry } from './port.ts';

/** What order is checked by, taken from a line without parsing all of it. */
export interface LineFacts {
  v: number;
  stream: string;
  seq: number;
  epoch: number;
  more: boolean;
}

const startText = `{"v":${entryVersion},"stream":"`;
const seqMark = '","seq":';
const atMark = ',"at":';
const typeMark = ',"type":"';
const dataMark = '","data":';
const epochText = ',"epoch":';

const prefixStart = Buffer.from(startText);
const prefixEnd = Buffer.from(seqMark);
const moreMark = Buffer.from(moreText);
const epochMark = Buffer.from(epochText);

/**
 * Makes a reader of {@link LineFacts} for intact lines in [start, end): by bytes where a line looks as `encodeEntry` writes it, and by
 * `JSON.parse` otherwise. The same object is filled each time.
 */
export function factsReader(): (bytes: Buffer, start: number, end: number) => LineFacts {
  const facts: LineFacts = { v: 0, stream: '', seq: 0, epoch: 0, more: false };
  const streams = keeper();
  /** The stream's name as it stood in the line before, with what follows it: most lines are of the stream of their neighbours. */
  let lastName = Buffer.from([0]);
  let lastStream = '';

  const fastFacts = (bytes: Buffer, start: number, end: number): boolean => {
    if (!startsWith(bytes, start, prefixStart)) return false;
    const from = start + prefixStart.length;
    let at = from;
    if (startsWith(bytes, from, lastName)) {
      at += lastName.length;
    } else {
      while (at < end && !(bytes[at] === 34 && bytes[at - 1] !== 92)) at++;
      if (!startsWith(bytes, at, prefixEnd)) return false;
      const stream = streams(bytes.toString('utf8', from, at));
      if (stream === undefined) return false;
      lastStream = stream;
      at += prefixEnd.length;
      lastName = Buffer.from(bytes.subarray(from, at));
    }
    facts.stream = lastStream;
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
export function keeper(): (inside: string) => string | undefined {
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
