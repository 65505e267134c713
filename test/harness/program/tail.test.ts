import fc from 'fast-check';
import { expect, test } from 'vitest';
import { finishedBytes, tail } from '../../../src/harness/program/tail.ts';

test('a tail is the end of what came, in whatever chunks', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), chunks, (bytesMax, parts) => {
      const end = tail(bytesMax);
      for (const part of parts) end.push(part.map((byte) => byte % 128));
      const all = Buffer.concat(parts).map((byte) => byte % 128);
      expect(end.text()).toBe(Buffer.from(all.subarray(Math.max(0, all.length - bytesMax))).toString('latin1'));
      expect(end.isCut()).toBe(all.length > bytesMax);
    }),
  );
});

test('a tail begins and ends with whole characters', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.string({ unit: 'binary', maxLength: 30 }), (bytesMax, text) => {
      const end = tail(bytesMax);
      for (const byte of Buffer.from(text)) end.push(Buffer.from([byte]));
      expect(text.endsWith(end.text())).toBe(true);
      expect(Buffer.byteLength(end.text())).toBeGreaterThanOrEqual(Math.min(Buffer.byteLength(text), bytesMax) - 3);
    }),
  );
});

test('a text in any pieces is read in whole characters, nothing lost', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), cuts, (text, sizes) => {
      const bytes = Buffer.from(text);
      let read = '';
      let held = Buffer.alloc(0);
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        const chunk = Buffer.concat([held, bytes.subarray(at, at + size)]);
        const finished = finishedBytes(chunk);
        read += chunk.toString('utf8', 0, finished);
        held = Buffer.from(chunk.subarray(finished));
        at += size;
      }
      expect(read).toBe(text);
      expect(held).toHaveLength(0);
    }),
  );
});

test('bytes that are no text are never held back for more than three', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      expect(bytes.length - finishedBytes(bytes)).toBeLessThanOrEqual(3);
    }),
  );
});
