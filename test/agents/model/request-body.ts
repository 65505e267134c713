/** Reading a request's body: bounded, unpacked as its `content-encoding` says. */
import type { IncomingMessage } from 'node:http';
import * as zlib from 'node:zlib';
import type { JsonValue } from '../../../src/json.ts';
import type { JsonObject } from './question.ts';

const bytesMax = 64 * 1024 * 1024;

/** A body that cannot be read, and the HTTP status that says so. */
export class BadBody extends Error {
  override readonly name = 'BadBody';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Unpack = (packed: Buffer, options: { readonly maxOutputLength: number }) => Buffer;

const unpackers: Readonly<Record<string, Unpack | undefined>> = {
  'identity': (packed) => packed,
  'gzip': zlib.gunzipSync,
  'x-gzip': zlib.gunzipSync,
  'deflate': zlib.inflateSync,
  'br': zlib.brotliDecompressSync,
  // From Node 22.15 on.
  'zstd': (zlib as { readonly zstdDecompressSync?: Unpack }).zstdDecompressSync,
};

/** The body as a JSON object. Throws {@link BadBody}. */
export async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new BadBody(413, `expected at most ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  const encodings = (request.headers['content-encoding'] ?? 'identity').split(',').map((name) => name.trim());
  let body: Buffer = Buffer.concat(chunks);
  for (const encoding of encodings.toReversed()) {
    const unpack = unpackers[encoding.toLowerCase()];
    if (unpack === undefined) throw new BadBody(415, `content-encoding \`${encoding}\` is not known here`);
    try {
      body = unpack(body, { maxOutputLength: bytesMax });
    } catch (error) {
      throw new BadBody(400, `the body is not ${encoding}: ${String(error)}`);
    }
  }
  let value: JsonValue;
  try {
    value = JSON.parse(body.toString('utf8')) as JsonValue;
  } catch (error) {
    throw new BadBody(400, `the body is not JSON: ${String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadBody(400, 'the body is not a JSON object');
  }
  return value as JsonObject;
}
