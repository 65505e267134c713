/** gzip of streams of bytes, from node:zlib; its own CRC-32 covers what is packed. */
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

async function* through(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Buffer> {
  const done = pipeline(Readable.from(source), transform);
  done.catch(() => undefined);
  for await (const chunk of transform) yield chunk as Buffer;
  await done;
}

/** Packs. */
export function gzipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  return through(source, createGzip());
}

/** Unpacks. Throws the system's errors (`Z_DATA_ERROR`, `Z_BUF_ERROR`) for what is damaged or ends too early. */
export function gunzipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  return through(source, createGunzip());
}
