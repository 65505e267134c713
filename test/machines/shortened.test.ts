/** What many commands wrote fits into one output. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fanOut } from 'troupe/machines';
import type { JsonValue } from 'troupe';
import { shortened } from '../../machines/shortened.ts';
import { simulate } from './simulate.ts';

const written = (stdout: string, stderr = '') => ({ exitCode: 0, stdout, stderr, truncated: false });
const bytes = (value: JsonValue) => Buffer.byteLength(JSON.stringify(value)) - 2;

test('texts take what they may in all: short ones stay, of long ones the end does, and nothing else is touched', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', '\n', '\u0001', 'é', '日', '👩', '\\'), maxLength: 300 });
  const output = fc.oneof(
    fc.tuple(text, text).map(([stdout, stderr]) => written(stdout, stderr)),
    fc.record({ stdout: text, exitCode: fc.constant(0) }),
    text,
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(output, { maxLength: 12 }), fc.nat({ max: 3_000 }), (outputs, bytesMax) => {
      const results = outputs.map((one, index) => ({ id: String(index), output: one }));
      const texts = (list: typeof results) =>
        list.flatMap(({ output: one }) =>
          typeof one === 'object' && one !== null && 'truncated' in one ? [one.stdout, one.stderr] : [],
        );
      const after = shortened(results, bytesMax) as typeof results;
      const [before, left] = [texts(results), texts(after)];
      const most = Math.max(0, ...left.map(bytes));
      expect(left.reduce((sum, one) => sum + bytes(one), 0)).toBeLessThanOrEqual(bytesMax);
      for (const [index, one] of left.entries()) {
        expect(before[index]?.endsWith(one)).toBe(true);
        expect(one).not.toMatch(/^[\udc00-\udfff]/);
        // The longest give way to the others: twelve bytes are what two characters take that count as more than they are.
        if (one !== before[index]) expect(bytes(one) * 3 + 12).toBeGreaterThanOrEqual(most);
      }
      for (const [index, { output: one }] of after.entries()) {
        const was = outputs[index];
        if (typeof one !== 'object' || one === null || !('truncated' in one)) expect(one).toBe(was);
        else expect(one.truncated).toBe(JSON.stringify({ ...one, truncated: false }) !== JSON.stringify(was));
      }
    }),
  );
});

test('many commands that wrote much do not fail their group when all the work is done', () => {
  const members = Array.from({ length: 300 }, (_, index) => ({ id: `m${index}`, command: ['make'] }));
  const much = written('x'.repeat(65_000), 'note');
  const play = simulate(fanOut, { members });
  for (const { id } of members) play.settle(id, id === 'm7' ? written('short') : much);
  const { results } = play.output() as unknown as { readonly results: readonly { readonly output: typeof much }[] };
  expect(Buffer.byteLength(JSON.stringify(results))).toBeLessThan(7 * 2 ** 20);
  expect(results[7]?.output).toEqual(written('short'));
  expect(results[8]?.output).toMatchObject({ exitCode: 0, stderr: 'note', truncated: true });
  expect(results[8]?.output.stdout.length).toBeGreaterThan(15_000);
});
