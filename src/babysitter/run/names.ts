/**
 * Names of the files in a run directory of babysitter: an event's place and ULID stand in its file's name only. Its readers sort names as
 * texts, and demand places without a gap and ULIDs that grow.
 */
import { randomBytes } from 'node:crypto';

/** The layout that is understood; run directories that say another one are refused. */
export const layoutVersion = '2026.01-storage-preview';

/** Names are sorted as texts: a place of more than six digits would stand before others. */
export const seqMax = 999_999;

/** An event's place (1 for the first) and ULID, from its file's name. */
export interface EventName {
  readonly seq: number;
  readonly ulid: string;
}

/** The name of an event's file. */
export function eventFile({ seq, ulid }: EventName): string {
  return `${String(seq).padStart(6, '0')}.${ulid}.json`;
}

/** What an event's file name says; undefined for any other file. */
export function parseEventFile(name: string): EventName | undefined {
  const found = /^(\d+)\.([^.]+)\.json$/.exec(name);
  if (found === null) return undefined;
  return { seq: Number(found[1]), ulid: found[2] as string };
}

/** A file that babysitter has begun and not renamed into place: whose it is. Undefined for any other file. */
export function parseTempFile(name: string): { readonly pid: number; readonly seq: number | undefined } | undefined {
  const found = /\.tmp-(\d+)-\d+(-\d+)?$/.exec(name);
  if (found === null) return undefined;
  const seq = /^\d+(?=\.)/.exec(name)?.[0];
  return { pid: Number(found[1]), seq: seq === undefined ? undefined : Number(seq) };
}

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** A ULID of this moment (ms since 1970) that is greater than `last`, whatever the clock says. */
export function ulidAfter(last: string | undefined, nowMs: number): string {
  let time = '';
  for (let rest = nowMs, index = 0; index < 10; index += 1) {
    time = (alphabet[rest % 32] as string) + time;
    rest = Math.floor(rest / 32);
  }
  let chance = '';
  for (const byte of randomBytes(16)) chance += alphabet[byte & 31] as string;
  const fresh = time + chance;
  if (last === undefined || fresh > last) return fresh;
  return ulidPattern.test(last) ? successor(last) : `${last}0`;
}

/** The least ULID that is greater. */
function successor(ulid: string): string {
  const digits = Array.from(ulid);
  for (let at = digits.length - 1; at >= 0; at -= 1) {
    const value = alphabet.indexOf(digits[at] as string);
    if (value < 31) {
      digits[at] = alphabet[value + 1] as string;
      return digits.join('');
    }
    digits[at] = '0';
  }
  return `${ulid}0`;
}
