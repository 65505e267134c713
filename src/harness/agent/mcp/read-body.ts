/** The body of a request: read to its end within bounds, as JSON; anything else is an answer, never an exception. */
import type { IncomingMessage } from 'node:http';

/** Arrays and objects may stand in each other this deep: nothing that is sent here needs more, and recursion is safe. */
const depthMax = 200;

/** A body, or what to answer instead. */
export type Body = { readonly value: unknown } | { readonly status: number; readonly why: string };

/** Reads a body of at most `bytesMax`. Undefined when the connection ended first. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Body | undefined> {
  const { headers } = request;
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') return { status: 415, why: 'expected Content-Type: application/json' };
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    return { status: 415, why: 'expected a body without Content-Encoding' };
  const tooLarge: Body = { status: 413, why: `expected a body of at most ${bytesMax} bytes` };
  if (Number(headers['content-length'] ?? 0) > bytesMax) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) return tooLarge;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    if (isDeeperThan(text, depthMax)) return { status: 400, why: `expected JSON of at most ${depthMax} levels` };
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { status: 400, why: 'expected JSON in UTF-8' };
  }
}

/** Whether brackets stand in each other deeper than `max`, those in strings left out. */
function isDeeperThan(text: string, max: number): boolean {
  let depth = 0;
  let isText = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isText) {
      if (code === backslash) index += 1;
      else if (code === quote) isText = false;
    } else if (code === quote) isText = true;
    else if (code === bracket || code === brace) {
      depth += 1;
      if (depth > max) return true;
    } else if (code === bracket + 2 || code === brace + 2) depth -= 1;
  }
  return false;
}

const quote = 0x22;
const backslash = 0x5c;
const bracket = 0x5b;
const brace = 0x7b;
