/**
 * Entries whose data is parsed when it is first looked at: whoever takes up a run looks at all entries, but only at the data of some.
 */
import type { JsonValue } from '../json.ts';
import { entryReader, keeper, type Upcasts } from './decode.ts';
import { entryVersion, moreText, tailBytes } from './line.ts';
import type { Entry } from './port.ts';

class LazyEntry {
  readonly v = entryVersion;
  readonly stream: string;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly fold: string | undefined;
  readonly epoch: number;
  /** The log's text, until the data is parsed. */
  #text: string | undefined;
  #from: number;
  #to: number;
  #data: JsonValue = null;

  constructor(
    facts: Pick<Entry, 'stream' | 'seq' | 'at' | 'type' | 'epoch'>,
    fold: string | undefined,
    text: string,
    from: number,
    to: number,
  ) {
    this.stream = facts.stream;
    this.seq = facts.seq;
    this.at = facts.at;
    this.type = facts.type;
    this.fold = fold;
    this.epoch = facts.epoch;
    this.#text = text;
    this.#from = from;
    this.#to = to;
  }

  get data(): JsonValue {
    if (this.#text !== undefined) {
      this.#data = this.parsed();
      this.#text = undefined;
    }
    return this.#data;
  }

  /** The data, not kept here. */
  parsed(): JsonValue {
    return this.#text === undefined ? this.#data : (JSON.parse(this.#text.slice(this.#from, this.#to)) as JsonValue);
  }
}

/** The entry as a plain object, its data parsed, which the lazy one does not keep: of a log that is folded most data is garbage at once. */
export function plainEntry(entry: Entry): Entry {
  if (!(entry instanceof LazyEntry)) return entry;
  const { v, stream, seq, at, type, fold, epoch } = entry;
  const data = entry.parsed();
  return fold === undefined
    ? { v, stream, seq, at, type, data, epoch }
    : { v, stream, seq, at, type, data, fold, epoch };
}

const startText = `{"v":${entryVersion},"stream":"`;
const seqMark = '","seq":';
const atMark = ',"at":';
const typeMark = ',"type":"';
const dataMark = '","data":';
const foldMark = ',"fold":"';
const epochMark = ',"epoch":';

/** The number between two places, NaN when something else stands there. */
function integer(text: string, from: number, to: number): number {
  let value = from < to && to - from < 16 ? 0 : Number.NaN;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN;
  }
  return value;
}

/** Makes a reader of intact lines, each the part [start, end) of a text. A line that does not look as it is written here is parsed whole, at once. */
export function lazyReader(upcasts: Upcasts): (text: string, start: number, end: number) => Entry {
  const streams = keeper();
  const types = keeper();
  const eager = entryReader(upcasts);
  /** How the line before began: most lines are of the stream of their neighbours. */
  let lastStart = '';
  let lastStream = '';
  const facts = { stream: '', seq: 0, at: 0, type: '', epoch: 0 };

  const read = (text: string, start: number, end: number): LazyEntry | undefined => {
    let seqFrom = start + lastStart.length;
    if (lastStart === '' || !text.startsWith(lastStart, start)) {
      if (!text.startsWith(startText, start)) return undefined;
      const seqAt = text.indexOf(seqMark, start + startText.length);
      if (seqAt < 0 || seqAt > end) return undefined;
      const stream = streams(text.slice(start + startText.length, seqAt));
      if (stream === undefined) return undefined;
      lastStream = stream;
      seqFrom = seqAt + seqMark.length;
      lastStart = text.slice(start, seqFrom);
    }
    const atAt = text.indexOf(atMark, seqFrom);
    const typeAt = text.indexOf(typeMark, atAt);
    const dataAt = text.indexOf(dataMark, typeAt);
    let close = end - tailBytes;
    if (text.endsWith(moreText, close)) close -= moreText.length;
    const epochAt = text.lastIndexOf(epochMark, close);
    if (atAt < 0 || typeAt < 0 || dataAt < 0 || epochAt < dataAt) return undefined;
    facts.stream = lastStream;
    facts.seq = integer(text, seqFrom, atAt);
    facts.at = integer(text, atAt + atMark.length, typeAt);
    facts.epoch = integer(text, epochAt + epochMark.length, close);
    const type = types(text.slice(typeAt + typeMark.length, dataAt));
    if (type === undefined || Number.isNaN(facts.seq + facts.at + facts.epoch)) return undefined;
    facts.type = type;
    const dataFrom = dataAt + dataMark.length;
    if (text.charCodeAt(epochAt - 1) !== 34) return new LazyEntry(facts, undefined, text, dataFrom, epochAt);
    // The data is a string, or a fold follows it. Inside a string the mark's quotes are escaped, so this one is none of a string's.
    const foldAt = text.lastIndexOf(foldMark, epochAt);
    const foldFrom = foldAt + foldMark.length;
    if (foldAt < dataFrom || text.indexOf('"', foldFrom) !== epochAt - 1) return undefined;
    const fold = text.slice(foldFrom, epochAt - 1);
    return fold.includes('\\') ? undefined : new LazyEntry(facts, fold, text, dataFrom, foldAt);
  };

  return (text, start, end) => (read(text, start, end) as Entry | undefined) ?? eager(text.slice(start, end));
}
