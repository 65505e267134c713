import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastLine } from '../../../src/harness/program/last-line.ts';

const reports = (...chunks: (string | Uint8Array)[]) => {
  const next = lastLine();
  return chunks.map((chunk) => next(Buffer.from(chunk)));
};

test('the last line that says something is reported, finished or not, when it changed', () => {
  expect(reports('one\n', 'two', ' and', '\n\n  \n', 'a\nb\nc')).toEqual(['one', 'two', 'two and', undefined, 'c']);
});

test('a carriage return begins a new line', () => {
  expect(reports('10%\r20%\r', '30%', '\r')).toEqual(['20%', '30%', undefined]);
});

test('escape sequences are taken out, also half ones at the end', () => {
  expect(
    reports('\u001b[1;32mgreen\u001b[0m\n', 'x\u001b[3', '1mred', '\u001b]8;;https://a.b\u0007link\u001b]8;;\u0007'),
  ).toEqual(['green', 'x', 'xred', 'xredlink']);
});

test('a line is plain, short and whole, whatever comes', () => {
  expect(reports('a\tb\u0000c\u202ed\u2028e')).toEqual(['a b c d e']);
  expect(reports('x'.repeat(10_000))).toEqual([`${'x'.repeat(199)}…`]);
  expect(reports(`${'x'.repeat(198)}😀😀`)).toEqual([`${'x'.repeat(198)}…`]);
  const chunks = fc.array(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.string({ unit: 'binary' }).map(Buffer.from)), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(chunks, (parts) => {
      for (const line of reports(...parts)) {
        if (line === undefined) continue;
        expect(line.length).toBeLessThanOrEqual(200);
        expect(line).toMatch(/^[^\p{Cc}\p{Surrogate}]+$/u);
      }
    }),
  );
});
