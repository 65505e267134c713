/** Text in terminal columns: wide characters take two, marks none. */
import { plainText } from '../harness/program/last-line.ts';

let segmenter: Intl.Segmenter | undefined;
/** The characters of `text` as people count them. The tables for it take 12 ms to load: only when there is something to find out. */
const charactersOf = (text: string) =>
  (segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })).segment(text);

const wide =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;
const plain = /^[\u0020-\u007e]*$/;
/** Nothing but characters that take one column and join with none: Latin, punctuation, arrows, frames and blocks, and our ticks. */
const oneColumnEach =
  /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u25fc\u2713\u2717]*$/;

/** Columns that one character takes. */
function columnsOf(character: string): number {
  if (wide.test(character)) return 2;
  return /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]*$/u.test(character) ? 0 : 1;
}

/** Columns that `text` takes; it holds no escape sequences. */
export function widthOf(text: string): number {
  if (oneColumnEach.test(text)) return text.length;
  let width = 0;
  for (const { segment } of charactersOf(text)) width += columnsOf(segment);
  return width;
}

/** A name of somebody's choice on one line: without what would write elsewhere on the terminal. */
export function nameText(name: string): string {
  return plain.test(name) ? name : plainText(name);
}

/** `text` in at most `columns` columns, its end replaced by `…` where it is too long. */
export function fit(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (widthOf(text) <= columns) return text;
  if (oneColumnEach.test(text)) return `${text.slice(0, columns - 1)}…`;
  let width = 1;
  let kept = '';
  for (const { segment } of charactersOf(text)) {
    width += columnsOf(segment);
    if (width > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** `text` in exactly `columns` columns. */
export function column(text: string, columns: number): string {
  const fitted = fit(text, columns);
  return fitted + ' '.repeat(Math.max(0, columns - widthOf(fitted)));
}

/** A whole number with its thousands apart: `12,500`. What Intl has for this takes 5 ms to load. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 member`, `2 members`. */
export function count(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** How long, as a person would say it: `0.4s`, `41s`, `2m 05s`, `1h 02m`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${two(Math.floor(seconds) % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

/** Time of day, local: `09:41:07`. */
export function timeOf(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Day and time, local: `2026-11-22 09:41:07`. */
export function momentOf(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOf(at)}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
