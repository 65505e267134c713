/** The whole output of an attempt in a file, up to a bound. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finishedBytes } from './tail.ts';

/** A file that grows with a program’s output. */
export interface OutputFile {
  /** Appends; resolves when more may come. Never rejects. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the file, with a line that says how many bytes were left out. Resolves to why writing failed, if it did. */
  close(): Promise<Error | undefined>;
}

/** Appends to `path` at most `bytesMax` bytes, counted from now. A disk that fails stops the writing, not the program. */
export function outputFile(path: string, bytesMax: number): OutputFile {
  const stream = createWriteStream(path, { flags: 'a' });
  let error: Error | undefined;
  let left = bytesMax;
  let leftOut = 0;
  stream.on('error', (reason: Error) => {
    error ??= reason;
  });
  const closed = once(stream, 'close').catch(() => undefined);

  return {
    async write(chunk) {
      const part = chunk.length <= left ? chunk : chunk.subarray(0, finishedBytes(chunk.subarray(0, left)));
      left = part.length === chunk.length ? left - part.length : 0;
      leftOut += chunk.length - part.length;
      if (part.length === 0 || error !== undefined) return;
      if (!stream.write(part)) await Promise.race([once(stream, 'drain').catch(() => undefined), closed]);
    },
    async close() {
      if (leftOut > 0 && error === undefined) stream.write(`\n[${leftOut} more bytes were left out]\n`);
      stream.end();
      await closed;
      return error;
    },
  };
}
