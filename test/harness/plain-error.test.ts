import { expect, test } from 'vitest';
import fc from 'fast-check';
import { plainError } from '../../src/harness/index.ts';

test('an error keeps its name, message, code, stack and causes', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'EINNER' });
  const plain = plainError(Object.assign(new RangeError('outer', { cause }), { code: 7 }));
  expect(plain).toMatchObject({ name: 'RangeError', message: 'outer', code: '7' });
  expect(plain.stack).toContain('RangeError: outer');
  expect(plain.cause).toMatchObject({ name: 'TypeError', message: 'inner', code: 'EINNER' });
});

test('whatever else is thrown is shown', () => {
  expect(plainError('just words')).toEqual({ name: 'Error', message: 'just words' });
  expect(plainError(undefined).message).toBe('not an error was thrown: undefined');
  expect(plainError(null).message).toBe('not an error was thrown: null');
  expect(plainError({ status: 418 }).message).toBe('not an error was thrown: {"status":418}');
  expect(plainError(Symbol('s')).message).toBe('not an error was thrown: Symbol(s)');
  expect(plainError(10n).message).toBe('not an error was thrown: 10');
  expect(plainError(function late() {}).message).toBe('not an error was thrown: function late');
  expect(plainError({ message: 'like an error', name: 'Likely' })).toEqual({
    name: 'Likely',
    message: 'like an error',
  });
});

test('an aggregate error names its first errors, and the first is its cause', () => {
  const errors = Array.from({ length: 7 }, (_, index) => new Error(`e${index}`));
  const plain = plainError(new AggregateError(errors, 'all went wrong'));
  expect(plain.message).toBe('all went wrong (e0; e1; e2; e3; e4; …)');
  expect(plain.cause?.message).toBe('e0');
});

test('causes in a circle end', () => {
  const a = new Error('a');
  const b = new Error('b', { cause: a });
  a.cause = b;
  const messages: string[] = [];
  for (let at: ReturnType<typeof plainError> | undefined = plainError(a); at !== undefined; at = at.cause)
    messages.push(at.message);
  expect(messages).toEqual(['a', 'b', 'a', 'b', 'a']);
});

test('an AggregateError that is one of its own errors ends all the same', () => {
  const own = new AggregateError([new Error('a')], 'all');
  own.errors.push(own);
  expect(plainError(own)).toMatchObject({
    message: 'all (a; all (a; all (a; all (a; all))))',
    cause: { message: 'a' },
  });
});

test('huge and ill-formed texts are bounded and mended', () => {
  const error = new Error('x'.repeat(1_000_000));
  error.stack = 'y'.repeat(1_000_000);
  const plain = plainError(error);
  expect(plain.message).toHaveLength(8_192);
  expect(plain.message.endsWith('…')).toBe(true);
  expect(plain.stack).toHaveLength(4_096);
  expect(plainError(`half \ud83d`).message).toBe('half \ufffd');
  expect(plainError(`${'x'.repeat(8_190)}😀`).message).toBe(`${'x'.repeat(8_190)}😀`);
  expect(plainError(`${'x'.repeat(8_190)}😀😀`).message).toBe(`${'x'.repeat(8_190)}\ufffd…`);
});

test('what throws when looked at is described all the same', () => {
  const thrower = () => {
    throw new Error('do not look');
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = [
    proxy,
    new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower }),
    {
      get message(): string {
        return thrower();
      },
    },
    {
      message: 'm',
      get code(): string {
        return thrower();
      },
      get cause(): string {
        return thrower();
      },
    },
    { toString: thrower, toJSON: thrower },
    { message: 'm', errors: new Proxy([], { get: thrower }) },
    Object.create(null),
  ];
  for (const thrown of hostile) {
    const plain = plainError(thrown);
    expect(typeof plain.message).toBe('string');
    expect(JSON.parse(JSON.stringify(plain))).toEqual(plain);
  }
});

test('any value becomes plain JSON', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }), (thrown) => {
      const plain = plainError(thrown);
      expect(JSON.parse(JSON.stringify(plain))).toEqual(plain);
    }),
  );
});
