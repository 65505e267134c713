import type { JsonValue } from '../json.ts';

/** Bytes of `value` as JSON when they are more than `bytesMax`, else undefined. Counted only where a rough bound does not do. */
export function bytesOver(value: JsonValue, bytesMax: number): number | undefined {
  if (roughBytes(value) <= bytesMax) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes > bytesMax ? bytes : undefined;
}

/** At least as many bytes as JSON takes: a UTF-16 unit takes six at most (`\u0007`), a number 25. */
function roughBytes(value: JsonValue): number {
  if (typeof value === 'string') return value.length * 6 + 2;
  if (typeof value !== 'object' || value === null) return 25;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) bytes += roughBytes(item) + 1;
    return bytes;
  }
  const object = value as { readonly [key: string]: JsonValue };
  for (const key of Object.keys(object)) bytes += key.length * 6 + 4 + roughBytes(object[key] as JsonValue);
  return bytes;
}
