/** Names that become file names: what is allowed, and how the rest is written. */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../error.ts';

const runPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** True for a run id: 1–128 letters, digits, `.`, `_`, `-`, the first a letter or digit. */
export function isRunId(run: string): boolean {
  return runPattern.test(run);
}

/** Throws BAD_INPUT unless `run` is a run id. */
export function checkRunId(run: string): void {
  if (typeof run !== 'string' || !isRunId(run)) {
    throw new TroupeError(
      'BAD_INPUT',
      `Expected a run id of 1 to 128 letters, digits, \`.\`, \`_\`, \`-\`, beginning with a letter or digit, got \`${String(run)}\`.`,
      { run },
    );
  }
}

/** Throws BAD_INPUT unless `stream` is a stream's name: 1–512 UTF-16 units. */
export function checkStream(stream: string): void {
  if (typeof stream !== 'string' || stream.length === 0 || stream.length > 512) {
    throw new TroupeError('BAD_INPUT', `Expected a stream's name of 1 to 512 characters, got \`${String(stream)}\`.`, {
      stream,
    });
  }
}

const plain = /^[A-Za-z0-9_.,:=@+-]$/;

/** One file name's part for any text: readable where it can be, always short enough, never `.` or `..`. */
export function encodeName(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    encoded +=
      plain.test(character) && !(encoded === '' && character === '.') && character !== ':'
        ? character
        : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded.length <= 120 ? encoded : `${encoded.slice(0, 100)}~${crc32(text).toString(16)}`;
}

/** A side file's path inside its folder: parts between `/` are encoded. Throws BAD_INPUT for an empty part. */
export function encodePath(name: string): readonly string[] {
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new TroupeError('BAD_INPUT', `Expected a side file's name such as \`checks/lint.1.log\`, got \`${name}\`.`, {
      name,
    });
  }
  return parts.map(encodeName);
}
