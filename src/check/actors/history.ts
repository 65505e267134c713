import type { JsonValue } from '../../json.ts';

/** A message in flight. */
export interface Envelope {
  readonly from: string;
  readonly to: string;
  readonly event: { readonly type: string; readonly [name: string]: JsonValue };
}

/**
 * A record of what was sent and delivered so far, kept as a part of the state: for properties of whole runs. On one delivery the
 * delivered message is recorded first, then what it made its receiver send. Each of `always` is asked once for each distinct record.
 */
export interface History<Record extends JsonValue = JsonValue> {
  readonly initial: Record;
  sent?(record: Record, envelope: Envelope): Record;
  delivered?(record: Record, envelope: Envelope): Record;
  readonly always?: { readonly [name: string]: (record: Record) => boolean };
}
