import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashText, hashTexts } from '../../src/group/digest.ts';
import { textsOf } from '../../src/group/outbox.ts';
import { canonical, type JsonValue } from '../../src/json.ts';

test('what a member hears goes into the digest as its canonical text, however it is written', () => {
  const value = fc.jsonValue() as fc.Arbitrary<JsonValue>;
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('"', '\\', '\n', '\u007f', '\ud800', '\udc00'), fc.string()),
  });
  const event = fc.record(
    {
      type: fc.string(),
      from: fc.oneof(fc.string(), value),
      body: value,
      id: fc.oneof(fc.string(), value),
      mode: fc.constant('steer'),
      extra: value,
    },
    { requiredKeys: ['type'] },
  );
  const plain = fc.record({ type: text, from: text, body: text, id: text });
  fc.assert(
    fc.property(fc.oneof(event, plain), (heard) => {
      expect(textsOf(heard).join('')).toBe(canonical(heard));
      expect(hashTexts(textsOf(heard))).toEqual(hashText(canonical(heard)));
    }),
    { numRuns: 500 },
  );
  expect(textsOf({ id: 'i"', type: 't', body: '\ud800 \u0007', from: 'a\\' }).join('')).toBe(
    String.raw`{"body":"\ud800 \u0007","from":"a\\","id":"i\"","type":"t"}`,
  );
});
