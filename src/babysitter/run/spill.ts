/** Values that are too large for an event of the run's journal: in `blobs`, under the hash of their content. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../json.ts';
import { fileText } from './event-text.ts';
import { readObject } from './read-run.ts';
import { place, stage, syncFolder } from './staging.ts';

/** Largest value that stands in an event itself, bytes of JSON. */
export const spillBytesMin = 65_536;

/** The value, or where it is now; durable. */
export function spill(runDir: string, value: JsonValue): JsonValue {
  const text = fileText({ value });
  if (Buffer.byteLength(text) <= spillBytesMin) return value;
  const name = `troupe-${createHash('sha256').update(text).digest('hex')}.json`;
  const folder = join(runDir, 'blobs');
  if (!existsSync(join(folder, name))) {
    mkdirSync(folder, { recursive: true });
    place(stage(runDir, text), join(folder, name));
    syncFolder(folder);
  }
  return { troupeBlob: name };
}

/** The value again; undefined when its file is gone. */
export function unspill(runDir: string, value: JsonValue | undefined): JsonValue | undefined {
  const name = (value as { readonly troupeBlob?: unknown } | null | undefined)?.troupeBlob;
  if (typeof name !== 'string' || !/^troupe-[0-9a-f]{64}\.json$/.test(name)) return value;
  return readObject(join(runDir, 'blobs', name))?.['value'] as JsonValue | undefined;
}
