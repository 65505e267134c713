import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertJson, canonical, jsonDepthMax, toJson, type JsonValue } from '../src/json.ts';

class Money {
  readonly cents = 1;
}

const cycle: Record<string, unknown> = { list: [] };
(cycle['list'] as unknown[]).push(cycle);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}

describe('what is not JSON is refused and its path is named', () => {
  const holed: unknown[] = [1];
  holed[2] = 3;
  const named = Object.assign([1], { extra: 2 });
  test.each([
    ['a Date', { items: [0, 1, 2, { when: new Date(0) }] }, 'context.items[3].when: expected JSON, got a Date'],
    ['a Map', { a: new Map() }, 'context.a: expected JSON, got a Map'],
    ['a Set', [new Set()], 'context[0]: expected JSON, got a Set'],
    ['an Error', { e: new TypeError('no') }, 'context.e: expected JSON, got a TypeError'],
    ['a class instance', { price: new Money() }, 'context.price: expected JSON, got a Money'],
    ['a function', { f: () => 1 }, 'context.f: expected JSON, got a function'],
    ['a symbol', { s: Symbol('s') }, 'context.s: expected JSON, got a symbol'],
    ['a symbol key', { in: { [Symbol('k')]: 1 } }, 'context.in: expected JSON, got a symbol key'],
    ['a bigint', [1n], 'context[0]: expected JSON, got a bigint'],
    ['NaN', { n: Number.NaN }, 'context.n: expected JSON, got NaN'],
    ['Infinity', { 'odd key': -Infinity }, 'context["odd key"]: expected JSON, got -Infinity'],
    ['undefined at the top', undefined, 'context: expected JSON, got undefined'],
    ['undefined in an array', [1, undefined], 'context[1]: expected JSON, got undefined'],
    ['a hole', { list: holed }, 'context.list[1]: expected JSON, got a hole'],
    ['an array with properties', named, 'context.extra: expected JSON, got an array with extra properties'],
    ['a promise', { sum: Promise.resolve(1) }, 'context.sum: expected JSON, got a Promise (is an `await` missing?)'],
    ['a typed array', { bytes: new Uint8Array(2) }, 'context.bytes: expected JSON, got a Uint8Array'],
  ])('%s', (_what, value, message) => {
    expect(() => assertJson(value, 'context')).toThrow(`NOT_JSON: ${message}`);
    expect(() => toJson(value, 'context')).toThrow(`NOT_JSON: ${message}`);
  });

  test('a cycle, of whose path the ends are told', () => {
    expect(() => assertJson(cycle, 'context')).toThrow(
      /^NOT_JSON: context.{1,150}….{1,100}: expected JSON, got a cycle$/,
    );
  });

  test('nesting beyond the bound, and not at the bound', () => {
    expect(() => assertJson(nested(jsonDepthMax), 'context')).not.toThrow();
    expect(() => assertJson(nested(jsonDepthMax + 1), 'context')).toThrow(`nesting deeper than ${jsonDepthMax}`);
  });
});

describe('what somebody sends to hold us up', () => {
  test('JSON of 100,000 levels is refused like any that is too deep, and one object in many places is no cycle', () => {
    const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(() => assertJson(deep, 'context')).toThrow(`nesting deeper than ${jsonDepthMax}`);
    const shared = nested(jsonDepthMax);
    expect(() => assertJson({ a: [shared, shared] }, 'context')).toThrow(`nesting deeper than ${jsonDepthMax}`);
  });
});

describe('what is JSON', () => {
  test.each([
    [null],
    [true],
    [0],
    [-1.5e300],
    [''],
    ['\ud800'],
    [[]],
    [{}],
    [Object.assign(Object.create(null), { a: 1 })],
  ])('%j', (value: unknown) => {
    expect(() => assertJson(value, 'value')).not.toThrow();
  });

  test('an undefined property counts as absent', () => {
    const value = { a: 1, b: undefined };
    expect(toJson(value, 'value')).toStrictEqual({ a: 1 });
    expect(canonical(toJson(value, 'value'))).toBe('{"a":1}');
  });

  test('-0 is written 0', () => {
    expect(canonical(-0)).toBe('0');
    expect(Object.is(toJson([-0], 'value'), -0)).toBe(false);
    expect(toJson([-0], 'value')).toStrictEqual([0]);
  });

  test('a copy shares nothing and keeps the order of keys, __proto__ included', () => {
    const value = JSON.parse('{"z":{"y":[1]},"__proto__":{"a":1},"a":2}') as { z: { y: number[] } };
    const copy = toJson(value, 'value') as typeof value;
    expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
    expect(copy.z.y).not.toBe(value.z.y);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });
});

/** The rule of the canonical text, key by key: digests that stand in journals were made by it. */
function keyByKey(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(keyByKey).join(',')}]`;
  const object = value as { readonly [key: string]: JsonValue };
  const items = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${keyByKey(object[key] as JsonValue)}`);
  return `{${items.join(',')}}`;
}

describe('the canonical text', () => {
  const oddKey = fc.constantFrom(
    '10',
    '9',
    '',
    'toJSON',
    'b',
    'a',
    'ä',
    'Z',
    '-1',
    '01',
    '\ud83d\ude00',
    'constructor',
  );
  const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<JsonValue>(null, true, 0, -0, 1.5, 'x', '\ud800', 'a "b"'),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(oddKey, tie('tree'), { maxKeys: 5 }),
    ),
  }));

  test('is what is written key by key, whatever the order and the names of the keys', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(canonical(value)).toBe(keyByKey(value));
      }),
      { numRuns: 2_000 },
    );
    const own = JSON.parse('{"b":{"__proto__":[1],"a":{"z":1,"y":2}},"a":2}') as JsonValue;
    expect(canonical(own)).toBe('{"a":2,"b":{"__proto__":[1],"a":{"y":2,"z":1}}}');
  });

  const json = fc.jsonValue().map((value) => toJson(value, 'value'));

  test('reads back as an equal value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonical(value))).toEqual(value);
      }),
    );
  });

  test('is one for equal values, whatever the order of their keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonical(turned(value))).toBe(canonical(value));
      }),
    );
  });

  test('differs for different values', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(canonical(a) === canonical(b)).toBe(isEqual(a, b));
      }),
    );
  });

  test('has sorted keys and no blanks', () => {
    expect(canonical({ b: [1, { d: null, c: 'x y' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x y","d":null}]}');
  });

  test('refuses what is not JSON', () => {
    expect(() => canonical(Number.NaN)).toThrow('NOT_JSON');
    expect(() => canonical({ a: (() => 1) as unknown as JsonValue })).toThrow('NOT_JSON');
  });
});

function turned(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as JsonValue[]).map(turned);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, turned(item)]),
  );
}

function isEqual(a: JsonValue, b: JsonValue): boolean {
  const sorted = (_key: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
      : value;
  return JSON.stringify(a, sorted) === JSON.stringify(b, sorted);
}
