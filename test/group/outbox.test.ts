import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textOf } from '../../src/group/outbox.ts';
import { canonical, type JsonValue } from '../../src/json.ts';

test('what a member hears goes into the digest as its canonical text, however it is written', () => {
  const value = fc.jsonValue() as fc.Arbitrary<JsonValue>;
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
  fc.assert(
    fc.property(event, (heard) => {
      expect(textOf(heard)).toBe(canonical(heard));
    }),
    { numRuns: 500 },
  );
  expect(textOf({ id: 'i"', type: 't', body: '\ud800 \u0007', from: 'a\\' })).toBe(
    String.raw`{"body":"\ud800 \u0007","from":"a\\","id":"i\"","type":"t"}`,
  );
});
