/** Tar headers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTarHeader, tarHeader } from '../../src/journal/tar.ts';

const at = 1_790_000_000_000;

test('any name and size up to 8 GiB comes back from a tar header', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 99 }),
      fc.integer({ min: 0, max: 8 ** 11 - 1 }),
      (text, bytes) => {
        const name = text.replaceAll('\0', '-');
        const block = tarHeader(name, bytes, at);
        expect(parseTarHeader(block.subarray(-512))?.bytes).toBe(bytes);
        const first = parseTarHeader(block.subarray(0, 512));
        if (block.length === 512) expect(first).toEqual({ type: 'file', name, bytes });
        else
          expect([first?.type, block.toString('utf8', 512, 512 + (first?.bytes ?? 0) - 1)]).toEqual([
            'long-name',
            name,
          ]);
      },
    ),
  );
  expect(() => tarHeader('x', 8 ** 11, 0)).toThrow(RangeError);
});
