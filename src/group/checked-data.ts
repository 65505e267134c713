/** What an attempt hands in besides messages and its outcome, checked before it is on its way to the journal: there, it would stop the host. */
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import { bytesOver } from './json-bytes.ts';

/** `value` as plain JSON of at most `bytesMax` bytes. Codes: NOT_JSON, ENTRY_TOO_LARGE. */
export function checkedData(value: unknown, label: string, bytesMax: number): JsonValue {
  const data = toJson(value, label);
  const bytes = bytesOver(data, bytesMax);
  if (bytes === undefined) return data;
  throw new TroupeError(
    'ENTRY_TOO_LARGE',
    `${label}: expected at most ${bytesMax} bytes of JSON (payloadBytesMax), got ${bytes}; put large data into a file and pass its path.`,
  );
}
