/** An event's file, byte by byte as babysitter writes it: two spaces, a line feed, and a checksum over what stands before it. */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../../json.ts';

/** Data of an event: always an object. */
export type EventData = { readonly [field: string]: JsonValue };

/** What of an event stands in its file, besides the checksum. Keys keep their order. */
export interface EventBody {
  readonly type: string;
  /** ISO text. */
  readonly recordedAt: string;
  readonly data: EventData;
}

/** The text of an event's file. */
export function eventText({ type, recordedAt, data }: EventBody): string {
  const body = { type, recordedAt, data };
  return fileText({ ...body, checksum: checksumOf(body) });
}

/** Lower-case hex SHA-256 of the event's text without its checksum. `event` may have further fields, in their order. */
export function checksumOf(event: object): string {
  return createHash('sha256').update(fileText(event)).digest('hex');
}

/** JSON as it stands in all files of a run directory. */
export function fileText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
