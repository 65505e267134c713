/**
 * Tar, as far as archives need it: plain files under their paths (ustar; long paths as GNU tar writes them). Any
 * tar unpacks what is written here.
 */

/** Tar's unit: headers and contents are filled up to a multiple of it, in bytes. */
export const blockBytes = 512;
const nameBytes = 100;
const longName = '././@LongLink';
/** Eleven octal digits. */
const sizeMax = 8 ** 11 - 1;

/** A file in an archive, or the name of the next one when that is too long for a header. */
export interface TarHeader {
  readonly type: 'file' | 'folder' | 'long-name' | 'other';
  readonly name: string;
  readonly bytes: number;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

function checksum(block: Uint8Array): number {
  let sum = 0;
  // Its own eight bytes count as blanks.
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  return sum;
}

function headerBlock(name: Buffer, bytes: number, type: string, modifiedAtMs: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  name.copy(block, 0, 0, nameBytes);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(bytes, 11), 124);
  block.write(octal(Math.max(0, Math.floor(modifiedAtMs / 1000)), 11), 136);
  block.write(type, 156);
  block.write('ustar\u000000', 257);
  block.write(`${octal(checksum(block), 6)} `, 148);
  return block;
}

/** How many bytes fill `bytes` up to whole blocks. */
export function paddingOf(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes;
}

/** What stands before a file's bytes. RangeError when it is larger than 8 GiB. */
export function tarHeader(name: string, bytes: number, modifiedAtMs: number): Buffer {
  if (bytes > sizeMax) throw new RangeError(`${name} has ${bytes} bytes, more than an archive can hold`);
  const encoded = Buffer.from(name);
  if (encoded.length <= nameBytes) return headerBlock(encoded, bytes, '0', modifiedAtMs);
  const length = encoded.length + 1;
  const before = [headerBlock(Buffer.from(longName), length, 'L', 0), encoded, Buffer.alloc(1 + paddingOf(length))];
  return Buffer.concat([...before, headerBlock(encoded, bytes, '0', modifiedAtMs)]);
}

/** What stands behind the last file. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes);
}

/** Reads a header; undefined for a block of zeros (the end). Throws SyntaxError for what is no header. */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (from: number, length: number): string =>
    block.toString('utf8', from, from + length).split('\0', 1)[0] ?? '';
  const number = (from: number, length: number): number => {
    const digits = text(from, length).trim();
    if (!/^[0-7]+$/.test(digits)) throw new SyntaxError('not a tar header: a number is not octal');
    return Number.parseInt(digits, 8);
  };
  if (number(148, 8) !== checksum(block)) throw new SyntaxError('not a tar header: its checksum is wrong');
  const flag = text(156, 1);
  const types: Readonly<Record<string, TarHeader['type']>> = {
    '0': 'file',
    '': 'file',
    '5': 'folder',
    'L': 'long-name',
  };
  const prefix = text(345, 155);
  const name = text(0, nameBytes);
  return { type: types[flag] ?? 'other', name: prefix === '' ? name : `${prefix}/${name}`, bytes: number(124, 12) };
}
